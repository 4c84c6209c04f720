"""What is held of a person in tables of which no service lists it."""

from collections.abc import Sequence
from typing import Final

from hellojohn_server.features.action_tokens.schemas import ActionTokenRow
from hellojohn_server.features.emails.schemas import EmailRow, EmailStatus
from hellojohn_server.features.invitations.schemas import Invitation
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

_LINK_COLUMNS: Final = ", ".join(ActionTokenRow.__struct_fields__)
_INVITATION_COLUMNS: Final = ", ".join(Invitation.__struct_fields__)
_EMAIL_COLUMNS: Final = ", ".join(EmailRow.__struct_fields__)

GET_SECRETS = Statement(
    """
    SELECT password_hash IS NOT NULL,
        (SELECT count(*) FROM mfa_backup_codes WHERE tenant_id = :tenant_id AND user_id = :user_id)
    FROM users WHERE tenant_id = :tenant_id AND id = :user_id
    """
)
LIST_LINKS = Statement(
    f"SELECT {_LINK_COLUMNS} FROM action_tokens WHERE tenant_id = :tenant_id AND user_id = :user_id ORDER BY id"
)
# Mail to somebody who was no user yet. What is sent to one address is limited, and kept for a while only.
LIST_EMAILS_TO = Statement(
    f"""
    SELECT {_EMAIL_COLUMNS} FROM emails
    WHERE tenant_id = :tenant_id AND address_key = :address_key AND user_id IS NULL
    ORDER BY id DESC
    """
)
# An organization invites an address once at a time.
LIST_INVITATIONS_TO = Statement(
    f"""
    SELECT {_INVITATION_COLUMNS} FROM organization_invitations
    WHERE tenant_id = :tenant_id AND email_key = :email_key
    ORDER BY id
    """
)


async def get_secrets(reader: Reader, user_id: str) -> tuple[bool, int]:
    """Return whether a user has a password, and how many backup codes."""
    row = await reader.fetch_one(GET_SECRETS, user_id=user_id)
    return (False, 0) if row is None else (bool(row[0]), int(row[1]))


async def list_links(reader: Reader, user_id: str) -> Sequence[ActionTokenRow]:
    """Return the links that were mailed to a user and are kept still, oldest first."""
    return [ActionTokenRow(*row) for row in await reader.fetch_all(LIST_LINKS, user_id=user_id)]


async def list_invitations_to(reader: Reader, email_key: str) -> Sequence[Invitation]:
    """Return the invitations into organizations that went to an address and are kept still, oldest first."""
    return [Invitation(*row) for row in await reader.fetch_all(LIST_INVITATIONS_TO, email_key=email_key)]


async def list_emails_to(reader: Reader, address_key: str) -> Sequence[EmailRow]:
    """Return the mail to an address that is about no user, newest first."""
    found: list[EmailRow] = []
    for row in await reader.fetch_all(LIST_EMAILS_TO, address_key=address_key):
        values = dict(zip(EmailRow.__struct_fields__, row, strict=True))
        values["template"] = EmailTemplate(values["template"])
        values["status"] = EmailStatus(values["status"])
        found.append(EmailRow(**values))
    return found
