"""Firebase's users, as `firebase auth:export` writes them: JSON with an array `users`, or CSV without a header."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.hashes import FirebaseHashing, firebase_hash
from hellojohn_server.kit.user_files.users import (
    Faults,
    FileUser,
    Json,
    Source,
    flag_of,
    kept_apart,
    object_of,
    phone_or_none,
    text_or_none,
    time_of,
)

_PROVIDERS: Final = ("google", "facebook", "twitter", "github")
_OF_PROVIDER: Final = ("id", "email", "displayName", "photoUrl")
COLUMNS: Final = (
    *("localId", "email", "emailVerified", "passwordHash", "salt", "displayName", "photoUrl"),
    *(f"{provider}.{field}" for provider in _PROVIDERS for field in _OF_PROVIDER),
    *("createdAt", "lastSignedInAt", "phoneNumber", "disabled", "customAttributes"),
)
"""What the columns of the CSV form are: it has no header of its own."""


class FirebaseUser(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """A user of Firebase."""

    local_id: str | None = None
    email: str | None = None
    email_verified: bool | str | None = None
    password_hash: str | None = None
    salt: str | None = None
    display_name: str | None = None
    photo_url: str | None = None
    created_at: str | int | None = None
    last_signed_in_at: str | int | None = None
    phone_number: str | None = None
    disabled: bool | str | None = None
    custom_attributes: str | Json | None = None
    provider_user_info: list[Json] | None = None
    google: str | None = msgspec.field(name="google.id", default=None)
    facebook: str | None = msgspec.field(name="facebook.id", default=None)
    twitter: str | None = msgspec.field(name="twitter.id", default=None)
    github: str | None = msgspec.field(name="github.id", default=None)


def _to_user(hashing: FirebaseHashing | None, row: FirebaseUser, faults: Faults) -> FileUser:
    columns = [{"providerId": f"{name}.com", "rawId": getattr(row, name)} for name in _PROVIDERS if getattr(row, name)]
    apart = {
        "custom_claims": object_of("customAttributes", row.custom_attributes, faults),
        "providers": row.provider_user_info or columns,
    }
    is_disabled = flag_of("disabled", row.disabled, faults)
    return FileUser(
        email=row.email or None,
        email_verified=flag_of("emailVerified", row.email_verified, faults),
        name=text_or_none(row.display_name),
        phone=phone_or_none(row.phone_number) or row.phone_number or None,
        # Nobody has a phone number there without having answered to a message to it.
        phone_verified=bool(row.phone_number),
        avatar_url=text_or_none(row.photo_url),
        external_id=text_or_none(row.local_id),
        disabled=is_disabled,
        disabled_reason="Disabled in Firebase" if is_disabled else None,
        password_hash=_password_hash(hashing, row, faults),
        private_metadata=kept_apart("firebase", apart),
        created_at=time_of("createdAt", row.created_at, faults),
        last_sign_in_at=time_of("lastSignedInAt", row.last_signed_in_at, faults),
    )


def _password_hash(hashing: FirebaseHashing | None, row: FirebaseUser, faults: Faults) -> str | None:
    if not row.password_hash:
        return None
    if hashing is None:
        message = "Can be checked with the project's signer key only: give firebase_signer_key with the file."
        faults.append(FieldError("passwordHash", FieldCode.REQUIRED, message))
        return None
    if not row.salt:
        faults.append(FieldError("salt", FieldCode.REQUIRED, "Belongs to every passwordHash."))
        return None
    return firebase_hash(hashing, row.password_hash, row.salt)


NAMES: Final[Mapping[str, str]] = {
    "name": "displayName",
    "phone": "phoneNumber",
    "avatar_url": "photoUrl",
    "external_id": "localId",
    "password_hash": "passwordHash",
    "private_metadata": "customAttributes",
    "created_at": "createdAt",
    "last_sign_in_at": "lastSignedInAt",
}


def firebase(hashing: FirebaseHashing | None) -> Source[FirebaseUser]:
    """Return the format of a project whose passwords are hashed so; None: rows with a password are refused."""
    return Source(FirebaseUser, partial(_to_user, hashing), names=NAMES)
