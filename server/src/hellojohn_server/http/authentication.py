"""Who is calling: the credential of a request, whom it stands for, and whether that may enter an operation."""

import re
from typing import Final, Protocol

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.keys.errors import invalid_key
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.http.call import Call
from hellojohn_server.kit.addresses import Network, parse_address
from hellojohn_server.kit.api_keys import claimed_kind, parse_key
from hellojohn_server.kit.errors import (
    AddressNotAllowed,
    CredentialNotAllowed,
    ImpersonationForbidden,
    InvalidToken,
    MfaEnrollmentRequired,
    MissingToken,
    TenantMismatch,
)
from hellojohn_server.kit.principal import CredentialKind, Principal
from hellojohn_server.kit.routing import Impersonation, Method, Route

_TOKEN_START: Final = "eyJ"
"""The start of every JSON Web Token: {" in base64url."""
_BEARER: Final = re.compile(rb"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_MASTER: Final = CredentialKind.MASTER_KEY
_SECRET: Final = CredentialKind.SECRET_KEY


class Authenticator(Protocol):
    """Tells whom a credential stands for."""

    async def authenticate(self, credential: str) -> Principal:
        """Return the caller; an Unauthenticated leaf, or TenantSuspended, when there is none."""
        ...


class StoreAuthenticator:
    """Authenticates API keys and access tokens.

    The store is read each time, so that what was revoked is refused from the next request on.
    """

    def __init__(self, keys: KeyService, access_tokens: AccessTokenService) -> None:
        self._keys = keys
        self._access_tokens = access_tokens

    async def authenticate(self, credential: str) -> Principal:
        """Return whom a credential stands for. What is not even the form of one never reaches the store."""
        parsed = parse_key(credential)
        if parsed is not None:
            return await self._keys.authenticate(parsed)
        kind = claimed_kind(credential)
        if kind is not None:
            raise invalid_key(kind)
        if not credential.startswith(_TOKEN_START):
            raise InvalidToken
        return await self._access_tokens.authenticate(credential)


def credential_of(call: Call) -> str:
    """Return the text of the bearer token (RFC 6750 section 2.1). MissingToken, InvalidToken."""
    header = call.headers.get(b"authorization")
    if header is None:
        raise MissingToken
    if call.is_repeated(b"authorization"):
        raise InvalidToken("The Authorization header was sent more than once.")
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        raise InvalidToken("The Authorization header must be `Bearer <key>`.")
    return bearer.group(1).decode()


def admit(call: Call, route: Route, principal: Principal) -> None:
    """Raise unless `principal` may enter `route` from where it comes.

    Judged are the address, whether the route is open to an impersonation if it is one, the kind of credential, the
    tenant that the request names, and the base scope. A master key has no tenant: X-Tenant-ID is ignored with it.
    """
    require_address(call, principal)
    if principal.is_impersonating and not _is_open_to_impersonation(route, principal):
        raise ImpersonationForbidden
    if principal.kind not in route.credentials:
        raise CredentialNotAllowed(_wanted(route))
    if principal.session is not None and principal.session.must_enroll and not route.enrolling:
        raise MfaEnrollmentRequired
    named = call.headers.get(b"x-tenant-id")
    if (
        named is not None
        and principal.kind is not _MASTER
        and (named != principal.tenant_id.encode() or call.is_repeated(b"x-tenant-id"))
    ):
        raise TenantMismatch
    if route.scope is not None and principal.kind is _SECRET:
        principal.require(route.scope)


def require_address(call: Call, principal: Principal) -> None:
    """Raise AddressNotAllowed if the credential may not be used from where the request comes."""
    if principal.allowed_networks and not _is_within(call.client_address, principal.allowed_networks):
        raise AddressNotAllowed


def _is_within(address: str | None, networks: tuple[Network, ...]) -> bool:
    parsed = None if address is None else parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def _is_open_to_impersonation(route: Route, principal: Principal) -> bool:
    match route.impersonation:
        case Impersonation.ALWAYS:
            return True
        case Impersonation.ALLOWED:
            return route.method is Method.GET or principal.session is None or not principal.session.read_only
        case Impersonation.REFUSED:
            return False


def _wanted(route: Route) -> str:
    kinds = " or ".join(sorted(f"a {kind.value.replace('_', ' ')}" for kind in route.credentials))
    return f"This kind of credential does not open this operation. It takes {kinds.replace('a access', 'an access')}."
