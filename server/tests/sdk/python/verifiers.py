"""Both verifiers in one form, and tokens for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from hellojohn.verify import AsyncVerifier, Verified, Verifier
from hellojohn_server.kit.tokens import AccessClaims
from tests.sdk.typescript.recorder import Site
from tests.support import PUBLIC_URL
from tests.walk.world import World

KINDS = ("threads", "event loop")


class Judge(Protocol):
    """A verifier of either kind."""

    @property
    def is_stale(self) -> bool: ...
    async def verify(self, token: str) -> Verified: ...
    async def wait_until_fresh(self) -> bool: ...


class _Threaded:
    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    @property
    def is_stale(self) -> bool:
        return self._verifier.is_stale

    async def verify(self, token: str) -> Verified:
        return await asyncio.to_thread(self._verifier.verify, token)

    async def wait_until_fresh(self) -> bool:
        return await asyncio.to_thread(self._verifier.wait_until_fresh)


@asynccontextmanager
async def judge(kind: str, **options: Any) -> AsyncGenerator[Judge]:
    """Have a verifier of a kind for as long as the block runs."""
    if kind == "threads":
        with Verifier(**options) as verifier:
            yield _Threaded(verifier)
        if verifier._thread is not None:
            await asyncio.to_thread(verifier._thread.join, 10)
            assert not verifier._thread.is_alive()
        return
    async with AsyncVerifier(**options) as verifier:
        yield verifier


def options_of(site: Site, **further: Any) -> dict[str, Any]:
    """Return what a verifier of the site's tenant is told."""
    world = site.world
    told = {"tenant_id": world.tenant_id, "secret_key": world.secret_key, "base_url": site.url, "issuer": PUBLIC_URL}
    return told | further


async def signed_up(world: World, address: str = "v@example.com") -> dict[str, Any]:
    """Sign a user up and return the answer."""
    body = {"email": address, "password": "a long password"}
    return await world.make("/v1/auth/sign-up", body, key=world.publishable_key)


async def impersonated(world: World, user_id: str, **further: Any) -> str:
    """Return a token of an impersonation."""
    body = {"user_id": user_id, "reason": "to look", **further}
    answer = await world.send("POST", "/v1/admin/users/impersonate", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def signed(world: World, claims: AccessClaims, **changed: Any) -> str:
    """Return a token that the server signed, with claims that it would not make."""
    return await world.services.signing_keys.sign(msgspec.structs.replace(claims, **changed))
