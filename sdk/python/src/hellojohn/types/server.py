"""The types of `server`."""

from typing import Literal

import msgspec

from hellojohn._known import Known


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process lives."""

    status: Known[Literal["ok"]] = "ok"


class JsonWebKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key (RFC 7517, RFC 8037). `kid` is in the header of each token that it verifies."""

    kty: Known[Literal["OKP"]] = "OKP"
    crv: Known[Literal["Ed25519"]] = "Ed25519"
    alg: Known[Literal["EdDSA"]] = "EdDSA"
    use: Known[Literal["sig"]] = "sig"
    kid: str
    x: str


class JsonWebKeySet(msgspec.Struct, frozen=True, kw_only=True):
    """Every key that an access token may be signed with now, and the next one if there is one already."""

    keys: list[JsonWebKey]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The process can work."""

    status: Known[Literal["ready"]] = "ready"
