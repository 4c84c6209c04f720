"""Every operation counts for the limit that the checked-in table says, and its answer says so, whatever it is."""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.storage.database import Database
from tests.walk.world import World, walked_world

TABLE: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).parents[1].joinpath("house/scopes.toml").read_text(encoding="utf-8")
)
ALLOWED: Final = {limit: 1001 + index for index, limit in enumerate(Limit) if limit is not Limit.NONE}
"""A number of its own for each limit."""


@pytest.fixture
async def counted_world(database: Database, clock: Clock) -> AsyncIterator[World]:
    environ = {f"HELLOJOHN_RATE_LIMIT_{limit.name}": str(calls) for limit, calls in ALLOWED.items()}
    async with walked_world(database, clock, environ | {"HELLOJOHN_RATE_LIMIT_ENABLED": "true"}) as furnished:
        yield furnished


async def _credential(world: World, kinds: list[str]) -> str | None:
    match kinds:
        case []:
            return None
        case ["access_token", *_]:
            people = f"{len(await world.entries(world.tenant_id))}@example.com"
            body = {"email": people, "password": "correct horse battery"}
            made = await world.make("/v1/auth/sign-up", body, key=world.publishable_key)
            return str(made["session"]["access_token"])
        case ["master_key", *_]:
            return world.master_key
        case ["publishable_key", *_]:
            return world.publishable_key
        case _:
            return world.secret_key


def _expected(operation: str) -> str | None:
    usual = Limit.READS if operation.startswith("GET ") else Limit.WRITES
    limit = Limit(TABLE[operation].get("limit", usual))
    return None if limit is Limit.NONE else str(ALLOWED[limit])


async def test_every_operation_counts_for_its_limit(counted_world: World) -> None:
    document = (await counted_world.client.get("/openapi.json")).json()
    said: dict[str, str | None] = {}
    for path, item in document["paths"].items():
        for method in item:
            operation = f"{method.upper()} {path}"
            key = await _credential(counted_world, TABLE[operation]["credentials"])
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            body = {} if "requestBody" in item[method] else None
            place = re.sub(r"\{.*?\}", "x", path)
            answer = await counted_world.client.request(method, place, json=body, headers=headers)
            assert answer.status_code not in {401, 405, 429}, (operation, answer.text)
            assert "credential_not_allowed" not in answer.text, operation
            said[operation] = answer.headers.get("x-ratelimit-limit")
            assert ("429" in item[method]["responses"]) == (said[operation] is not None), operation
    assert said == {operation: _expected(operation) for operation in TABLE}
