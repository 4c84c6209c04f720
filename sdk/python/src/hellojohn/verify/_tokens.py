"""What an access token says, and whether it says so rightly (RFC 7519, RFC 8037)."""

from datetime import UTC, datetime
from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hellojohn.errors import HelloJohnError

INVALID: Final = "invalid_token"
EXPIRED: Final = "token_expired"
REVOKED: Final = "token_revoked"
_ALGORITHM: Final = "EdDSA"
_MAX_LENGTH: Final = 8192
_JWS: Final = jwt.PyJWS(algorithms=[_ALGORITHM])


class InvalidToken(HelloJohnError):
    """A token that is not good. `code` is `invalid_token`, `token_expired`, `token_revoked`, or one of the API's."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class VerificationUnavailable(HelloJohnError):
    """Whether the token is good cannot be said now: the keys, or what was revoked, could not be fetched."""


class Actor(msgspec.Struct, frozen=True):
    """The `act` claim (RFC 8693 section 4.1)."""

    sub: str


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of an access token. `iat` and `exp` are seconds since the epoch."""

    iss: str
    aud: str
    sub: str
    sid: str
    tenant_id: str
    role: str
    email: str
    gen: int
    iat: int
    exp: int
    jti: str
    amr: tuple[str, ...] = ()
    org_id: str | None = None
    org_role: str | None = None
    act: Actor | None = None
    impersonated: bool = False
    read_only: bool = False


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """Who a good token stands for. In an impersonation `actor` is the id of the credential that acts for the user.

    `role`, `email` and the place in an organization are what was so when the token was made. `claims` is all it says.
    """

    user_id: str
    session_id: str
    tenant_id: str
    role: str
    email: str
    amr: tuple[str, ...]
    org_id: str | None
    org_role: str | None
    is_impersonated: bool
    actor: str | None
    read_only: bool
    issued_at: datetime
    expires_at: datetime
    claims: Claims


class Expected(msgspec.Struct, frozen=True):
    """What every token must say: who made it, and for which tenant."""

    issuer: str
    tenant_id: str


def kid_of(token: str) -> str:
    """Return the id of the key that a token says it is signed with. InvalidToken when it is no token of this kind."""
    if len(token) > _MAX_LENGTH:
        raise InvalidToken(INVALID, "The token is too long.")
    try:
        header: dict[str, Any] = _JWS.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise InvalidToken(INVALID, "This is no token.") from error
    kid = header.get("kid")
    if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
        raise InvalidToken(INVALID, "The token is not signed as access tokens are.")
    return kid


def claims_of(token: str, key: Ed25519PublicKey, expected: Expected, now: float) -> Claims:
    """Return what a token says. InvalidToken unless `key` signed it, for this issuer and tenant, and it is in time."""
    try:
        payload: bytes = _JWS.decode(token, key, algorithms=[_ALGORITHM])
        claims = msgspec.json.decode(payload, type=Claims)
    except (jwt.PyJWTError, msgspec.DecodeError, ValueError) as error:
        raise InvalidToken(INVALID, "The signature or the content of the token is not good.") from error
    if claims.iss != expected.issuer:
        raise InvalidToken(INVALID, "The token is of another issuer.")
    if claims.aud != expected.tenant_id or claims.tenant_id != expected.tenant_id:
        raise InvalidToken(INVALID, "The token is for another audience.")
    if claims.exp <= now:
        raise InvalidToken(EXPIRED, "The token has expired.")
    return claims


def verified_of(claims: Claims) -> Verified:
    """Return who claims stand for."""
    return Verified(
        user_id=claims.sub,
        session_id=claims.sid,
        tenant_id=claims.tenant_id,
        role=claims.role,
        email=claims.email,
        amr=claims.amr,
        org_id=claims.org_id,
        org_role=claims.org_role,
        is_impersonated=claims.impersonated or claims.act is not None,
        actor=None if claims.act is None else claims.act.sub,
        read_only=claims.read_only,
        issued_at=datetime.fromtimestamp(claims.iat, UTC),
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
        claims=claims,
    )
