"""Auth0's users: the export job's lines, the array that its bulk import takes, and its export of password hashes."""

from typing import Any, Final, cast

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.hashes import Auth0Hash, auth0_hash
from hellojohn_server.kit.user_files.users import (
    Faults,
    FileUser,
    Json,
    Source,
    joined_name,
    kept_apart,
    phone_or_none,
    text_or_none,
    time_of,
)


class Auth0User(msgspec.Struct, kw_only=True, gc=False):
    """A user of Auth0. `passwordHash` and `_id` are in its export of password hashes."""

    user_id: str | None = None
    oid: Json | None = msgspec.field(name="_id", default=None)
    email: str | None = None
    email_verified: bool | None = None
    username: str | None = None
    name: str | None = None
    nickname: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    picture: str | None = None
    phone_number: str | None = None
    phone_verified: bool | None = None
    blocked: bool | None = None
    created_at: Any = None
    updated_at: Any = None
    last_login: Any = None
    logins_count: int | None = None
    identities: list[Json] | None = None
    user_metadata: Json | None = None
    app_metadata: Json | None = None
    password_hash: str | None = None
    hash_of_export: str | None = msgspec.field(name="passwordHash", default=None)
    custom_password_hash: Auth0Hash | None = None


def _to_user(row: Auth0User, faults: Faults) -> FileUser:
    apart = {
        "nickname": row.nickname,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "logins_count": row.logins_count,
        "identities": row.identities,
    }
    phone = phone_or_none(row.phone_number)
    name = text_or_none(row.name) or joined_name(row.given_name, row.family_name)
    return FileUser(
        email=row.email,
        email_verified=bool(row.email_verified),
        username=text_or_none(row.username),
        name=None if name == row.email else name,
        phone=phone or row.phone_number or None,
        phone_verified=bool(row.phone_verified) and phone is not None,
        avatar_url=text_or_none(row.picture),
        external_id=_external_id(row),
        disabled=bool(row.blocked),
        disabled_reason="Blocked in Auth0" if row.blocked else None,
        password_hash=_password_hash(row, faults),
        public_metadata=row.user_metadata,
        private_metadata=kept_apart("auth0", apart, row.app_metadata),
        created_at=_time("created_at", row.created_at, faults),
        updated_at=_time("updated_at", row.updated_at, faults),
        last_sign_in_at=_time("last_login", row.last_login, faults),
    )


def _external_id(row: Auth0User) -> str | None:
    """Return the user's id. The export of hashes has it without the name of the kind of connection before it."""
    if row.user_id is not None or row.oid is None:
        return row.user_id
    oid = row.oid.get("$oid")
    return f"auth0|{oid}" if isinstance(oid, str) else None


def _password_hash(row: Auth0User, faults: Faults) -> str | None:
    given = [name for name in ("password_hash", "hash_of_export", "custom_password_hash") if getattr(row, name)]
    if len(given) > 1:
        faults.append(FieldError("custom_password_hash", FieldCode.INVALID, "Excludes password_hash."))
        return None
    if row.custom_password_hash is None:
        return row.password_hash or row.hash_of_export or None
    try:
        return auth0_hash(row.custom_password_hash)
    except ValueError as error:
        faults.append(FieldError("custom_password_hash", FieldCode.INVALID, str(error)))
        return None


def _time(field: str, value: Any, faults: Faults) -> int | None:
    """Return a time, which the export of hashes has as {"$date": ...}."""
    if isinstance(value, dict):
        value = cast("Json", value).get("$date")
    if value is not None and not isinstance(value, str | int | float):
        faults.append(FieldError(field, FieldCode.WRONG_TYPE, "Must be a time."))
        return None
    return time_of(field, value, faults)


AUTH0: Final = Source(
    Auth0User,
    _to_user,
    json_columns=frozenset({"_id", "identities", "user_metadata", "app_metadata", "custom_password_hash"}),
    names={
        "avatar_url": "picture",
        "phone": "phone_number",
        "external_id": "user_id",
        "disabled": "blocked",
        "last_sign_in_at": "last_login",
        "public_metadata": "user_metadata",
        "private_metadata": "app_metadata",
    },
)
