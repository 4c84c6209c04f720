"""Many tenants on one server: requests to a hundred of them that are open already, against the same to one alone.

Each store has its own server. A request is a list of twenty users; they go round the tenants that are warm. What a
request to a tenant costs that is not open is shown too: on the embedded store its file is opened first.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.at_scale.store import Store, serving, wire
from bench.results import Figure, median_of
from bench.served.load import Order, Tally
from bench.served.processes import Running, load
from hellojohn_server.app import open_tools
from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.keys.schemas import CreateKeyBody
from hellojohn_server.features.tenants.schemas import CreateTenantBody

PART: Final = "tenants"
AT_MOST: Final = 1.3
WARM: Final = 100
"""How many tenants are asked in turns: fewer than the files that the embedded store keeps open."""

_COLD: Final = 1_000
_USERS: Final = 20
_AT_A_TIME: Final = 16
_SCOPES: Final = ["users:read", "users:write"]


def measure(store: Store, alone: Store, tenants: int, directory: Path, rounds: int, seconds: float) -> Iterator[Figure]:  # noqa: PLR0913, PLR0917 - what it is told
    """Yield how long a list takes of many tenants and of one; both stores are empty before. Needs `tenants` > 1."""
    keys = asyncio.run(_make(store, tenants))
    (key,) = asyncio.run(_make(alone, 1))
    warm, cold = keys[: min(WARM, tenants // 2)], keys[WARM : WARM + _COLD]
    with (
        serving(store, directory / "many.log") as many,
        serving(alone, directory / "one.log") as one,
    ):
        _add_users(store, many, warm)
        _add_users(alone, one, [key])
        among: list[Tally] = []
        single: list[Tally] = []
        for _ in range(rounds):
            among.append(_lists(store, many, warm, seconds))
            single.append(_lists(alone, one, [key], seconds))
        common: dict[str, Any] = {"part": PART, "store": store.engine.value, "users": tenants, "unit": "ms"}
        yield Figure(
            **common,
            case=f"list, one of {len(warm)} warm tenants",
            **median_of([tally.p50_ms for tally in among]),
            limit=median_of([tally.p50_ms for tally in single])["value"],
            beside="one tenant",
            at_most=AT_MOST,
            p99_ms=median_of([tally.p99_ms for tally in among])["value"],
        )
        if cold:
            first = load(_order(store, many, cold, seconds=60, once=True))
            yield Figure(
                **common, case="first list of a tenant that is cold", **median_of([first.p50_ms]), p99_ms=first.p99_ms
            )


async def _make(store: Store, tenants: int) -> list[str]:
    """Make tenants, and return a key of each of the first ones."""

    async def make(tools: Tools, number: int) -> str:
        tenant = await tools.tenants.create_tenant(tools.context(), CreateTenantBody(name=f"Tenant {number}"))
        if number >= WARM + _COLD:
            return ""
        body = CreateKeyBody(name="bench", scopes=_SCOPES)
        return (await tools.keys.create_key(tools.context(tenant.id), tenant.id, body)).key

    async with open_tools(store.settings) as tools:
        keys: list[str] = []
        for start in range(0, tenants, _AT_A_TIME):
            numbers = range(start, min(tenants, start + _AT_A_TIME))
            keys += await asyncio.gather(*(make(tools, number) for number in numbers))
    return [key for key in keys if key]


def _add_users(store: Store, server: Running, keys: Sequence[str]) -> None:
    requests = [
        wire(_with(store, key), server.port, "/v1/users", body={"email": f"person{number}@example.com"})
        for key in keys
        for number in range(_USERS)
    ]
    load(Order(server.port, 4, 600, requests, once=True), status="201")


def _lists(store: Store, server: Running, keys: Sequence[str], seconds: float) -> Tally:
    return load(_order(store, server, keys, seconds=seconds, once=False))


def _order(store: Store, server: Running, keys: Sequence[str], *, seconds: float, once: bool) -> Order:
    path = f"/v1/users?limit={_USERS}"
    return Order(server.port, 1, seconds, [wire(_with(store, key), server.port, path) for key in keys], once=once)


def _with(store: Store, key: str) -> Store:
    return msgspec.structs.replace(store, key=key)
