"""Passkeys: the ceremonies of Web Authentication (Level 3), as the relying party takes part in them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_PREFERRED: Final = UserVerificationRequirement.PREFERRED
_MAX_HANDLE_BYTES: Final = 64
_UNREADABLE: Final = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError)
"""What comes out of a credential that is nothing of the kind."""


class RelyingParty(msgspec.Struct, frozen=True):
    """Whose passkeys they are: the domain that they are bound to, its name, and the origins that may use them."""

    id: str
    name: str
    origins: tuple[str, ...]


class Passkey(msgspec.Struct, frozen=True):
    """A credential that was registered."""

    credential_id: str
    public_key: bytes
    sign_count: int


class Assertion(msgspec.Struct, frozen=True):
    """A credential that was used: the new count, and how (RFC 8176)."""

    sign_count: int
    amr: tuple[str, ...]


def challenge_of(text: str) -> bytes:
    """Return the WebAuthn challenge that belongs to a secret text: nobody can know it who does not know the text."""
    return hashlib.sha256(b"webauthn " + text.encode()).digest()


def registration_options(
    party: RelyingParty, challenge: bytes, user: tuple[str, str], known: Sequence[str]
) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is given; `user` is id and address, `known` are credentials."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user[0].encode(),
        user_name=user[1],
        challenge=challenge,
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_PREFERRED
        ),
    )
    return options_to_json_dict(options)


def request_options(
    party: RelyingParty, challenge: bytes, known: Sequence[str], *, verified: bool = False
) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is given to have one of the `known` credentials used; none: any.

    With `verified` the authenticator must look who it is.
    """
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED if verified else _PREFERRED,
    )
    return options_to_json_dict(options)


def user_of(credential: Mapping[str, Any]) -> str | None:
    """Return whose a credential says that it is: the id of the user that it was made with; None when it does not."""
    found: Any = credential.get("response")
    handle = cast("Mapping[str, object]", found).get("userHandle") if isinstance(found, Mapping) else None
    if not isinstance(handle, str) or len(handle) > 2 * _MAX_HANDLE_BYTES:
        return None
    try:
        return base64url_to_bytes(handle).decode("ascii")
    except ValueError:
        return None


def verified_passkey(party: RelyingParty, challenge: bytes, credential: Mapping[str, Any]) -> Passkey | None:
    """Return the passkey that an authenticator made for this challenge; None when it did not."""
    try:
        made = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
        )
    except _UNREADABLE:
        return None
    return Passkey(bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count)


def verified_assertion(
    party: RelyingParty, challenge: bytes, credential: Mapping[str, Any], passkey: Passkey, *, verified: bool = False
) -> Assertion | None:
    """Return how a passkey was used for this challenge; None when it was not, or its count did not go up.

    None with `verified` also when the authenticator did not look who it was.
    """
    try:
        used = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=verified,
        )
    except _UNREADABLE:
        return None
    is_synced = used.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    return Assertion(used.new_sign_count, ("swk" if is_synced else "hwk", *(("user",) if used.user_verified else ())))


def _descriptors(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]
