"""The export over HTTP, against a loop on the bare engine: the same page statements, and the same lines encoded.

The statements are noted while the server's own code reads two pages; the loop runs exactly these, with other places.
It has no HTTP, no rule, and nobody else to leave the processor to. Its lines are the users as the API shows them.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

import asyncpg
import msgspec

from bench.at_scale.store import Store, resident_mib, serving, wire
from bench.results import Figure, median_of
from bench.served.bare import shown
from bench.served.load import Order
from bench.served.processes import Running, load
from bench.served.programs import Engine
from hellojohn_server.features.search.schemas import UserFilter
from hellojohn_server.features.search.service import list_matching
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users_export.service import CHUNK
from hellojohn_server.storage import postgres_driver, sqlite_driver
from hellojohn_server.storage.database import Parameter, Reader, Row
from hellojohn_server.storage.sql import Statement

PART: Final = "export"
AT_LEAST: Final = 0.5
MOST_GROWTH_MIB: Final = 64
SLOWER_AT_MOST: Final = 3.0
_CLIENTS: Final = 4
_POSITION: Final = len(User.__struct_fields__) + 1
_PIECE: Final = 1 << 18
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_NOW_MS: Final = 1_800_000_000_000
_encode_lines: Final = msgspec.json.Encoder().encode_lines


def measure(store: Store, directory: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yield the rate of both formats, what the server's memory grew by, and how others fared meanwhile."""
    with serving(store, directory / "served.log") as server, _Bare(store) as bare:
        before = resident_mib(server.pid)
        served: list[float] = []
        as_csv: list[float] = []
        alone: list[float] = []
        for _ in range(rounds):
            served.append(_rate(lambda: export(store, server, "ndjson")))
            alone.append(_rate(bare.export))
            as_csv.append(_rate(lambda: export(store, server, "csv")))
        growth = resident_mib(server.pid) - before
        common: dict[str, Any] = {"part": PART, "store": store.engine.value, "users": store.users}
        limit: dict[str, Any] = {"limit": median_of(alone)["value"], "beside": "bare loop", "unit": "rows/s"}
        yield Figure(**common, case="export as NDJSON", **median_of(served), **limit, at_least=AT_LEAST)
        yield Figure(**common, case="export as CSV", **median_of(as_csv), **limit)
        yield Figure(
            **common, case="memory growth while exporting", unit="MiB", **median_of([growth]), at_most=MOST_GROWTH_MIB
        )
        yield from _beside(store, server, common, seconds, rounds)


def export(store: Store, server: Running, written_as: str) -> int:
    """Read an export to its end and return how many users there were. RuntimeError when it was not whole."""
    lines = ends = 0
    tail = b""
    request = wire(store, server.port, f"/v1/admin/users/export?format={written_as}", more=["Connection: close"])
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request)
        answer = connection.recv(_PIECE)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(answer.decode(errors="replace"))
        while answer:
            seen = tail[-1:] + answer
            ends += seen.count(b"}\n")
            lines += answer.count(b"\r\n")
            tail = (tail + answer)[-len(_LAST_CHUNK) :]
            answer = connection.recv(_PIECE)
    if tail != _LAST_CHUNK:
        raise RuntimeError("the export broke off")
    return ends if written_as == "ndjson" else lines


def _rate(run: Callable[[], int]) -> float:
    started = time.perf_counter()
    rows = run()
    return rows / (time.perf_counter() - started)


def _beside(store: Store, server: Running, common: dict[str, Any], seconds: float, rounds: int) -> Iterator[Figure]:
    """Yield what other requests' slowest hundredth takes while exports run one after the other, and in quiet."""
    quiet: list[float] = []
    busy: list[float] = []
    requests = [wire(store, server.port, "/v1/users?limit=1")]
    order = Order(server.port, _CLIENTS, seconds, requests)
    for _ in range(rounds):
        quiet.append(load(order).p99_ms)
        ended = threading.Event()
        exporting = threading.Thread(target=_export_until, args=(store, server, ended))
        exporting.start()
        busy.append(load(order).p99_ms)
        ended.set()
        exporting.join()
    limit: dict[str, Any] = {"limit": median_of(quiet)["value"], "beside": "in quiet"}
    yield Figure(
        **common, case="others' p99 while exporting", unit="ms", **median_of(busy), **limit, at_most=SLOWER_AT_MOST
    )


def _export_until(store: Store, server: Running, ended: threading.Event) -> None:
    while not ended.is_set():
        export(store, server, "ndjson")


class _Noting(Reader):
    """A reader of the bare engine that notes what it is asked."""

    def __init__(self, fetch: "_Fetch", tenant_id: str) -> None:
        self._fetch = fetch
        self._tenant_id = tenant_id
        self.asked: list[tuple[Statement, dict[str, Parameter]]] = []

    @property
    def tenant_id(self) -> str:
        return self._tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        rows = await self.fetch_all(statement, **parameters)
        return rows[0] if rows else None

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self.asked.append((statement, dict(parameters)))
        return list(await self._fetch.rows(statement, self._tenant_id, parameters))


class _Fetch:
    """The driver's connection, and nothing in between."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sqlite: Any = None
        self._postgres: asyncpg.Connection | None = None

    async def open(self) -> None:
        settings = self._store.settings
        if self._store.engine is Engine.SQLITE:
            path = settings.data_dir / "tenants" / f"{self._store.tenant_id}.db"
            self._sqlite = sqlite_driver.connect(path, read_only=True)
        elif settings.database_url is not None:
            self._postgres = await asyncpg.connect(
                settings.database_url.value,
                server_settings={
                    "jit": "off",
                    "plan_cache_mode": "force_custom_plan",
                    "search_path": "hellojohn_tenant, hellojohn_control, public",
                },
            )

    async def rows(self, statement: Statement, tenant_id: str, parameters: dict[str, Parameter]) -> Sequence[Row]:
        if self._postgres is not None:
            arguments = postgres_driver.bind(statement, tenant_id, parameters)
            return cast("Sequence[Row]", await self._postgres.fetch(statement.postgres, *arguments))
        return list(self._sqlite.execute(statement.sqlite, sqlite_driver.bind(statement, tenant_id, parameters)))

    async def close(self) -> None:
        if self._postgres is not None:
            await self._postgres.close()
        if self._sqlite is not None:
            self._sqlite.close()


class _Bare:
    """The loop on the bare engine."""

    def __init__(self, store: Store) -> None:
        self._tenant_id = store.tenant_id
        self._fetch = _Fetch(store)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.run(self._note())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._fetch.close())
        self._runner.close()

    def export(self) -> int:
        """Read and encode everybody, and return how many there are."""
        return self._runner.run(self._export())

    async def _note(self) -> None:
        await self._fetch.open()
        noting = _Noting(self._fetch, self._tenant_id)
        _, place = await list_matching(noting, UserFilter(), None, limit=CHUNK, now_ms=_NOW_MS)
        if place is not None:
            await list_matching(noting, UserFilter(), place, limit=CHUNK, now_ms=_NOW_MS)
        self._first, self._next = noting.asked[0], noting.asked[-1]

    async def _export(self) -> int:
        count = 0
        statement, parameters = self._first
        while True:
            rows = await self._fetch.rows(statement, self._tenant_id, parameters)
            page = [row for row in rows[:CHUNK] if row[0] is not None]
            count += len(page)
            _encode_lines([shown(row) for row in page])
            if len(rows) <= CHUNK:
                return count
            statement, parameters = self._next
            parameters |= (
                {"value": page[-1][_POSITION], "id": page[-1][0]}
                if "id" in parameters
                else {"value": page[-1][_POSITION]}
            )
