"""Keycloak's users, as its export of a realm writes them: an array `users`, in the realm's file or in its own."""

from typing import Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.hashes import keycloak_hash
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

_PASSWORD: Final = "password"
_UPDATE_PASSWORD: Final = "UPDATE_PASSWORD"


class Credential(msgspec.Struct, gc=False):
    """A password, or something else that a user proves to be one by."""

    type: str | None = None
    secretData: str | None = None  # noqa: N815 - as it is written there
    credentialData: str | None = None  # noqa: N815 - as it is written there


class KeycloakUser(msgspec.Struct, kw_only=True, gc=False, rename="camel"):
    """A user of Keycloak."""

    id: str | None = None
    username: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    first_name: str | None = None
    last_name: str | None = None
    enabled: bool | None = None
    created_timestamp: int | None = None
    attributes: dict[str, list[str]] | None = None
    credentials: list[Credential] | None = None
    required_actions: list[str] | None = None
    realm_roles: list[str] | None = None
    client_roles: dict[str, list[str]] | None = None
    groups: list[str] | None = None
    federated_identities: list[Json] | None = None
    service_account_client_id: str | None = None


def _to_user(row: KeycloakUser, faults: Faults) -> FileUser:
    if row.service_account_client_id:
        message = "Is of a service account, which is no person."
        faults.append(FieldError("serviceAccountClientId", FieldCode.INVALID, message))
    attributes = row.attributes or {}
    apart = {
        "attributes": attributes,
        "groups": row.groups,
        "realm_roles": row.realm_roles,
        "client_roles": row.client_roles,
        "federated_identities": row.federated_identities,
    }
    phone = phone_or_none(_first(attributes, "phoneNumber"))
    is_same = row.username is not None and row.username.casefold() == (row.email or "").casefold()
    return FileUser(
        email=row.email or None,
        email_verified=bool(row.email_verified),
        username=None if is_same else text_or_none(row.username),
        name=joined_name(row.first_name, row.last_name),
        phone=phone,
        phone_verified=phone is not None and _first(attributes, "phoneNumberVerified") == "true",
        avatar_url=_first(attributes, "picture"),
        external_id=text_or_none(row.id),
        disabled=row.enabled is False,
        disabled_reason="Disabled in Keycloak" if row.enabled is False else None,
        password_hash=_password_hash(row, faults),
        password_reset_required=_UPDATE_PASSWORD in (row.required_actions or ()),
        private_metadata=kept_apart("keycloak", apart),
        created_at=time_of("createdTimestamp", row.created_timestamp, faults),
    )


def _first(attributes: dict[str, list[str]], name: str) -> str | None:
    return next((text for text in attributes.get(name, ()) if text.strip()), None)


def _password_hash(row: KeycloakUser, faults: Faults) -> str | None:
    password = next((one for one in row.credentials or () if one.type == _PASSWORD), None)
    if password is None:
        return None
    try:
        return keycloak_hash(password.credentialData or "", password.secretData or "")
    except ValueError as error:
        faults.append(FieldError("credentials", FieldCode.INVALID, str(error)))
        return None


KEYCLOAK: Final = Source(
    KeycloakUser,
    _to_user,
    names={
        "email_verified": "emailVerified",
        "name": "firstName",
        "phone": "attributes.phoneNumber",
        "avatar_url": "attributes.picture",
        "external_id": "id",
        "password_hash": "credentials",
        "private_metadata": "attributes",
        "created_at": "createdTimestamp",
    },
)
