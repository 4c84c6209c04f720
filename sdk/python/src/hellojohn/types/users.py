"""The types of `users`."""

from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

import msgspec

from hellojohn._known import Known
from hellojohn.types.shared import (
    AccessStopped,
    AuditEntry,
    Belonging,
    Email,
    ErrorCode,
    Factor,
    Invitation,
    Session,
    UserStatus,
)

AccessReasonCode: TypeAlias = Literal["banned", "deleted", "disabled", "locked", "password_reset_required", "pending"]
"""Why a user cannot sign in. docs/users.md says what ends each."""


Direction: TypeAlias = Literal["asc", "desc"]
"""Which end comes first. Users without the value come last in both."""


SortField: TypeAlias = Literal["created_at", "email", "last_sign_in_at", "name"]
"""What users can be sorted by."""


class AccessReason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a user from signing in. `until` null: until somebody ends it. `by`: whose act it was."""

    code: Known[AccessReasonCode]
    since: datetime | None = None
    until: datetime | None = None
    by: str | None = None
    reason: str | None = None


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a user can sign in at this moment, and everything that prevents it, the strongest first."""

    can_sign_in: bool
    reasons: list[AccessReason]


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """A ban that holds. `until` null: without end. `by` is the id of the credential that banned."""

    reason: str | None
    since: datetime
    until: datetime | None
    by: str | None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A user who was left alone, and the code of the error that the act on this user alone would have had."""

    id: str
    code: Known[ErrorCode]


class BulkBanned(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were banned, or had their ban changed, and how many sessions ended."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    banned: int
    sessions_revoked: int


class BulkDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were moved to the recycle bin, and how many sessions ended."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    deleted: int
    sessions_revoked: int


class BulkDisabled(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were disabled, and how many sessions ended."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    disabled: int
    sessions_revoked: int


class BulkEnabled(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were enabled."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    enabled: int


class BulkResetsForced(msgspec.Struct, frozen=True, kw_only=True):
    """To how many users a link is on its way, and how many sessions ended."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    emails_queued: int
    sessions_revoked: int


class BulkRestored(msgspec.Struct, frozen=True, kw_only=True):
    """How many users were restored."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    restored: int


class BulkSessionsRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions ended. `unchanged` counts the users who had none."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    sessions_revoked: int


class BulkUnbanned(msgspec.Struct, frozen=True, kw_only=True):
    """How many bans were lifted."""

    unchanged: int | None = None
    not_found: list[str] | None = None
    refused: list[Refusal] | None = None
    unbanned: int


class ChangedUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user after a change; with `access_stopped` when the change ended the user's access."""

    id: str
    email: str
    email_verified: bool
    username: str | None
    name: str | None
    phone: str | None
    phone_verified: bool
    avatar_url: str | None
    external_id: str | None
    role: str
    status: Known[UserStatus]
    disabled: bool
    disabled_reason: str | None
    banned: bool
    ban: Ban | None
    locked_until: datetime | None
    mfa_enrolled: bool
    password_reset_required: bool
    public_metadata: dict[str, Any]
    private_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None
    last_active_at: datetime | None
    version: int
    access_stopped: AccessStopped | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was mailed, without its secret. `used_at` null: it was not used."""

    id: str
    purpose: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class LinkQueued(msgspec.Struct, frozen=True, kw_only=True):
    """A link is on its way."""

    email_queued: bool


class ResetForced(msgspec.Struct, frozen=True, kw_only=True):
    """A link is on its way, and so many sessions ended."""

    email_queued: bool
    sessions_revoked: int


class SearchSortInput(TypedDict, total=False):
    """The order of a search. Without a direction: desc for times, asc for text."""

    field: SortField
    direction: Direction | None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user. `banned`, `ban`, `locked_until` and `status` are judged by the clock at the moment of the answer."""

    id: str
    email: str
    email_verified: bool
    username: str | None
    name: str | None
    phone: str | None
    phone_verified: bool
    avatar_url: str | None
    external_id: str | None
    role: str
    status: Known[UserStatus]
    disabled: bool
    disabled_reason: str | None
    banned: bool
    ban: Ban | None
    locked_until: datetime | None
    mfa_enrolled: bool
    password_reset_required: bool
    public_metadata: dict[str, Any]
    private_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None
    last_active_at: datetime | None
    version: int


class UserExport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything held about one person, but what could be signed in with: no password hash, secret, code or token.

    `access` is why the person cannot sign in, if so; `backup_codes` how many are left; `sessions` are all, also those
    that have ended; `invitations` are those of the person's address into organizations, and `emails` those to the
    person or to the person's address, without their text. `audit_logs` are the entries of what the person did, and of
    what was done to or for the person.
    """

    exported_at: datetime
    user: User
    access: Access
    has_password: bool
    backup_codes: int
    factors: list[Factor]
    links: list[Link]
    invitations: list[Invitation]
    organizations: list[Belonging]
    sessions: list[Session]
    emails: list[Email]
    audit_logs: list[AuditEntry]
