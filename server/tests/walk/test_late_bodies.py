"""A body that comes long after its head: the key is judged again, and nobody waits for ever."""

import asyncio
from typing import Any, Final

import httpx
import msgspec
import pytest

from hellojohn_server.http import operations
from hellojohn_server.http.application import build_app
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.walk.world import World

BODY: Final = msgspec.json.encode({"email": "late@example.com"})

TIE_KEY: Final = Statement(
    "UPDATE api_keys SET allowed_ips = :allowed_ips WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING
)


class LateRequest:
    """POST /v1/users whose body comes in two parts, the second when it is let go."""

    def __init__(self, world: World, key: str) -> None:
        self._app: Any = build_app(world.services, HttpSettings(body_seconds=world_body_seconds))
        self._parts = [BODY[:1], BODY[1:]]
        self._let_go = asyncio.Event()
        self.waiting = asyncio.Event()
        self._headers = [
            (b"host", b"localhost"),
            (b"authorization", b"Bearer " + key.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(BODY)),
        ]
        self._sent: list[dict[str, Any]] = []

    def let_go(self) -> None:
        self._let_go.set()

    async def send(self) -> tuple[int, dict[str, Any]]:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/v1/users", "raw_path": b"/v1/users", "root_path": "", "query_string": b"",
            "headers": self._headers, "client": ("127.0.0.1", 1), "server": ("localhost", 3000), "state": {},
            "app": self._app,
        }  # fmt: skip
        await self._app(scope, self._receive, self._take)
        body = b"".join(message.get("body", b"") for message in self._sent[1:])
        return self._sent[0]["status"], msgspec.json.decode(body)

    async def _receive(self) -> dict[str, Any]:
        if len(self._parts) == 1:
            self.waiting.set()
            await self._let_go.wait()
        return {"type": "http.request", "body": self._parts.pop(0), "more_body": bool(self._parts)}

    async def _take(self, message: dict[str, Any]) -> None:
        self._sent.append(message)


world_body_seconds: Final = 20.0


@pytest.fixture(autouse=True)
def _every_wait_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_AT_ONCE_SECONDS", 0.0)


async def users_of(world: World) -> int:
    answer = await world.send("GET", "/v1/users")
    assert answer.status_code == httpx.codes.OK
    return int(answer.json()["pagination"]["total"])


async def test_a_late_body_is_taken_from_a_key_that_still_holds(world: World) -> None:
    request = LateRequest(world, world.secret_key)
    sending = asyncio.create_task(request.send())
    await request.waiting.wait()
    request.let_go()

    assert (await sending)[0] == httpx.codes.CREATED
    assert await users_of(world) == 1


async def test_a_key_revoked_before_the_body_came_opens_nothing(world: World) -> None:
    made = await world.make("/v1/api-keys", {"name": "stolen", "type": "secret", "scopes": ["users:write"]})
    request = LateRequest(world, made["key"])
    sending = asyncio.create_task(request.send())
    await request.waiting.wait()
    revoked = await world.send("DELETE", f"/v1/api-keys/{made['id']}")
    assert revoked.status_code == httpx.codes.NO_CONTENT
    request.let_go()

    status, body = await sending

    assert (status, body["error"]["code"]) == (401, "invalid_api_key")
    assert await users_of(world) == 0


@pytest.mark.parametrize(
    ("allowed_ips", "status"), [('["127.0.0.1"]', httpx.codes.CREATED), ('["192.0.2.7"]', httpx.codes.FORBIDDEN)]
)
async def test_the_address_is_judged_again_when_the_body_came(world: World, allowed_ips: str, status: int) -> None:
    request = LateRequest(world, world.secret_key)
    sending = asyncio.create_task(request.send())
    await request.waiting.wait()

    async def tie_key(tx: Transaction) -> None:
        await tx.execute(TIE_KEY, allowed_ips=allowed_ips, id=world.secret_key_id)

    await world.services.database.write(world.tenant_id, tie_key, type(None))
    request.let_go()

    answered, body = await sending

    assert answered == status
    assert status == httpx.codes.CREATED or body["error"]["code"] == "address_not_allowed"
    found = [entry for entry in await world.entries(world.tenant_id) if entry.type == "operation.denied"]
    assert len(found) == (status == httpx.codes.FORBIDDEN)


async def test_a_tenant_suspended_before_the_body_came_takes_nothing(world: World) -> None:
    request = LateRequest(world, world.secret_key)
    sending = asyncio.create_task(request.send())
    await request.waiting.wait()
    path = f"/v1/tenants/{world.tenant_id}"
    await world.send("POST", f"{path}/suspend", key=world.master_key)
    request.let_go()

    status, body = await sending

    assert (status, body["error"]["code"]) == (403, "tenant_suspended")
    await world.send("POST", f"{path}/resume", key=world.master_key)
    assert await users_of(world) == 0


async def test_a_body_that_never_comes_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.walk.test_late_bodies.world_body_seconds", 0.05)
    request = LateRequest(world, world.secret_key)

    status, body = await request.send()

    assert (status, body["error"]["code"]) == (408, "request_timeout")
    assert await users_of(world) == 0
