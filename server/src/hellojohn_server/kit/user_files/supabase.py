"""Supabase's users: the table auth.users, as CSV or as a JSON object on each line."""

from typing import Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.users import (
    Faults,
    FileUser,
    Json,
    Source,
    flag_of,
    kept_apart,
    phone_or_none,
    text_or_none,
    time_of,
)


class SupabaseUser(msgspec.Struct, kw_only=True, gc=False):
    """A row of auth.users, without its tokens."""

    id: str | None = None
    email: str | None = None
    encrypted_password: str | None = None
    email_confirmed_at: str | None = None
    confirmed_at: str | None = None
    invited_at: str | None = None
    last_sign_in_at: str | None = None
    raw_app_meta_data: Json | None = None
    raw_user_meta_data: Json | None = None
    created_at: str | None = None
    updated_at: str | None = None
    phone: str | None = None
    phone_confirmed_at: str | None = None
    banned_until: str | None = None
    is_sso_user: bool | str | None = None
    deleted_at: str | None = None


def _to_user(row: SupabaseUser, faults: Faults) -> FileUser:
    if row.deleted_at:
        faults.append(FieldError("deleted_at", FieldCode.INVALID, "The user was deleted there."))
    given = row.raw_user_meta_data or {}
    banned_until = time_of("banned_until", row.banned_until, faults)
    apart = {"is_sso_user": flag_of("is_sso_user", row.is_sso_user, faults) or None}
    return FileUser(
        email=row.email or None,
        email_verified=bool(row.email_confirmed_at or row.confirmed_at) and bool(row.email),
        name=_text(given, "full_name", "name"),
        phone=phone_or_none(row.phone) or row.phone or None,
        phone_verified=bool(row.phone and row.phone_confirmed_at),
        avatar_url=_text(given, "avatar_url", "picture"),
        external_id=text_or_none(row.id),
        banned=banned_until is not None,
        banned_until=banned_until,
        ban_reason="Banned in Supabase" if banned_until is not None else None,
        password_hash=row.encrypted_password or None,
        public_metadata=row.raw_user_meta_data,
        private_metadata=kept_apart("supabase", apart, row.raw_app_meta_data),
        created_at=time_of("created_at", row.created_at, faults),
        updated_at=time_of("updated_at", row.updated_at, faults),
        last_sign_in_at=time_of("last_sign_in_at", row.last_sign_in_at, faults),
    )


def _text(values: Json, *names: str) -> str | None:
    return next((text for name in names if isinstance(text := values.get(name), str) and text.strip()), None)


SUPABASE: Final = Source(
    SupabaseUser,
    _to_user,
    json_columns=frozenset({"raw_app_meta_data", "raw_user_meta_data"}),
    names={
        "name": "raw_user_meta_data",
        "avatar_url": "raw_user_meta_data",
        "external_id": "id",
        "password_hash": "encrypted_password",
        "public_metadata": "raw_user_meta_data",
        "private_metadata": "raw_app_meta_data",
    },
)
