"""A served app with one of everything in it, for walking through every operation that its document names."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import httpx
import msgspec

from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.http.router import Services
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.mail import Mail
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.storage.database import Database
from tests.support import EVERYTHING, RunningApp, running_app

AGENT: Final = "walk/1"
ADDRESS: Final = "127.0.0.1"
EVERY_SCOPE: Final = EVERYTHING


class World(msgspec.Struct, frozen=True, kw_only=True):
    """The app, a master key, a tenant, and keys of it: one that may do everything, and a publishable one."""

    client: httpx.AsyncClient
    running: RunningApp
    services: Services
    tenant_id: str
    master_key: str
    master_key_id: str
    secret_key: str
    secret_key_id: str
    publishable_key: str = ""
    publishable_key_id: str = ""

    async def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a request with the tenant's secret key, or `key`."""
        sent = {"Authorization": f"Bearer {key or self.secret_key}", **headers}
        return await self.client.request(method, path, json=body, headers=sent)

    async def make(self, path: str, body: Any, *, key: str | None = None) -> dict[str, Any]:
        """Create something and return it."""
        answer = await self.send("POST", path, body, key=key)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def mails(self) -> Sequence[Mail]:
        """Send what is due, and return every mail that was sent, oldest first."""
        return await self.running.mails()

    async def entries(self, tenant_id: str) -> list[AuditEntryBody]:
        """Return a tenant's (or the control store's) entries, the oldest first."""
        page = await self.services.audit.list_entries(tenant_id, ListAuditQuery(limit=200))
        return page.rows[::-1]


@asynccontextmanager
async def walked_world(
    database: Database, clock: Clock, environ: Mapping[str, str] | None = None
) -> AsyncGenerator[World]:
    """Serve an app over `database` in this process, with a tenant and a key that may do everything.

    `environ` are further HELLOJOHN_* settings.
    """
    async with running_app(database, clock, environ=environ) as running:
        running.headers["User-Agent"] = AGENT
        yield await _furnish(running)


async def _furnish(client: RunningApp) -> World:
    services = client.services
    master = await services.keys.create_master_key(cli_context("req_walk", CONTROL_TENANT_ID), "walk master")
    bare = World(
        client=client,
        running=client,
        services=services,
        tenant_id="",
        master_key=master.key,
        master_key_id=master.api_key.id,
        secret_key=master.key,
        secret_key_id="",
    )
    return await another_tenant(bare, "Walk")


async def another_tenant(world: World, name: str = "Other") -> World:
    """Return the world of a further tenant of the same app."""
    tenant = await world.make("/v1/tenants", {"name": name}, key=world.master_key)
    keys = f"/v1/tenants/{tenant['id']}/api-keys"
    secret = {"name": "walk", "type": "secret", "scopes": EVERY_SCOPE}
    key = await world.make(keys, secret, key=world.master_key)
    publishable = await world.make(keys, {"name": "walk front", "type": "publishable"}, key=world.master_key)
    return msgspec.structs.replace(
        world,
        tenant_id=tenant["id"],
        secret_key=key["key"],
        secret_key_id=key["id"],
        publishable_key=publishable["key"],
        publishable_key_id=publishable["id"],
    )


async def operations_of(world: World) -> list[tuple[str, str]]:
    """Return every operation of the served document with its method."""
    document = (await world.client.get("/openapi.json")).json()
    return [
        (operation["operationId"], method)
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in {"delete", "get", "patch", "post", "put"}
    ]


async def send(world: World, call: "Sendable", *, key: str | None = None, **headers: str) -> httpx.Response:
    """Send an act's request with the credential it is for, or with `key`."""
    own = world.master_key if call.by_master else call.credential or world.secret_key
    return await world.send(call.method, call.path, call.body, key=key or own, **headers)


class Sendable(Protocol):
    """What `send` needs of a call."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def body(self) -> Any: ...
    @property
    def by_master(self) -> bool: ...
    @property
    def credential(self) -> str | None: ...
