"""A user as it is stored, as it is shown, and as it is asked for."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.day_counters import DayCounter, day_facet
from hellojohn_server.kit.emails import MAX_CHARACTERS, is_email
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.password_hashes import MAX_TEXT, CostlyPasswordHash, UnknownPasswordHash, parse_password_hash
from hellojohn_server.kit.passwords import MAX_BYTES, MIN_CHARACTERS
from hellojohn_server.kit.routing import checked_by, checked_together
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time
from hellojohn_server.storage.database import Row

MAX_METADATA_BYTES: Final = 16_384
"""The most that each of a user's two metadata objects may take as compact JSON."""

NO_PHONE: Final = FieldError("phone_verified", FieldCode.INVALID, "There is no phone to be verified.")


class PasswordOrigin(StrEnum):
    """What an audit entry says of a password, which is never in it."""

    IMPORTED = "imported"
    NONE = "none"
    SET = "set"


def password_origin(password: str | None, password_hash: str | None) -> PasswordOrigin:
    """Return how a password came, of which one at most is there: itself, or the hash that another system made."""
    if password_hash is not None:
        return PasswordOrigin.IMPORTED
    return PasswordOrigin.NONE if password is None else PasswordOrigin.SET


class User(msgspec.Struct, frozen=True, gc=False):
    """A row of users, without its password hash and its search columns. Times in milliseconds; metadata as JSON text.

    The defaults are a user's who has just been made.
    """

    id: str
    email: str
    email_key: str
    role: str
    created_at: int
    updated_at: int
    email_verified: bool = False
    username: str | None = None
    name: str | None = None
    name_key: str | None = None
    phone: str | None = None
    phone_verified: bool = False
    avatar_url: str | None = None
    external_id: str | None = None
    disabled: bool = False
    disabled_at: int | None = None
    disabled_by: str | None = None
    disabled_reason: str | None = None
    banned_at: int | None = None
    banned_by: str | None = None
    banned_until: int | None = None
    ban_reason: str | None = None
    locked_at: int | None = None
    locked_until: int | None = None
    invited_at: int | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None
    deleted_reason: str | None = None
    password_reset_required: bool = False
    mfa_enrolled: bool = False
    public_metadata: str = "{}"
    private_metadata: str = "{}"
    last_sign_in_at: int | None = None
    last_active_at: int | None = None
    generation: int = 1
    version: int = 1


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


def facets_of(user: User) -> frozenset[str]:
    """Return the counters that count this user: none for one in the recycle bin."""
    if user.deleted_at is not None:
        return frozenset()
    facts = {"disabled": user.disabled, "mfa_enrolled": user.mfa_enrolled, "email_verified": user.email_verified}
    active = [] if user.last_active_at is None else [day_facet(DayCounter.ACTIVE, user.last_active_at)]
    days = [day_facet(DayCounter.CREATED, user.created_at), *active]
    return frozenset({"total", f"role:{user.role}", *days, *(facet for facet, holds in facts.items() if holds)})


class BanBody(msgspec.Struct, frozen=True):
    """A ban that holds. `until` null: without end. `by` is the id of the credential that banned."""

    reason: str | None
    since: Timestamp
    until: Timestamp | None
    by: str | None


class UserBody(msgspec.Struct, frozen=True, gc=False):
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


class ChangedUserBody(UserBody, frozen=True):
    """A user after a change; with `access_stopped` when the change ended the user's access."""

    access_stopped: AccessStopped | UnsetType = UNSET


def body_of(user: User, now_ms: int) -> UserBody:
    """Return what is shown of a user at `now_ms`."""
    return UserBody(*_shown(user, now_ms))


def changed_body_of(user: User, now_ms: int, stopped: AccessStopped | None = None) -> ChangedUserBody:
    """Return what is shown of a user after a change at `now_ms`."""
    return ChangedUserBody(*_shown(user, now_ms, UNSET if stopped is None else stopped))


def _shown(user: User, now_ms: int, *further: Any) -> tuple[Any, ...]:
    """Return the fields of UserBody in their order, and others: given by name they take longer."""
    created_at = format_time(user.created_at)
    ban = _ban_of(user, now_ms)
    return (
        user.id,
        user.email,
        user.email_verified,
        user.username,
        user.name,
        user.phone,
        user.phone_verified,
        user.avatar_url,
        user.external_id,
        user.role,
        status_of(user, now_ms),
        user.disabled,
        user.disabled_reason,
        ban is not None,
        ban,
        format_optional_time(user.locked_until if is_locked(user, now_ms) else None),
        user.mfa_enrolled,
        user.password_reset_required,
        msgspec.json.decode(user.public_metadata),
        msgspec.json.decode(user.private_metadata),
        created_at,
        created_at if user.updated_at == user.created_at else format_time(user.updated_at),
        format_optional_time(user.last_sign_in_at),
        format_optional_time(user.last_active_at),
        user.version,
        *further,
    )


def _ban_of(user: User, now_ms: int) -> BanBody | None:
    if user.banned_at is None or not is_banned(user, now_ms):
        return None
    return BanBody(
        reason=user.ban_reason,
        since=format_time(user.banned_at),
        until=format_optional_time(user.banned_until),
        by=user.banned_by,
    )


class AccessReasonCode(StrEnum):
    """Why a user cannot sign in. docs/users.md says what ends each."""

    BANNED = "banned"
    DELETED = "deleted"
    DISABLED = "disabled"
    LOCKED = "locked"
    PASSWORD_RESET_REQUIRED = "password_reset_required"
    PENDING = "pending"


class AccessReason(msgspec.Struct, frozen=True):
    """One thing that keeps a user from signing in. `until` null: until somebody ends it. `by`: whose act it was."""

    code: AccessReasonCode
    since: Timestamp | None = None
    until: Timestamp | None = None
    by: str | None = None
    reason: str | None = None


class AccessBody(msgspec.Struct, frozen=True):
    """Whether a user can sign in at this moment, and everything that prevents it, the strongest first."""

    can_sign_in: bool
    reasons: list[AccessReason]


def access_of(user: User, now_ms: int) -> AccessBody:
    """Return whether the user can sign in at `now_ms`, and why not."""
    reasons: list[AccessReason] = []

    def add(code: AccessReasonCode, since: int | None, until: int | None, by: str | None, reason: str | None) -> None:
        shown = (format_optional_time(since), format_optional_time(until))
        reasons.append(AccessReason(code, *shown, by, reason))

    if user.deleted_at is not None:
        add(AccessReasonCode.DELETED, user.deleted_at, None, user.deleted_by, user.deleted_reason)
    if is_banned(user, now_ms):
        add(AccessReasonCode.BANNED, user.banned_at, user.banned_until, user.banned_by, user.ban_reason)
    if user.disabled:
        add(AccessReasonCode.DISABLED, user.disabled_at, None, user.disabled_by, user.disabled_reason)
    if is_locked(user, now_ms):
        add(AccessReasonCode.LOCKED, user.locked_at, user.locked_until, None, None)
    if is_pending(user):
        add(AccessReasonCode.PENDING, user.invited_at, None, None, None)
    if user.password_reset_required:
        add(AccessReasonCode.PASSWORD_RESET_REQUIRED, None, None, None, None)
    return AccessBody(can_sign_in=not reasons, reasons=reasons)


def email_fault(text: str) -> str | None:
    """Say what is wrong with an e-mail address."""
    return None if is_email(text) else "Must be an e-mail address, such as name@example.com."


def name_fault(text: str) -> str | None:
    """Say what is wrong with a person's name."""
    if not text.strip():
        return "Must not be blank. Send null for a user without a name."
    if any(unicodedata.category(character) == "Cc" for character in text):
        return "Must not hold control characters."
    return None


def password_fault(text: str) -> str | None:
    """Say what is wrong with a password. Its length in characters is checked by its type."""
    return None if len(text.encode()) <= MAX_BYTES else f"Must be at most {MAX_BYTES} bytes of UTF-8."


def password_hash_fault(text: str) -> str | None:
    """Say what is wrong with a hash that another system made."""
    try:
        parse_password_hash(text)
    except CostlyPasswordHash as limit:
        return f"Checking a password against this hash would take more memory or time than is allowed: {limit}."
    except UnknownPasswordHash:
        return "Must be an argon2, bcrypt, scrypt or PBKDF2 hash in one of the forms of docs/users.md."
    return None


def avatar_url_fault(text: str) -> str | None:
    """Say what is wrong with the address of a picture."""
    wanted = "Must be an absolute http or https URL without spaces."
    if not text.isprintable() or any(character.isspace() for character in text):
        return wanted
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return wanted
    return None if is_sound else wanted


def metadata_fault(metadata: dict[str, Any]) -> str | None:
    """Say what is wrong with a metadata object."""
    size = len(msgspec.json.encode(metadata))
    return None if size <= MAX_METADATA_BYTES else f"Is {size} bytes as JSON; must be at most {MAX_METADATA_BYTES}."


def one_password_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that a password comes with a hash of one."""
    if given["password"] is None or given["password_hash"] is None:
        return None
    return FieldError("password_hash", FieldCode.INVALID, "Send a password or its hash, not both.")


def phone_verified_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that there is no phone to be verified."""
    return NO_PHONE if given["phone"] is None and given["phone_verified"] is True else None


def send_invitation_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that somebody who has a password already is invited to set the first."""
    if given["send_invitation"] is not True or (given["password"] is None and given["password_hash"] is None):
        return None
    message = "An invitation lets the user set the first password. Leave the password out, or send no invitation."
    return FieldError("send_invitation", FieldCode.INVALID, message)


def revoke_sessions_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that nobody is disabled whose sessions could end or rest."""
    revoke, disabled = given["revoke_sessions"], given["disabled"]
    if (revoke is not UNSET and disabled is UNSET) or (revoke is True and disabled is False):
        message = "Goes with disabled: true, and says what becomes of the user's sessions."
        return FieldError("revoke_sessions", FieldCode.INVALID, message)
    return None


Email: TypeAlias = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=MAX_CHARACTERS,
        description="an e-mail address; unique in the tenant, compared without case",
        extra_json_schema={"format": "email"},
        extra=checked_by(email_fault),
    ),
]
Password: TypeAlias = Annotated[
    str,
    Meta(
        min_length=MIN_CHARACTERS,
        max_length=MAX_BYTES,
        description=f"{MIN_CHARACTERS} characters or more, at most {MAX_BYTES} bytes",
        extra=checked_by(password_fault),
    ),
]
PasswordHash: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT,
        description="a hash that another system made: argon2, bcrypt, scrypt or PBKDF2",
        extra=checked_by(password_hash_fault),
    ),
]
Name: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="a name of 1 to 200 characters", extra=checked_by(name_fault)),
]
Username: TypeAlias = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
        description="1 to 64 letters, digits and . _ - with a letter or digit first; unique without case",
    ),
]
Phone: TypeAlias = Annotated[
    str,
    Meta(
        max_length=16,
        pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)",
        description="a phone number in E.164 form, such as +14155552671",
    ),
]
AvatarUrl: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="an http or https URL",
        extra_json_schema={"format": "uri"},
        extra=checked_by(avatar_url_fault),
    ),
]
ExternalId: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=255, description="your own id of the user; unique in the tenant")
]
RoleName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, description="the name of a role")]
Metadata: TypeAlias = Annotated[
    dict[str, Any],
    Meta(description="an object of at most 16 KiB as JSON", extra=checked_by(metadata_fault)),
]
Reason: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="why, for the audit log; at most 500 characters")
]


@checked_together(phone_verified_fault, one_password_fault, send_invitation_fault)
class CreateUserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new user. `password` and `password_hash` exclude each other; without either the user sets a password later.

    `send_invitation` mails the user a link for that, and excludes both.
    """

    email: Email
    password: Password | None = None
    password_hash: PasswordHash | None = None
    name: Name | None = None
    username: Username | None = None
    phone: Phone | None = None
    phone_verified: bool = False
    avatar_url: AvatarUrl | None = None
    external_id: ExternalId | None = None
    role: RoleName = BuiltinRole.MEMBER.value
    email_verified: bool = False
    public_metadata: Metadata = {}
    private_metadata: Metadata = {}
    send_invitation: bool = False


@checked_together(revoke_sessions_fault, phone_verified_fault)
class UpdateUserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is absent stays. Metadata is merged (RFC 7396): null removes a key.

    `revoke_sessions` goes with `disabled`; it is true for a disable that does not say otherwise.
    """

    email: Email | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET
    name: Name | UnsetType | None = UNSET
    username: Username | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    phone_verified: bool | UnsetType = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET
    external_id: ExternalId | UnsetType | None = UNSET
    role: RoleName | UnsetType = UNSET
    public_metadata: Metadata | UnsetType = UNSET
    private_metadata: Metadata | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    revoke_sessions: bool | UnsetType = UNSET
    reason: Reason | None = None
