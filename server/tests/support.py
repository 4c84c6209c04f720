"""What scenario tests stand on: the whole app in this process, and `hj` as a process of its own."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from hellojohn_server.config import load_settings
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.http.application import build_app
from hellojohn_server.http.router import Services
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.mail import Mail, Mailbox
from hellojohn_server.kit.passwords import Cost, PasswordHasher
from hellojohn_server.kit.principal import Context, cli_context
from hellojohn_server.storage.database import Database
from hellojohn_server.wiring import build_services, http_settings

ENCRYPTION_KEY: Final = base64.b64encode(bytes(range(32))).decode()
PUBLIC_URL: Final = "http://localhost:3000"
EVERYTHING: Final = ("*", "admins:manage")
CHEAP: Final = Cost(memory_kib=8, passes=1)
"""What a password's hash costs in the app of this process; kit/ has the tests of the real cost."""
HJ: Final = Path(sys.executable).with_name("hj")
_DEADLINE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.02


class RunningApp(httpx.AsyncClient):
    """A client of the app in this process, with what a test needs around it.

    `services` are the app's own. Requests are sent as any httpx client sends them; `call` adds the key.
    """

    services: Services
    mailbox: Mailbox

    async def mails(self) -> Sequence[Mail]:
        """Send every mail that was queued in this process and is due, and return all that were sent, oldest first."""
        for tenant_id in await self.services.bell.wait(0):
            due = self.services.clock.now_ms()
            while due is not None and due <= self.services.clock.now_ms():
                due = (await self.services.emails.deliver(tenant_id)).next_at
        return self.mailbox.mails

    def context(self, tenant_id: str = CONTROL_TENANT_ID) -> Context:
        """Return the context of an act of the host's own commands."""
        return cli_context(self.services.ids.new(IdPrefix.REQUEST), tenant_id)

    async def make_tenant(self, name: str = "Acme", environment: Environment = Environment.LIVE) -> str:
        """Make a tenant and return its id."""
        body = CreateTenantBody(name=name, environment=environment)
        return (await self.services.tenants.create_tenant(self.context(), body)).id

    async def make_key(
        self,
        tenant_id: str,
        *scopes: str,
        key_type: TenantKeyType = TenantKeyType.SECRET,
        expires_in: str | None = None,
    ) -> str:
        """Make a key of a tenant and return it; a secret one may do everything unless scopes are given."""
        grants = None if key_type is TenantKeyType.PUBLISHABLE else list(scopes or EVERYTHING)
        body = CreateKeyBody(name="test", type=key_type, scopes=grants, expires_in=expires_in)
        return (await self.services.keys.create_key(self.context(tenant_id), tenant_id, body)).key

    async def make_master_key(self) -> str:
        """Make a master key and return it."""
        return (await self.services.keys.create_master_key(self.context(), "test")).key

    async def call(
        self, key: str | None, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request with `key` (None: without any) and, unless it is None, `body` as JSON."""
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        return await self.request(method, path, content=content, headers=sent)


@asynccontextmanager
async def running_app(
    database: Database,
    clock: Clock,
    ids: IdFactory | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    with_mail: bool = True,
) -> AsyncGenerator[RunningApp]:
    """Serve the app over `database` in this process. `environ` are further HELLOJOHN_* settings.

    Unless they say otherwise it has no rate limits: most tests call more often than people do.
    Its mails are kept in `mailbox`, unless it cannot send any (`with_mail` false), as without SMTP settings.
    """
    settings = load_settings(
        {
            "HELLOJOHN_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "HELLOJOHN_PUBLIC_URL": PUBLIC_URL,
            "HELLOJOHN_SIGN_IN_FLOOR_MS": "0",
            "HELLOJOHN_RATE_LIMIT_ENABLED": "false",
            **(environ or {}),
        }
    )
    mailbox = Mailbox()
    passwords = PasswordHasher(cost=CHEAP)
    transport = mailbox if with_mail else None
    services = build_services(database, settings, clock, ids=ids, passwords=passwords, transport=transport)
    app = build_app(services, http_settings(settings))
    asgi = httpx.ASGITransport(app=app)  # type: ignore[arg-type] - httpx types ASGI apps more narrowly
    async with RunningApp(transport=asgi, base_url=PUBLIC_URL) as running:
        running.services = services
        running.mailbox = mailbox
        try:
            yield running
        finally:
            await services.revocation_feed.stop()


class HjFailed(Exception):
    """A process that should have come up did not. The message is what it printed."""


class ServerProcess:
    """A running `hj serve` or `hj dev`."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self.output = output
        self.url = ""

    def printed(self) -> str:
        """Return everything that it has printed so far."""
        return self.output.read_text(encoding="utf-8")

    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines that it has printed so far."""
        return [json.loads(line) for line in self.printed().split("\n")[:-1] if line.startswith("{")]

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """Return a client of it, with `key` on every request."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=_DEADLINE_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to it (to no other process), wait until it has ended, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(_DEADLINE_SECONDS)


def hj_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these HELLOJOHN_* settings and no others.

    Python keeps what it compiled, also where it is told not to: a fifth of each start would be compiling again.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HELLOJOHN_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {f"HELLOJOHN_{name}": text for name, text in settings.items()}


def serve_environment(data_dir: Path, database_url: str | None = None, **settings: str) -> dict[str, str]:
    """Return the environment of a production server, and of commands beside it. It has no rate limits either."""
    place = {} if database_url is None else {"DATABASE_URL": database_url}
    given = {"DATA_DIR": str(data_dir), "ENCRYPTION_KEY": ENCRYPTION_KEY, "PUBLIC_URL": PUBLIC_URL, **place}
    given |= {"RATE_LIMIT_ENABLED": "false", **settings}
    return hj_environment(**given)


def run_hj(*arguments: str, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run one `hj` command to its end, as a process without a terminal."""
    return subprocess.run(
        [str(HJ), *arguments], env=dict(environ), capture_output=True, text=True, timeout=_DEADLINE_SECONDS, check=False
    )


@contextmanager
def server_process(
    directory: Path, environ: Mapping[str, str], arguments: Sequence[str] = ("serve", "--port", "0")
) -> Generator[ServerProcess]:
    """Run `hj serve` (or what `arguments` say) on a free loopback port until the block ends; HjFailed if it ends first.

    What it prints goes to a file in `directory`. It is ready when the block begins.
    """
    output = directory / f"hj-{time.monotonic_ns()}.log"
    with output.open("wb") as sink:
        process = subprocess.Popen([str(HJ), *arguments], env=dict(environ), stdout=sink, stderr=sink)
    server = ServerProcess(process, output)
    try:
        server.url = _address_of(server)
        yield server
    finally:
        try:
            server.stop()
        finally:
            process.kill()
            process.wait(_DEADLINE_SECONDS)


def _address_of(server: ServerProcess) -> str:
    """Wait until the server answers, and return its address."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        for line in server.lines():
            if line["event"] == "listening" and _answers(line["address"]):
                return str(line["address"])
        time.sleep(_POLL_SECONDS)
    raise HjFailed(server.printed())


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=1).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
