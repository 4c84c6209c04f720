"""The document that holds everything about one person."""

import msgspec

from hellojohn_server.features.audit.schemas import AuditEntryBody
from hellojohn_server.features.emails.schemas import EmailBody
from hellojohn_server.features.invitations.schemas import InvitationBody
from hellojohn_server.features.mfa.schemas import FactorBody
from hellojohn_server.features.organizations.schemas import BelongingBody
from hellojohn_server.features.sessions.schemas import SessionBody
from hellojohn_server.features.users.schemas import AccessBody, UserBody
from hellojohn_server.kit.times import Timestamp


class LinkBody(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was mailed, without its secret. `used_at` null: it was not used."""

    id: str
    purpose: str
    created_at: Timestamp
    expires_at: Timestamp
    used_at: Timestamp | None


class UserExportBody(msgspec.Struct, frozen=True, kw_only=True):
    """Everything held about one person, but what could be signed in with: no password hash, secret, code or token.

    `access` is why the person cannot sign in, if so; `backup_codes` how many are left; `sessions` are all, also those
    that have ended; `invitations` are those of the person's address into organizations, and `emails` those to the
    person or to the person's address, without their text. `audit_logs` are the entries of what the person did, and of
    what was done to or for the person.
    """

    exported_at: Timestamp
    user: UserBody
    access: AccessBody
    has_password: bool
    backup_codes: int
    factors: list[FactorBody]
    links: list[LinkBody]
    invitations: list[InvitationBody]
    organizations: list[BelongingBody]
    sessions: list[SessionBody]
    emails: list[EmailBody]
    audit_logs: list[AuditEntryBody]
