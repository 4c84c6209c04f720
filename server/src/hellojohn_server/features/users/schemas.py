"""A user as it is stored, as it is shown, and as it is asked for."""

from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time
from hellojohn_server.storage.database import Row


class User(msgspec.Struct, frozen=True):
    """A row of users, without its password hash and its search columns. Times in milliseconds; metadata as JSON text."""

    id: str
    email: str
    email_key: str
    email_verified: bool
    username: str | None
    name: str | None
    name_key: str | None
    phone: str | None
    phone_verified: bool
    avatar_url: str | None
    external_id: str | None
    role: str
    disabled: bool
    disabled_at: int | None
    disabled_by: str | None
    disabled_reason: str | None
    banned_at: int | None
    banned_by: str | None
    banned_until: int | None
    ban_reason: str | None
    locked_at: int | None
    locked_until: int | None
    invited_at: int | None
    deleted_at: int | None
    deleted_by: str | None
    deleted_reason: str | None
    password_reset_required: bool
    mfa_enrolled: bool
    public_metadata: str
    private_metadata: str
    created_at: int
    updated_at: int
    last_sign_in_at: int | None
    last_active_at: int | None
    generation: int
    version: int


_FIELDS: Final = User.__struct_fields__
_BOOLEANS: Final = tuple(index for index, name in enumerate(_FIELDS) if User.__annotations__[name] is bool)
USER_COLUMNS: Final = ", ".join(_FIELDS)
"""The columns of a user in the order of User. A SELECT may add its own after them."""


def user_columns(alias: str) -> str:
    """Return USER_COLUMNS for a statement that calls the table `alias`."""
    return ", ".join(f"{alias}.{name}" for name in _FIELDS)


def user_of(row: Row) -> User:
    """Return the user in a row that starts with USER_COLUMNS."""
    values = list(row[: len(_FIELDS)])
    for index in _BOOLEANS:
        values[index] = bool(values[index])
    return User(*values)


class UserStatus(StrEnum):
    """What a user is, derived from independent facts; the strongest that holds wins, in this order."""

    DELETED = "deleted"
    BANNED = "banned"
    DISABLED = "disabled"
    LOCKED = "locked"
    PENDING = "pending"
    ACTIVE = "active"


def is_banned(user: User, now_ms: int) -> bool:
    """Say whether a ban holds at `now_ms`: it ends by itself."""
    return user.banned_at is not None and (user.banned_until is None or user.banned_until > now_ms)


def is_locked(user: User, now_ms: int) -> bool:
    """Say whether a lock by failed sign-ins holds at `now_ms`: it ends by itself."""
    return user.locked_until is not None and user.locked_until > now_ms


def is_pending(user: User) -> bool:
    """Say whether the user was invited and has never signed in."""
    return user.invited_at is not None and user.last_sign_in_at is None


def status_of(user: User, now_ms: int) -> UserStatus:
    """Return the status at `now_ms`."""
    if user.deleted_at is not None:
        return UserStatus.DELETED
    if is_banned(user, now_ms):
        return UserStatus.BANNED
    if user.disabled:
        return UserStatus.DISABLED
    if is_locked(user, now_ms):
        return UserStatus.LOCKED
    return UserStatus.PENDING if is_pending(user) else UserStatus.ACTIVE


class BanBody(msgspec.Struct, frozen=True):
    """A ban that holds. `until` null: without end. `by` is the id of the credential that banned."""

    reason: str | None
    since: Timestamp
    until: Timestamp | None
    by: str | None


class UserBody(msgspec.Struct, frozen=True, kw_only=True):
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
    status: UserStatus
    disabled: bool
    disabled_reason: str | None
    banned: bool
    ban: BanBody | None
    locked_until: Timestamp | None
    mfa_enrolled: bool
    password_reset_required: bool
    public_metadata: dict[str, Any]
    private_metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    last_sign_in_at: Timestamp | None
    last_active_at: Timestamp | None
    version: int


class ChangedUserBody(UserBody, frozen=True, kw_only=True):
    """A user after a change; with `access_stopped` when the change ended the user's access."""

    access_stopped: AccessStopped | UnsetType = UNSET


def body_of(user: User, now_ms: int) -> UserBody:
    """Return what is shown of a user at `now_ms`."""
    return UserBody(**_shown(user, now_ms))


def changed_body_of(user: User, now_ms: int, stopped: AccessStopped | None = None) -> ChangedUserBody:
    """Return what is shown of a user after a change at `now_ms`."""
    return ChangedUserBody(**_shown(user, now_ms), access_stopped=UNSET if stopped is None else stopped)


def _shown(user: User, now_ms: int) -> dict[str, Any]:
    ban = _ban_of(user, now_ms)
    return {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "username": user.username,
        "name": user.name,
        "phone": user.phone,
        "phone_verified": user.phone_verified,
        "avatar_url": user.avatar_url,
        "external_id": user.external_id,
        "role": user.role,
        "status": status_of(user, now_ms),
        "disabled": user.disabled,
        "disabled_reason": user.disabled_reason,
        "banned": ban is not None,
        "ban": ban,
        "locked_until": format_optional_time(user.locked_until if is_locked(user, now_ms) else None),
        "mfa_enrolled": user.mfa_enrolled,
        "password_reset_required": user.password_reset_required,
        "public_metadata": msgspec.json.decode(user.public_metadata),
        "private_metadata": msgspec.json.decode(user.private_metadata),
        "created_at": format_time(user.created_at),
        "updated_at": format_time(user.updated_at),
        "last_sign_in_at": format_optional_time(user.last_sign_in_at),
        "last_active_at": format_optional_time(user.last_active_at),
        "version": user.version,
    }


def _ban_of(user: User, now_ms: int) -> BanBody | None:
    if user.banned_at is None or not is_banned(user, now_ms):
        return None
    return BanBody(
        reason=user.ban_reason,
        since=format_time(user.banned_at),
        until=format_optional_time(user.banned_until),
        by=user.banned_by,
    )
