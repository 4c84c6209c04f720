"""Our own files: a user as the API shows it, on a line or in a record, and a password's hash beside it."""

from typing import Any, Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.users import Faults, FileUser, Json, Source, flag_of, text_or_none, time_of

_DELETED: Final = "deleted"


class Ban(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A ban that holds, as the API shows it."""

    reason: str | None = None
    since: str | None = None
    until: str | None = None
    by: str | None = None


class OwnUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A user of ours. What follows from the rest, such as the status, is read over."""

    id: str | None = None
    email: str | None = None
    email_verified: bool | str | None = None
    username: str | None = None
    name: str | None = None
    phone: str | None = None
    phone_verified: bool | str | None = None
    avatar_url: str | None = None
    external_id: str | None = None
    role: str | None = None
    status: str | None = None
    disabled: bool | str | None = None
    disabled_reason: str | None = None
    banned: bool | str | None = None
    ban: Ban | None = None
    locked_until: Any = None
    mfa_enrolled: Any = None
    password_hash: str | None = None
    password_reset_required: bool | str | None = None
    public_metadata: Json | None = None
    private_metadata: Json | None = None
    created_at: str | None = None
    updated_at: str | None = None
    last_sign_in_at: str | None = None
    last_active_at: str | None = None
    version: Any = None


_FLAGS: Final = tuple(name for name in OwnUser.__struct_fields__ if FileUser.__annotations__.get(name) is bool)


def _to_user(row: OwnUser, faults: Faults) -> FileUser:
    if row.status == _DELETED:
        faults.append(FieldError("status", FieldCode.INVALID, "The user was in the recycle bin."))
    ban = row.ban
    flags = {name: flag_of(name, getattr(row, name), faults) for name in _FLAGS}
    flags["banned"] = flags["banned"] or ban is not None
    return FileUser(
        id=text_or_none(row.id),
        email=row.email or None,
        username=row.username or None,
        name=row.name or None,
        phone=row.phone or None,
        avatar_url=row.avatar_url or None,
        external_id=row.external_id or None,
        role=row.role or None,
        disabled_reason=row.disabled_reason or None,
        banned_at=None if ban is None else time_of("ban.since", ban.since, faults),
        banned_until=None if ban is None else time_of("ban.until", ban.until, faults),
        ban_reason=None if ban is None else ban.reason or None,
        password_hash=row.password_hash or None,
        public_metadata=row.public_metadata,
        private_metadata=row.private_metadata,
        created_at=time_of("created_at", row.created_at, faults),
        updated_at=time_of("updated_at", row.updated_at, faults),
        last_sign_in_at=time_of("last_sign_in_at", row.last_sign_in_at, faults),
        last_active_at=time_of("last_active_at", row.last_active_at, faults),
        **flags,
    )


OWN: Final = Source(OwnUser, _to_user, json_columns=frozenset({"ban", "public_metadata", "private_metadata"}))
