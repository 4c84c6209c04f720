"""A session as it is stored and shown, why it ends, and what ending it answers."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from hellojohn_server.features.tenant_settings.schemas import TenantConfig
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.principal import ActorType
from hellojohn_server.kit.times import END_OF_TIME_MS, Timestamp, duration_seconds, format_optional_time, format_time
from hellojohn_server.storage.database import Row

LONGEST_TOKEN_SECONDS: Final = 86_400
"""The longest that any access token passes: an impersonation's."""


class RevokeCause(StrEnum):
    """What ended a session before its time."""

    API_KEY_REVOKED = "api_key_revoked"
    EMAIL_VERIFIED = "email_verified"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    PASSWORD_RESET_FORCED = "password_reset_forced"
    PASSWORD_SET = "password_set"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    SESSION_LIMIT = "session_limit"
    SESSION_REVOKED = "session_revoked"
    SESSIONS_REVOKED = "sessions_revoked"
    SIGNED_OUT = "signed_out"
    USER_BANNED = "user_banned"
    USER_DELETED = "user_deleted"
    USER_DISABLED = "user_disabled"


class Ending(msgspec.Struct, frozen=True):
    """The act that ends sessions: why, the id of the credential whose act it is, and when, in milliseconds."""

    cause: RevokeCause
    by: str
    at: int


class SessionStatus(StrEnum):
    """What a session is at a moment. An active one of a disabled user rests until the user is enabled."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Session(msgspec.Struct, frozen=True):
    """A row of sessions, without the hashes of its refresh tokens. Times in milliseconds.

    `access_expires_at` is when the last access token made for it stops passing a verifier that checks signatures only.
    `impersonator_*` are of the credential behind an impersonation, None in a session of the user's own.
    `organization_*` are the organization that the user is active in, and as what.
    """

    id: str
    user_id: str
    created_at: int
    expires_at: int
    access_expires_at: int
    amr: tuple[str, ...] = ("pwd",)
    ip_address: str | None = None
    user_agent: str | None = None
    last_refreshed_at: int | None = None
    revoked_at: int | None = None
    revoked_reason: str | None = None
    revoked_by: str | None = None
    impersonator_id: str | None = None
    impersonator_type: str | None = None
    impersonator_name: str | None = None
    impersonator_asserted: str | None = None
    impersonation_reason: str | None = None
    read_only: bool = False
    organization_id: str | None = None
    organization_role: str | None = None

    @property
    def is_impersonation(self) -> bool:
        """Whether somebody else than the user is in it."""
        return self.impersonator_id is not None


_FIELDS: Final = Session.__struct_fields__
_AMR: Final = _FIELDS.index("amr")
_READ_ONLY: Final = _FIELDS.index("read_only")
SESSION_COLUMNS: Final = ", ".join(_FIELDS)
"""The columns of a session in the order of Session. A SELECT may add its own after them."""


def session_columns(alias: str) -> str:
    """Return SESSION_COLUMNS for a statement that calls the table `alias`."""
    return ", ".join(f"{alias}.{name}" for name in _FIELDS)


def session_of(row: Row) -> Session:
    """Return the session in a row that starts with SESSION_COLUMNS."""
    values = list(row[: len(_FIELDS)])
    values[_AMR] = tuple(msgspec.json.decode(values[_AMR], type=list[str]))
    values[_READ_ONLY] = bool(values[_READ_ONLY])
    return Session(*values)


class Terms(msgspec.Struct, frozen=True):
    """How long a tenant's sessions last unless they are refreshed, how long at all, and their access tokens. In ms."""

    idle_ms: int
    lifetime_ms: int
    access_ms: int

    def session_end(self, created_at: int, now_ms: int) -> int:
        """Return when a session that is used at `now_ms` ends, if it is not used again."""
        return min(now_ms + self.idle_ms, created_at + self.lifetime_ms)

    def access_end(self, session_ends_at: int, now_ms: int) -> int:
        """Return when an access token that is made at `now_ms` ends: a whole second, or with the session."""
        return min(now_ms // 1000 * 1000 + self.access_ms, session_ends_at)

    def are_over(self, session: Session, now_ms: int) -> bool:
        """Say whether a session has ended by itself: by its end, or by terms that are shorter than when it was set."""
        used_at = session.created_at if session.last_refreshed_at is None else session.last_refreshed_at
        return min(session.expires_at, session.created_at + self.lifetime_ms, used_at + self.idle_ms) <= now_ms


def terms_of(config: TenantConfig) -> Terms:
    """Return the terms of a tenant's sessions."""
    lifetime = config.sessions.lifetime
    return Terms(
        idle_ms=duration_seconds(config.sessions.idle_time) * 1000,
        lifetime_ms=END_OF_TIME_MS if lifetime is None else duration_seconds(lifetime) * 1000,
        access_ms=duration_seconds(config.tokens.access_token_lifetime) * 1000,
    )


class AccessStopped(msgspec.Struct, frozen=True):
    """What an act on a user ended.

    `residual_seconds` is the longest time that a token already given out still passes a verifier which checks
    signatures only; our own endpoints and followers of the revocation feed refuse it at once.
    """

    sessions_revoked: int
    residual_seconds: int


class ImpersonatorBody(msgspec.Struct, frozen=True):
    """The credential behind an impersonation, and what it said of the person behind itself: shown, never trusted."""

    id: str
    type: ActorType
    name: str | None
    asserted: str | None


class SessionImpersonationBody(msgspec.Struct, frozen=True):
    """Who acts in the user's place, and why."""

    by: ImpersonatorBody
    reason: str | None
    read_only: bool


class SessionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `amr` is how the user proved who they are (RFC 8176); `impersonation` is null in the user's own."""

    id: str
    user_id: str
    status: SessionStatus
    amr: list[str]
    ip_address: str | None
    user_agent: str | None
    created_at: Timestamp
    last_refreshed_at: Timestamp | None
    expires_at: Timestamp
    revoked_at: Timestamp | None
    revoked_reason: str | None
    revoked_by: str | None
    organization_id: str | None
    impersonated: bool
    impersonation: SessionImpersonationBody | None


class SessionListBody(msgspec.Struct, frozen=True):
    """Sessions, newest first."""

    data: list[SessionBody]
    pagination: Pagination


class ListSessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which sessions, and which page of them. Without a status: the active ones."""

    limit: Limit = 20
    cursor: Cursor | None = None
    user_id: str | None = None
    status: SessionStatus = SessionStatus.ACTIVE
    impersonated: bool | None = None


def residual_seconds(access_expires_at: Iterable[int], now_ms: int) -> int:
    """Return the seconds until the last of these moments, rounded up; 0 when all have passed or there is none."""
    return max(0, -(-(max(access_expires_at, default=now_ms) - now_ms) // 1000))


def status_of(session: Session, now_ms: int) -> SessionStatus:
    """Return what the session is at `now_ms`."""
    if session.revoked_at is not None:
        return SessionStatus.REVOKED
    return SessionStatus.ACTIVE if session.expires_at > now_ms else SessionStatus.EXPIRED


def session_body(session: Session, now_ms: int) -> SessionBody:
    """Return what is shown of a session at `now_ms`."""
    return SessionBody(
        id=session.id,
        user_id=session.user_id,
        status=status_of(session, now_ms),
        amr=list(session.amr),
        ip_address=session.ip_address,
        user_agent=session.user_agent,
        created_at=format_time(session.created_at),
        last_refreshed_at=format_optional_time(session.last_refreshed_at),
        expires_at=format_time(session.expires_at),
        revoked_at=format_optional_time(session.revoked_at),
        revoked_reason=session.revoked_reason,
        revoked_by=session.revoked_by,
        organization_id=session.organization_id,
        impersonated=session.is_impersonation,
        impersonation=_impersonation_of(session),
    )


def _impersonation_of(session: Session) -> SessionImpersonationBody | None:
    if session.impersonator_id is None or session.impersonator_type is None:
        return None
    by = ImpersonatorBody(
        session.impersonator_id,
        ActorType(session.impersonator_type),
        session.impersonator_name,
        session.impersonator_asserted,
    )
    return SessionImpersonationBody(by, session.impersonation_reason, session.read_only)
