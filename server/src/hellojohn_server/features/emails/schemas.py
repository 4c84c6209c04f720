"""A mail as it is asked for and as it is stored."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from hellojohn_server.kit.email_templates import EmailTemplate, Part
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time

GIVE_UP_MS: Final = 86_400_000
"""How long a mail is tried."""
CLAIM_MS: Final = 120_000
"""How long whoever takes a mail has for it; longer than a transport tries."""
AT_ONCE: Final = 4
"""Mails of a tenant that are taken together."""
VALUES_KEPT_MS: Final = 7 * 86_400_000
"""How long after a mail was asked for its values are kept, if it was not sent."""
EMAIL_KEPT_MS: Final = 30 * 86_400_000
"""How long after a mail was asked for it is kept."""
FIRST_RETRY_MS: Final = 5_000
LONGEST_RETRY_MS: Final = 3_600_000


class EmailStatus(StrEnum):
    """Where a mail is. `failed`: tried in vain, and will be tried again. `dead`: given up."""

    DEAD = "dead"
    FAILED = "failed"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"


class Email(msgspec.Struct, frozen=True):
    """A mail to send: `values` are what kit.email_templates.VALUES says of the template.

    `user_id` is whom it is about, so that it goes when the user is erased; None when it is about no user of the tenant.
    """

    template: EmailTemplate
    to: str
    user_id: str | None
    values: Mapping[str, str] = {}


class EmailRow(msgspec.Struct, frozen=True):
    """A row of emails. Times in milliseconds."""

    id: str
    template: EmailTemplate
    to_address: str
    address_key: str
    user_id: str | None
    sealed_values: bytes | None
    status: EmailStatus
    attempts: int
    next_attempt_at: int | None
    give_up_at: int
    claim: str | None
    last_error: str | None
    created_at: int
    sent_at: int | None
    purge_at: int


class Look(msgspec.Struct, frozen=True):
    """How a tenant's mail looks: names, where answers go, and the tenant's own texts by mail and part."""

    tenant_name: str
    sender_name: str
    reply_to: str | None
    texts: Mapping[EmailTemplate, Mapping[Part, str]]


class Delivery(msgspec.Struct, frozen=True):
    """What came of sending what was due in a tenant. `next_at`: when there is more, in milliseconds, or None."""

    next_at: int | None = None
    server_is_down: bool = False


class EmailBody(msgspec.Struct, frozen=True, kw_only=True):
    """A mail, without its text. `last_error` is the class of the last failure with the mail server's code."""

    id: str
    template: EmailTemplate
    to: str
    user_id: str | None
    status: EmailStatus
    attempts: int
    last_error: str | None
    resendable: bool
    created_at: Timestamp
    next_attempt_at: Timestamp | None
    sent_at: Timestamp | None


class EmailListBody(msgspec.Struct, frozen=True):
    """Mails, newest first."""

    data: list[EmailBody]
    pagination: Pagination


class ListEmailsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which mails, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    status: EmailStatus | None = None
    template: EmailTemplate | None = None
    user_id: str | None = None


def is_resendable(email: EmailRow) -> bool:
    """Say whether a mail that did not go out can be sent again: what it is made of is still there."""
    return email.status in {EmailStatus.DEAD, EmailStatus.FAILED} and email.sealed_values is not None


def email_body(email: EmailRow) -> EmailBody:
    """Return what is shown of a mail."""
    return EmailBody(
        id=email.id,
        template=email.template,
        to=email.to_address,
        user_id=email.user_id,
        status=email.status,
        attempts=email.attempts,
        last_error=email.last_error,
        resendable=is_resendable(email),
        created_at=format_time(email.created_at),
        next_attempt_at=None if email.status is EmailStatus.SENDING else format_optional_time(email.next_attempt_at),
        sent_at=format_optional_time(email.sent_at),
    )
