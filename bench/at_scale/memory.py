"""What one server holds after everything was asked of it: lists, searches, users, logs, an export, changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from bench.at_scale.export import export
from bench.at_scale.store import Store, headers_of, resident_mib, serving
from bench.results import Figure, median_of
from bench.served.processes import Running

PART: Final = "memory"
MOST_MIB: Final = 200
_FIELDS: Final = ("created_at", "email", "last_sign_in_at", "name")
_ORDERS: Final = tuple((field, direction) for field in _FIELDS for direction in ("asc", "desc"))
_TURNS_A_ROUND: Final = 4
_WORDS: Final = ("garcia", "smith john", "an", "example", "zzzz", "李", "@mail", "müller", "o", "maria lopez")


def measure(store: Store, directory: Path, rounds: int) -> Iterator[Figure]:
    """Yield what the server holds at the end."""
    with serving(store, directory / "served.log") as server:
        _ask_everything(store, server, rounds * _TURNS_A_ROUND)
        for written_as in ("ndjson", "csv"):
            export(store, server, written_as)
        held = resident_mib(server.pid)
    common: dict[str, Any] = {"part": PART, "store": store.engine.value, "users": store.users}
    yield Figure(**common, case="memory after all cases", unit="MiB", **median_of([held]), at_most=MOST_MIB)


def _ask_everything(store: Store, server: Running, turns: int) -> None:
    base = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=base, headers=headers_of(store), timeout=60) as client:
        listed = client.get("/v1/users?limit=100&role=member").json()["data"]
        for turn in range(turns):
            for field, direction in _ORDERS:
                client.get(f"/v1/users?limit=100&order_by={field}&direction={direction}").raise_for_status()
            for word in _WORDS:
                body = {"query": word, "limit": 100, "filters": {"disabled": turn % 2 == 0}}
                client.post("/v1/admin/users/search", json=body).raise_for_status()
            for path in ("/v1/admin/stats", "/v1/audit-logs?limit=200", "/v1/organizations?limit=100"):
                client.get(path).raise_for_status()
            _change(client, listed[turn::turns])


def _change(client: httpx.Client, users: list[dict[str, Any]]) -> None:
    for user in users:
        path = f"/v1/users/{user['id']}"
        client.get(path).raise_for_status()
        client.patch(path, json={"public_metadata": {"seen": True}}).raise_for_status()
        if not user["disabled"]:
            client.post(f"{path}/disable", json={}).raise_for_status()
            client.post(f"{path}/enable", json={}).raise_for_status()
