"""Clerk's users: the dashboard's CSV, which alone has the passwords, the CLI's JSON, and the Backend API's own."""

import re
from typing import Any, Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.hashes import clerk_hash
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

_BETWEEN: Final = re.compile(r"[\s,;|]+")


class Verification(msgspec.Struct, frozen=True, gc=False):
    status: str | None = None


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """An address or a phone number of the Backend API."""

    id: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    verification: Verification | None = None


class ClerkUser(msgspec.Struct, kw_only=True, gc=False):
    """A user of Clerk, in any of the three forms."""

    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    primary_email_address: str | None = None
    verified_email_addresses: str | list[str] | None = None
    unverified_email_addresses: str | list[str] | None = None
    primary_phone_number: str | None = None
    verified_phone_numbers: str | list[str] | None = None
    unverified_phone_numbers: str | list[str] | None = None
    email_addresses: list[Identifier] | None = None
    primary_email_address_id: str | None = None
    phone_numbers: list[Identifier] | None = None
    primary_phone_number_id: str | None = None
    external_id: str | None = None
    image_url: str | None = None
    has_image: bool | None = None
    banned: bool | None = None
    password_digest: str | None = None
    password_hasher: str | None = None
    public_metadata: Json | None = None
    private_metadata: Json | None = None
    unsafe_metadata: Json | None = None
    created_at: str | int | float | None = None
    updated_at: str | int | float | None = None
    last_sign_in_at: str | int | float | None = None
    last_active_at: str | int | float | None = None
    legal_accepted_at: Any = None


def _to_user(row: ClerkUser, faults: Faults) -> FileUser:
    emails = _listed(row.verified_email_addresses), _listed(row.unverified_email_addresses)
    phones = _listed(row.verified_phone_numbers), _listed(row.unverified_phone_numbers)
    if row.email_addresses is not None:
        emails = _split(row.email_addresses, row.primary_email_address_id, "email_address")
    if row.phone_numbers is not None:
        phones = _split(row.phone_numbers, row.primary_phone_number_id, "phone_number")
    email, is_verified = _leading(row.primary_email_address, *emails)
    phone, is_phone_verified = _leading(row.primary_phone_number, *phones)
    others = [one for one in (*emails[0], *emails[1]) if one != email]
    apart = {
        "external_id": row.external_id,
        "unsafe_metadata": row.unsafe_metadata,
        "other_email_addresses": others,
        "legal_accepted_at": row.legal_accepted_at,
    }
    return FileUser(
        email=email,
        email_verified=is_verified,
        username=text_or_none(row.username),
        name=joined_name(row.first_name, row.last_name),
        phone=phone_or_none(phone) or phone,
        phone_verified=is_phone_verified,
        avatar_url=None if row.has_image is False else text_or_none(row.image_url),
        external_id=text_or_none(row.id),
        banned=bool(row.banned),
        ban_reason="Banned in Clerk" if row.banned else None,
        password_hash=_password_hash(row, faults),
        public_metadata=row.public_metadata,
        private_metadata=kept_apart("clerk", apart, row.private_metadata),
        created_at=time_of("created_at", row.created_at, faults),
        updated_at=time_of("updated_at", row.updated_at, faults),
        last_sign_in_at=time_of("last_sign_in_at", row.last_sign_in_at, faults),
        last_active_at=time_of("last_active_at", row.last_active_at, faults),
    )


def _password_hash(row: ClerkUser, faults: Faults) -> str | None:
    if not row.password_digest:
        return None
    try:
        return clerk_hash(text_or_none(row.password_hasher), row.password_digest)
    except ValueError as error:
        faults.append(FieldError("password_digest", FieldCode.INVALID, str(error)))
        return None


def _listed(value: str | list[str] | None) -> list[str]:
    """Return several addresses in one column, or a list of them."""
    if value is None:
        return []
    return value if isinstance(value, list) else [one for one in _BETWEEN.split(value) if one]


def _split(found: list[Identifier], primary: str | None, field: str) -> tuple[list[str], list[str]]:
    """Return the verified and the other ones of the Backend API, the primary one first."""
    verified: list[str] = []
    others: list[str] = []
    for one in sorted(found, key=lambda each: each.id != primary or primary is None):
        value = getattr(one, field)
        is_verified = one.verification is not None and one.verification.status == "verified"
        if value:
            (verified if is_verified else others).append(value)
    first = next((getattr(one, field) for one in found if primary is not None and one.id == primary), None)
    if first in others:
        return [], [first, *verified, *(other for other in others if other != first)]
    return verified, others


def _leading(primary: str | None, verified: list[str], others: list[str]) -> tuple[str | None, bool]:
    """Return which one is the user's, and whether it is verified. An unverified primary one is listed as such."""
    if primary and not primary.isspace():
        return primary.strip(), primary.strip() not in others
    if verified:
        return verified[0], True
    return (others[0], False) if others else (None, False)


CLERK: Final = Source(
    ClerkUser,
    _to_user,
    json_columns=frozenset({"public_metadata", "private_metadata", "unsafe_metadata"}),
    names={
        "email": "primary_email_address",
        "name": "first_name",
        "phone": "primary_phone_number",
        "avatar_url": "image_url",
        "external_id": "id",
        "password_hash": "password_digest",
    },
)
