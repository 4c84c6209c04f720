"""Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037, `alg` EdDSA), with the key's id as `kid`.

`iss` is the public URL, `aud` the tenant, `sub` the user, `sid` the session, `gen` the user's generation when the token
was made. In an impersonation `act` (RFC 8693 section 4.1) names the credential behind it. Whether a token has expired,
and whether its session still stands, is for the caller to judge, by its own clock and store.
"""

from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_TOKEN_LENGTH: Final = 4096
_ALGORITHM: Final = "EdDSA"
_JWS: Final = jwt.PyJWS(algorithms=[_ALGORITHM])


class ActClaim(msgspec.Struct, frozen=True):
    """The `act` claim: who acts in the user's place."""

    sub: str


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an access token says, by the names of its claims. `iat` and `exp` are seconds since the epoch."""

    iss: str
    aud: str
    sub: str
    sid: str
    tenant_id: str
    role: str
    email: str
    amr: tuple[str, ...]
    gen: int
    iat: int
    exp: int
    jti: str
    org_id: str | None = None
    org_role: str | None = None
    act: ActClaim | None = None
    impersonated: bool = False
    read_only: bool = False


def enrollment_audience(tenant_id: str) -> str:
    """Return the `aud` of a token that only enrols: whoever checks for the tenant refuses it, unaware of this."""
    return f"{tenant_id}:mfa_enrollment"


class InvalidAccessToken(Exception):
    """The text is no access token that the given key signed for this issuer."""


def sign_token(claims: AccessClaims, kid: str, key: Ed25519PrivateKey) -> str:
    """Return the token. The same claims and key give the same token (Ed25519 is deterministic)."""
    return _JWS.encode(msgspec.json.encode(claims), key, algorithm=_ALGORITHM, headers={"kid": kid})


def kid_of(token: str) -> str | None:
    """Return the id of the key that `token` says it is signed with; None when it is no token of this kind."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        header: dict[str, Any] = _JWS.get_unverified_header(token)
    except jwt.PyJWTError:
        return None
    kid = header.get("kid")
    return kid if isinstance(kid, str) and header.get("alg") == _ALGORITHM else None


def verify_token(token: str, key: Ed25519PublicKey, issuer: str) -> AccessClaims:
    """Return what `token` says; InvalidAccessToken unless `key` signed it and `issuer` made it for the tenant named."""
    try:
        payload: bytes = _JWS.decode(token, key, algorithms=[_ALGORITHM])
        claims = msgspec.json.decode(payload, type=AccessClaims)
    except (jwt.PyJWTError, msgspec.DecodeError, ValueError) as error:
        raise InvalidAccessToken from error
    if claims.iss != issuer or claims.aud not in {claims.tenant_id, enrollment_audience(claims.tenant_id)}:
        raise InvalidAccessToken
    return claims
