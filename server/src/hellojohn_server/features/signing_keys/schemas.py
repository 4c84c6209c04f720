"""A signing key as it is stored, and the documents that verifiers read."""

import base64
from typing import Literal

import msgspec


class SigningKey(msgspec.Struct, frozen=True):
    """A row of signing_keys. Times in milliseconds; keys are raw Ed25519 keys of 32 bytes, the private one sealed.

    It signs from `signs_from` until the next one does. Tokens made with it pass until `ends_at`; None: no next one yet.
    """

    id: str
    public_key: bytes
    sealed_private_key: bytes
    created_at: int
    signs_from: int
    ends_at: int | None


class JsonWebKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key (RFC 7517, RFC 8037). `kid` is in the header of each token that it verifies."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"
    kid: str
    x: str


class JsonWebKeySet(msgspec.Struct, frozen=True):
    """Every key that an access token may be signed with now, and the next one if there is one already."""

    keys: list[JsonWebKey]


def json_web_key(key: SigningKey) -> JsonWebKey:
    """Return what is published of a key."""
    return JsonWebKey(kid=key.id, x=base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode())
