"""Calls from pages of other origins: CORS, as the Fetch standard has it.

A preflight carries no credential and names no tenant, so what it is told is about the path alone: any origin may try
what visitors' credentials open, and nothing else. Which origins may is the tenant's to say, and is judged when the call
comes, before anything is done. Cookies are in no call (nothing here reads one), so no answer allows credentials.
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol
from urllib.parse import urlsplit

from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.http.answers import Header
from hellojohn_server.http.call import Call
from hellojohn_server.http.errors import OriginNotAllowed
from hellojohn_server.http.routing_table import methods_of
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.principal import CredentialKind, Principal
from hellojohn_server.kit.routing import Route

_VISITORS: Final = frozenset({CredentialKind.ACCESS_TOKEN, CredentialKind.PUBLISHABLE_KEY})
_ORIGIN: Final = re.compile(rb"https?://[a-z0-9.:\[\]_-]{1,255}")
"""What can be an origin that somebody allows. `null`, and the schemes of extensions and apps, never are."""

_LOCAL: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")
_HEADERS: Final = b"Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID, X-Tenant-ID"
_PREFLIGHT_SECONDS: Final = b"7200"


class Origins(Protocol):
    """Tells whose pages may call."""

    async def is_allowed(self, tenant_id: str, origin: str) -> bool: ...


class TenantOrigins:
    """The origins that each tenant allows, read from the store each time.

    Always allowed are our own pages, and pages of the developer's machine where they can do no harm: at a development
    server, and for tenants that are for tests.
    """

    def __init__(
        self, settings: TenantSettingsService, tenants: TenantService, *, public_url: str, is_dev: bool
    ) -> None:
        self._settings = settings
        self._tenants = tenants
        parts = urlsplit(public_url)
        self._own = f"{parts.scheme}://{parts.netloc}".lower()
        self._is_dev = is_dev

    async def is_allowed(self, tenant_id: str, origin: str) -> bool:
        """Say whether pages of `origin` may call for a tenant's visitors."""
        if origin == self._own or origin in await self._settings.get_allowed_origins(tenant_id):
            return True
        if _LOCAL.fullmatch(origin) is None:
            return False
        if self._is_dev:
            return True
        tenant = await self._tenants.get_tenant(tenant_id)
        return tenant is not None and tenant.environment is Environment.TEST


def is_for_browsers(route: Route) -> bool:
    """Say whether an operation is one that pages call: with what every visitor has, or with a user's own token."""
    return not _VISITORS.isdisjoint(route.credentials)


def note_origin(call: Call) -> None:
    """Take note of the origin of a page that calls an operation for browsers, so that it can read the answer.

    That it can read a refusal tells it nothing, and says to its developer what is wrong.
    """
    origin = call.headers.get(b"origin")
    if origin is not None and _ORIGIN.fullmatch(origin) and not call.is_repeated(b"origin"):
        call.origin = origin


async def require_origin(call: Call, principal: Principal, origins: Origins) -> None:
    """Raise OriginNotAllowed if a page calls whose origin the caller's tenant does not allow.

    With what is no visitor's credential nobody asks where the call comes from, and no page reads the answer.
    """
    if b"origin" not in call.headers:
        return
    if principal.kind not in _VISITORS:
        call.origin = None
    elif call.origin is None or not await origins.is_allowed(principal.tenant_id, call.origin.decode()):
        raise OriginNotAllowed


def preflight_headers(call: Call, methods: Iterable[str]) -> list[Header]:
    """Return what a preflight is told whose path takes `methods` from pages; nothing for another method or call."""
    taken = methods_of(methods)
    asked = call.headers.get(b"access-control-request-method")
    if asked is None or asked.decode("latin-1") not in taken:
        return []
    note_origin(call)
    if call.origin is None:
        return []
    return [
        (b"access-control-allow-methods", ", ".join(taken).encode()),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
