"""The verifiers beside a real server that stands still, or is gone: what is not known is treated as set."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hellojohn.verify import AsyncVerifier, OnStale, VerificationUnavailable
from tests.cli.conftest import Place
from tests.cli.test_beside import made, with_key
from tests.support import PUBLIC_URL, ServerProcess, serve_environment, server_process

PATIENCE_SECONDS = 20
MODES: tuple[OnStale, ...] = ("check_remote", "fail_closed", "fail_open")


class Stand:
    """A real server, a token that is good, and a verifier for each way to treat what is not known."""

    def __init__(self, server: ServerProcess, token: str, verifiers: dict[OnStale, AsyncVerifier]) -> None:
        self.server = server
        self.token = token
        self.verifiers = verifiers

    async def said(self, mode: OnStale) -> str:
        """Return what a verifier says of the token."""
        try:
            await self.verifiers[mode].verify(self.token)
        except VerificationUnavailable:
            return "unavailable"
        return "good"

    async def until_stale(self) -> None:
        """Wait until every verifier has noticed that it knows nothing."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for verifier in self.verifiers.values():
                while not verifier.is_stale:  # noqa: ASYNC110 - a verifier rings no bell
                    await asyncio.sleep(0.01)


@asynccontextmanager
async def stand_of(place: Place) -> AsyncIterator[Stand]:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(server_process(place.directory, place.environ))
        tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
        key = made(place, "keys", "create", "--tenant", tenant, "--name", "back")
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, headers=with_key(key)))
        user = (await client.post("/v1/users", json={"email": "alice@example.com"})).json()
        body = {"user_id": user["id"], "reason": "ticket 7"}
        begun = await client.post("/v1/admin/users/impersonate", json=body)
        verifiers = {
            mode: await stack.enter_async_context(
                AsyncVerifier(
                    tenant_id=tenant, secret_key=key["key"], base_url=server.url, issuer=PUBLIC_URL, on_stale=mode
                )
            )
            for mode in MODES
        }
        for verifier in verifiers.values():
            assert await verifier.wait_until_fresh(PATIENCE_SECONDS)
        yield Stand(server, begun.json()["access_token"], verifiers)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, serve_environment(tmp_path / "data"))


async def test_a_server_that_stands_still_is_noticed(place: Place) -> None:
    async with stand_of(place) as stand:
        assert [await stand.said(mode) for mode in MODES] == ["good"] * 3
        stand.server.process.send_signal(signal.SIGSTOP)
        try:
            await stand.until_stale()
            assert [await stand.said(mode) for mode in MODES] == ["unavailable", "unavailable", "good"]
        finally:
            stand.server.process.send_signal(signal.SIGCONT)
        for verifier in stand.verifiers.values():
            assert await verifier.wait_until_fresh(PATIENCE_SECONDS)
        assert [await stand.said(mode) for mode in MODES] == ["good"] * 3


async def test_a_server_that_is_killed_is_noticed(place: Place) -> None:
    async with stand_of(place) as stand:
        assert [await stand.said(mode) for mode in MODES] == ["good"] * 3
        stand.server.stop(signal.SIGKILL)
        await stand.until_stale()
        assert [await stand.said(mode) for mode in MODES] == ["unavailable", "unavailable", "good"]
