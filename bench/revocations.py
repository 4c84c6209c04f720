"""How long a verifier still accepts a token after the answer of the act that stopped its access, over real HTTP.

    make bench-revocations                                          # prints PASS or FAIL: p99.9 of at most a second
    python -m bench.revocations --store sqlite --acts 40 --verifiers 4 --quiet-verdict

Three servers on one PostgreSQL, one on the embedded store, which takes no second; verifiers of the Python SDK, each
following one of the servers in turn, and asked about the token every ten milliseconds before, during and after each
act. An act is sent to one of the servers in turn: disable, ban, revoke the session, revoke the key of an impersonation.
What is measured is from when the answer is read to when the last check that any verifier accepted had begun; nothing
when none was accepted after it. Verifiers that know nothing accept (`fail_open`), so that only the feed can refuse.

HELLOJOHN_DATABASE_URL names the PostgreSQL server: a database is made there and dropped again.
"""

import argparse
import asyncio
import base64
import math
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2
import msgspec

from bench.served.processes import serving
from hellojohn.verify import AsyncVerifier, InvalidToken
from hellojohn_server.app import open_tools
from hellojohn_server.config import Settings
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.setting_values import DatabaseUrl, EncryptionKey, PublicUrl

WANTED_SECONDS: Final = 1.0
ACTS: Final = ("disable", "ban", "revoke session", "revoke key")
_ISSUER: Final = "http://127.0.0.1:3000"
_EVERY_SECONDS: Final = 0.01
_REFUSALS: Final = 3
"""So many checks in a row that are refused end the measurement of an act."""
_PATIENCE_SECONDS: Final = 30.0
_SERVERS: Final = {"sqlite": 1, "postgres": 3}
_URL_VARIABLE: Final = "HELLOJOHN_DATABASE_URL"


class Target(msgspec.Struct, frozen=True):
    """Somebody whose access is to be stopped: who, in which session, with which token, made by which key."""

    user_id: str
    session_id: str
    token: str
    key_id: str


class Watch:
    """One verifier that is asked about the token of the moment again and again."""

    def __init__(self, verifier: AsyncVerifier) -> None:
        self.verifier = verifier
        self._token: str | None = None
        self._accepted_at = 0.0
        self._has_accepted = asyncio.Event()
        self._has_refused = asyncio.Event()

    def look_at(self, token: str) -> None:
        """Ask about another token from now on."""
        self._token, self._accepted_at = token, 0.0
        self._has_accepted.clear()
        self._has_refused.clear()

    async def accepted(self) -> None:
        """Wait until it accepts the token."""
        await asyncio.wait_for(self._has_accepted.wait(), _PATIENCE_SECONDS)

    async def refused(self) -> float:
        """Wait until it refuses the token, and return when the last check began that did not."""
        await asyncio.wait_for(self._has_refused.wait(), _PATIENCE_SECONDS)
        return self._accepted_at

    async def run(self) -> None:
        """Ask every ten milliseconds, until it is cancelled."""
        refusals = 0
        while True:
            token, began = self._token, time.perf_counter()
            if token is not None:
                refusals = 0 if await self._accepts(token) else refusals + 1
                if token is self._token and not refusals:
                    self._accepted_at = began
                    self._has_accepted.set()
                elif token is self._token and refusals >= _REFUSALS and self._has_accepted.is_set():
                    self._has_refused.set()
            await asyncio.sleep(max(_EVERY_SECONDS - (time.perf_counter() - began), 0))

    async def _accepts(self, token: str) -> bool:
        try:
            await self.verifier.verify(token)
        except InvalidToken:
            return False
        return True


class Site(msgspec.Struct, frozen=True):
    """A tenant on running servers, and the key that acts in it."""

    tenant_id: str
    key: str
    urls: Sequence[str]


class Measured(msgspec.Struct, frozen=True):
    """How long after its answer each act was over, in seconds, by the kind of act."""

    seconds: dict[str, list[float]]

    @property
    def every(self) -> list[float]:
        """Those of all kinds, in order of size."""
        return sorted(one for kind in self.seconds.values() for one in kind)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least value that at least this share of them does not exceed."""
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


@asynccontextmanager
async def a_site(store: str, directory: Path, url: str | None) -> AsyncGenerator[Site]:
    """Make a tenant in an empty store and run the servers on it until the block ends."""
    key = EncryptionKey(base64.b64encode(os.urandom(32)).decode())
    settings = Settings(
        data_dir=directory / "data",
        database_url=None if url is None else DatabaseUrl(url),
        encryption_key=key,
        public_url=PublicUrl(_ISSUER),
        rate_limit_enabled=False,
    )
    async with open_tools(settings) as tools:
        tenant = await tools.tenants.create_tenant(tools.context(), CreateTenantBody(name="Bench"))
        body = CreateKeyBody(name="bench", type=TenantKeyType.SECRET, scopes=["*"])
        made = await tools.keys.create_key(tools.context(tenant.id), tenant.id, body)
    async with AsyncExitStack() as stack:
        ports = [
            stack.enter_context(serving(settings, directory / f"server-{number}.log"))
            for number in range(_SERVERS[store])
        ]
        yield Site(tenant.id, made.key, [f"http://127.0.0.1:{port}" for port in ports])


@asynccontextmanager
async def a_database() -> AsyncGenerator[str]:
    """Make a database beside the one that HELLOJOHN_DATABASE_URL names, and drop it at the end."""
    beside = os.environ[_URL_VARIABLE]
    server, _, name = beside.rpartition("/")
    own = f"{name}_revocations_{os.getpid()}"
    connection: asyncpg.Connection = await asyncpg.connect(beside)
    try:
        await connection.execute(f'CREATE DATABASE "{own}" TEMPLATE template0')
        yield f"{server}/{own}"
    finally:
        await connection.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')
        await connection.close()


class Acting:
    """Sends the requests of one tenant, each to the next of its servers."""

    def __init__(self, site: Site, http: httpx2.AsyncClient) -> None:
        self._site = site
        self._http = http
        self._turn = count()

    async def send(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """Return the body of the answer. RuntimeError when it is refused."""
        url = self._site.urls[next(self._turn) % len(self._site.urls)]
        headers = {"Authorization": f"Bearer {key or self._site.key}"}
        answer = await self._http.request(method, url + path, json=body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def prepare(self, act: str, number: int) -> Target:
        """Make a user and a token for it: of an impersonation, whose sign-in takes no second of hashing."""
        key_id, key = "", self._site.key
        if act == "revoke key":
            made = await self.send("POST", "/v1/api-keys", {"name": "desk", "type": "secret", "scopes": ["*"]})
            key_id, key = made["id"], made["key"]
        user = await self.send("POST", "/v1/users", {"email": f"user{number}@example.com"})
        body = {"user_id": user["id"], "reason": "measured", "expires_in": "1h"}
        begun = await self.send("POST", "/v1/admin/users/impersonate", body, key)
        return Target(user["id"], begun["session_id"], begun["access_token"], key_id)

    async def stop(self, act: str, target: Target) -> float:
        """Stop the access of a target, and return when the answer was read."""
        match act:
            case "disable":
                await self.send("PATCH", f"/v1/users/{target.user_id}", {"disabled": True})
            case "ban":
                await self.send("POST", f"/v1/users/{target.user_id}/ban", {"reason": "measured"})
            case "revoke session":
                await self.send("DELETE", f"/v1/sessions/{target.session_id}")
            case _:
                await self.send("DELETE", f"/v1/api-keys/{target.key_id}")
        return time.perf_counter()


async def measure(site: Site, acts: int, verifiers: int) -> Measured:
    """Stop the access of so many targets one after the other, while so many verifiers are asked about each."""
    async with AsyncExitStack() as stack:
        watches: list[Watch] = []
        for number in range(verifiers):
            url = site.urls[number % len(site.urls)]
            verifier = AsyncVerifier(
                tenant_id=site.tenant_id, secret_key=site.key, base_url=url, issuer=_ISSUER, on_stale="fail_open"
            )
            watches.append(Watch(await stack.enter_async_context(verifier)))
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=_PATIENCE_SECONDS))
        acting = Acting(site, http)
        kinds = [ACTS[number % len(ACTS)] for number in range(acts)]
        targets = [await acting.prepare(kind, number) for number, kind in enumerate(kinds)]
        if not all([await watch.verifier.wait_until_fresh(_PATIENCE_SECONDS) for watch in watches]):
            raise RuntimeError("a verifier does not follow the feed")
        running = [asyncio.create_task(watch.run()) for watch in watches]
        try:
            return await _one_after_the_other(acting, watches, kinds, targets)
        finally:
            for task in running:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*running)


async def _one_after_the_other(
    acting: Acting, watches: Sequence[Watch], kinds: Sequence[str], targets: Sequence[Target]
) -> Measured:
    seconds: dict[str, list[float]] = {}
    for kind, target in zip(kinds, targets, strict=True):
        for watch in watches:
            watch.look_at(target.token)
        await asyncio.gather(*(watch.accepted() for watch in watches))
        answered_at = await acting.stop(kind, target)
        last = max(await asyncio.gather(*(watch.refused() for watch in watches)))
        seconds.setdefault(kind, []).append(max(last - answered_at, 0.0))
    return Measured(seconds)


def show(store: str, measured: Measured) -> float:
    """Print the figures of a store, and return the p99.9 of all."""
    for kind, taken in [*measured.seconds.items(), ("all", measured.every)]:
        ordered = sorted(taken)
        figures = {f"p{share * 100:g}": quantile(ordered, share) for share in (0.5, 0.99, 0.999)}
        told = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in {**figures, "max": ordered[-1]}.items())
        sys.stdout.write(f"{store:9}{kind:15}{len(ordered):6,} acts   {told}\n")
    sys.stdout.flush()
    return quantile(measured.every, 0.999)


async def run(options: argparse.Namespace) -> bool:
    """Measure what was asked for; say whether all is as wanted."""
    passes = True
    for store in [options.store] if options.store else list(_SERVERS):
        async with AsyncExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.directory)))
            url = await stack.enter_async_context(a_database()) if store == "postgres" else None
            site = await stack.enter_async_context(a_site(store, directory, url))
            servers = f"{len(site.urls)} server{'s' if len(site.urls) > 1 else ''}"
            sys.stdout.write(f"{store:9}{servers}, {options.verifiers} verifiers asked every 10 ms\n")
            last = show(store, await measure(site, options.acts, options.verifiers))
        if not options.quiet_verdict:
            verdict = "PASS" if last <= WANTED_SECONDS else "FAIL"
            sys.stdout.write(f"{store}: p99.9 {last * 1000:.0f} ms, wanted at most 1,000 ms: {verdict}\n")
        passes = passes and last <= WANTED_SECONDS
    return passes or options.quiet_verdict


def main() -> int:
    """Print the figures; return 1 when they are not what is wanted."""
    parser = argparse.ArgumentParser(description="How long verifiers accept what was stopped.")
    parser.add_argument("--store", choices=list(_SERVERS), help="by default both")
    parser.add_argument("--acts", type=int, default=2_000, help="acts on each store")
    parser.add_argument("--verifiers", type=int, default=20, help="verifiers that follow the feed")
    parser.add_argument("--directory", type=Path, help="a directory on the disk")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    return 0 if asyncio.run(run(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
