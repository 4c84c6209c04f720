"""The types that several resources use."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

import msgspec

from hellojohn._known import Known

Action: TypeAlias = Literal[
    "ban",
    "delete",
    "disable",
    "enable",
    "password_reset",
    "restore",
    "revoke_sessions",
    "set_metadata",
    "set_role",
    "unban",
]
"""What can be done to many users."""


ActorType: TypeAlias = Literal["api_key", "cli", "master_key", "operator", "system", "user"]
"""Who an audit entry names."""


AuditResult: TypeAlias = Literal["denied", "failure", "success"]
"""How the act ended."""


EmailStatus: TypeAlias = Literal["dead", "failed", "queued", "sending", "sent"]
"""Where a mail is. `failed`: tried in vain, and will be tried again. `dead`: given up."""


EmailTemplate: TypeAlias = Literal[
    "email_already_registered",
    "email_changed",
    "email_verification",
    "factor_added",
    "factor_removed",
    "impersonated",
    "invitation",
    "magic_link",
    "organization_invitation",
    "password_changed",
    "password_reset",
    "password_reset_forced",
]
"""What a mail is about."""


ErrorCode: TypeAlias = Literal[
    "account_banned",
    "account_disabled",
    "account_locked",
    "address_not_allowed",
    "already_member",
    "api_key_expired",
    "api_key_not_active",
    "api_key_not_found",
    "audit_log_not_found",
    "credential_not_allowed",
    "deadline_exceeded",
    "email_already_exists",
    "email_already_verified",
    "email_banned",
    "email_in_recycle_bin",
    "email_not_found",
    "email_not_resendable",
    "external_id_already_exists",
    "idempotency_key_reused",
    "idempotency_not_supported",
    "impersonation_disabled",
    "impersonation_forbidden",
    "import_file_differs",
    "import_not_found",
    "import_not_resumable",
    "import_taken_over",
    "insufficient_scope",
    "internal_error",
    "invalid_api_key",
    "invalid_credentials",
    "invalid_cursor",
    "invalid_host",
    "invalid_mfa_code",
    "invalid_passkey",
    "invalid_publishable_key",
    "invalid_request",
    "invalid_token",
    "invitation_already_exists",
    "invitation_elsewhere",
    "invitation_limit_reached",
    "invitation_not_found",
    "invitation_page_missing",
    "job_ended",
    "job_not_ended",
    "job_not_found",
    "job_not_undoable",
    "job_undone",
    "last_owner",
    "last_super_admin",
    "link_expired",
    "link_invalid",
    "link_used",
    "mail_not_configured",
    "malformed_json",
    "member_not_found",
    "method_not_allowed",
    "mfa_already_confirmed",
    "mfa_challenge_invalid",
    "mfa_enrollment_required",
    "mfa_factor_limit",
    "mfa_factor_not_found",
    "mfa_required",
    "missing_token",
    "no_mfa_factor",
    "not_found",
    "not_ready",
    "organization_not_found",
    "origin_not_allowed",
    "password_hashing_busy",
    "password_reset_required",
    "payload_too_large",
    "plan_changed",
    "plan_expired",
    "plan_not_found",
    "plan_not_ready",
    "plan_used",
    "query_timeout",
    "rate_limited",
    "reauthentication_required",
    "refresh_token_expired",
    "refresh_token_invalid",
    "refresh_token_reused",
    "request_timeout",
    "role_already_exists",
    "role_built_in",
    "role_in_use",
    "role_limit_reached",
    "role_not_found",
    "rotation_under_way",
    "server_busy",
    "session_expired",
    "session_not_found",
    "session_revoked",
    "slug_already_exists",
    "store_busy",
    "store_unavailable",
    "tenant_mismatch",
    "tenant_not_found",
    "tenant_suspended",
    "token_expired",
    "token_stale",
    "too_many_headers",
    "too_many_mfa_attempts",
    "too_many_streams",
    "unsupported_media_type",
    "user_banned",
    "user_deleted",
    "user_disabled",
    "user_not_found",
    "user_not_pending",
    "username_already_exists",
    "validation_failed",
    "version_mismatch",
    "webauthn_not_configured",
]
"""The machine-readable name of a refusal."""


ExportFormat: TypeAlias = Literal["csv", "ndjson"]
"""What an export is written in."""


FactorType: TypeAlias = Literal["totp", "webauthn"]
"""What a user proves a second time with."""


KeyStatus: TypeAlias = Literal["active", "expired", "revoked"]
"""Whether a key works, judged at the moment of the answer."""


KeyType: TypeAlias = Literal["master", "publishable", "secret"]
"""What a key is for."""


SessionStatus: TypeAlias = Literal["active", "expired", "revoked"]
"""What a session is at a moment. An active one of a disabled user rests until the user is enabled."""


TenantKeyType: TypeAlias = Literal["publishable", "secret"]
"""A type of key that a tenant has. Master keys are made on the host only."""


UserStatus: TypeAlias = Literal["active", "banned", "deleted", "disabled", "locked", "pending"]
"""What a user is, derived from independent facts; the strongest that holds wins, in this order."""


class AccessStopped(msgspec.Struct, frozen=True, kw_only=True):
    """What an act on a user ended.

    `residual_seconds` is the longest time that a token already given out still passes a verifier which checks
    signatures only; our own endpoints and followers of the revocation feed refuse it at once.
    """

    sessions_revoked: int
    residual_seconds: int


class AuditActor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted: always the credential. `asserted` is what it said of the person behind it: shown, never trusted."""

    id: str
    type: Known[ActorType]
    name: str | None
    asserted: str | None = None


class AuditParty(msgspec.Struct, frozen=True, kw_only=True):
    """The user in whose place the actor acted."""

    id: str
    type: Known[ActorType]


class AuditResource(msgspec.Struct, frozen=True, kw_only=True):
    """What was acted on."""

    id: str | None
    type: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An audit entry. `changes` maps a field to its old and its new value.

    Once a person it names is erased, `personal_data_erased` is true and the values about that person are null.
    """

    id: str
    type: str
    source: str
    actor: AuditActor
    on_behalf_of: AuditParty | None
    resource: AuditResource | None
    tenant_id: str
    organization_id: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str
    result: Known[AuditResult]
    reason: str | None
    changes: dict[str, tuple[Any, Any]] | None
    impersonated: bool
    metadata: dict[str, Any] | None
    personal_data_erased: bool
    created_at: datetime


class BackupCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Ten codes, each good once in the place of a second factor's. Shown once; those from before are good no more."""

    backup_codes: list[str]


class Belonging(msgspec.Struct, frozen=True, kw_only=True):
    """An organization that a user is a member of, and as what."""

    id: str
    name: str
    slug: str
    role: str
    joined_at: datetime


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor. `confirmed_at` null: it waits to be confirmed, and protects nothing yet."""

    id: str
    type: Known[FactorType]
    name: str | None
    created_at: datetime
    confirmed_at: datetime | None
    last_used_at: datetime | None


class ConfirmedFactor(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor that is confirmed; with the first one, backup codes, shown once."""

    factor: Factor
    backup_codes: list[str] | None = None


class Email(msgspec.Struct, frozen=True, kw_only=True):
    """A mail, without its text. `last_error` is the class of the last failure with the mail server's code."""

    id: str
    template: Known[EmailTemplate]
    to: str
    user_id: str | None
    status: Known[EmailStatus]
    attempts: int
    last_error: str | None
    resendable: bool
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None


class Enrollment(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor that is yet to be confirmed, and what an authenticator app or the browser needs. Shown once.

    `expires_at`: until when it can be confirmed.
    `secret`: for typing, in base 32.
    `otpauth_uri`: for an app on the same device.
    `qr_code`: the same as a picture: a data URI with an SVG.
    `public_key`: of a passkey: what navigator.credentials.create is given.
    """

    id: str
    type: Known[FactorType]
    name: str | None
    created_at: datetime
    expires_at: datetime
    secret: str | None = None
    otpauth_uri: str | None = None
    qr_code: str | None = None
    public_key: dict[str, Any] | None = None


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """What every list says of itself. `next_cursor` is null on the last page."""

    total: int
    total_is_exact: bool
    limit: int
    has_more: bool
    next_cursor: str | None


class FactorList(msgspec.Struct, frozen=True, kw_only=True):
    """A user's second factors, the oldest first, and how many backup codes are left."""

    data: list[Factor]
    backup_codes_left: int
    pagination: Pagination


class Impersonator(msgspec.Struct, frozen=True, kw_only=True):
    """The credential behind an impersonation, and what it said of the person behind itself: shown, never trusted."""

    id: str
    type: Known[ActorType]
    name: str | None
    asserted: str | None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An open invitation. `invited_by` is the id of the credential; `sent_at` when it was mailed last."""

    id: str
    organization_id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    sent_at: datetime
    expires_at: datetime


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key just made. `key` is the key itself; it is shown here and never again."""

    id: str
    type: Known[KeyType]
    name: str
    hint: str
    scopes: list[str]
    allowed_ips: list[str]
    status: Known[KeyStatus]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str | None
    replaced_by: str | None
    last_used_at: datetime | None
    key: str


class OwnUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user as the user sees it: nothing that only administrators are to read."""

    id: str
    email: str
    email_verified: bool
    username: str | None
    name: str | None
    phone: str | None
    phone_verified: bool
    avatar_url: str | None
    role: str
    mfa_enrolled: bool
    public_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None
    version: int


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """How it is done. `reason` goes with every action, each of the others with those that it is described for.

    `reason`: why, for the audit log; at most 500 characters.
    `revoke_sessions`: disable (default true), password_reset (default false): end sessions.
    `require`: password_reset (default true): the old password is good no more.
    `expires_in`: ban: how long, from when the job starts.
    `expires_at`: ban: until when.
    `role`: set_role: the new role.
    `public_metadata`: set_metadata: merged with what is there.
    `private_metadata`: set_metadata: merged with what is there.
    """

    reason: str | None = None
    revoke_sessions: bool | None = None
    require: bool | None = None
    expires_in: str | None = None
    expires_at: datetime | None = None
    role: str | None = None
    public_metadata: dict[str, Any] | None = None
    private_metadata: dict[str, Any] | None = None


class ParametersInput(TypedDict, total=False):
    """How it is done. `reason` goes with every action, each of the others with those that it is described for.

    `reason`: why, for the audit log; at most 500 characters.
    `revoke_sessions`: disable (default true), password_reset (default false): end sessions.
    `require`: password_reset (default true): the old password is good no more.
    `expires_in`: ban: how long, from when the job starts.
    `expires_at`: ban: until when.
    `role`: set_role: the new role.
    `public_metadata`: set_metadata: merged with what is there.
    `private_metadata`: set_metadata: merged with what is there.
    """

    reason: str | None
    revoke_sessions: bool | None
    require: bool | None
    expires_in: str | None
    expires_at: datetime | str | None
    role: str | None
    public_metadata: Mapping[str, Any] | None
    private_metadata: Mapping[str, Any] | None


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """The filters of a search. One that is absent or null does not filter.

    `created_after`: strictly later than this time.
    `created_before`: strictly earlier than this time.
    `organization_id`: the id of an organization the user is a member of.
    `role`: the name of the user's role.
    `last_active_after`: strictly later than this time.
    `last_active_before`: strictly earlier than this time.
    """

    mfa_enrolled: bool | None = None
    disabled: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    organization_id: str | None = None
    role: str | None = None
    status: Known[UserStatus] | None = None
    email_verified: bool | None = None
    last_active_after: datetime | None = None
    last_active_before: datetime | None = None


class SearchFiltersInput(TypedDict, total=False):
    """The filters of a search. One that is absent or null does not filter.

    `created_after`: strictly later than this time.
    `created_before`: strictly earlier than this time.
    `organization_id`: the id of an organization the user is a member of.
    `role`: the name of the user's role.
    `last_active_after`: strictly later than this time.
    `last_active_before`: strictly earlier than this time.
    """

    mfa_enrolled: bool | None
    disabled: bool | None
    created_after: datetime | str | None
    created_before: datetime | str | None
    organization_id: str | None
    role: str | None
    status: UserStatus | None
    email_verified: bool | None
    last_active_after: datetime | str | None
    last_active_before: datetime | str | None


class SessionImpersonation(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts in the user's place, and why."""

    by: Impersonator
    reason: str | None
    read_only: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `amr` is how the user proved who they are (RFC 8176); `impersonation` is null in the user's own."""

    id: str
    user_id: str
    status: Known[SessionStatus]
    amr: list[str]
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_refreshed_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    revoked_by: str | None
    organization_id: str | None
    impersonated: bool
    impersonation: SessionImpersonation | None
