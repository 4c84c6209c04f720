"""An import of our own file into an empty tenant, against the same rows put into the bare engine with their indexes.

The rows are those that the import made: users with what is searched for, and the audit entry of each. PostgreSQL takes
them by COPY, in binary; SQLite by executemany in one transaction, where only the statements are timed, not the reading.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from bench.at_scale.store import Store, headers_of, hj_file, serving
from bench.results import Figure, median_of
from bench.served.programs import Engine
from hellojohn_server.storage.sqlite_driver import connect

PART: Final = "import"
AT_LEAST: Final = 0.3
_TABLES: Final = ("users", "audit_entries", "audit_values")
_SCHEMA: Final = "hellojohn_tenant"
_ROWS_AT_ONCE: Final = 5_000
_PIECE: Final = 1 << 18
_LONGEST: Final = 7_200
"""Seconds that an import may take."""


def measure(full: Store, make: Callable[[str], Store], directory: Path, rounds: int) -> Iterator[Figure]:
    """Yield users a second of the import and of the bare engine; `make` makes an empty store of a name."""
    path = directory / "users.ndjson"
    hj_file(full, path, "users", "export", "--tenant", full.tenant_id, "--role", "member", "--with-password-hashes")
    imports: list[float] = []
    raw: list[float] = []
    for number in range(rounds):
        target, bare = make(f"imported-{number}"), make(f"bare-{number}")
        imported, taken = _import(target, path, directory)
        imports.append(imported / taken)
        copy = _copy_sqlite if full.engine is Engine.SQLITE else _copy_postgres
        raw.append(imported / copy(target, bare, directory))
    path.unlink()
    common: dict[str, Any] = {"part": PART, "store": full.engine.value, "users": full.users, "unit": "users/s"}
    beside = "executemany" if full.engine is Engine.SQLITE else "COPY"
    limit: dict[str, Any] = {"limit": median_of(raw)["value"], "beside": beside}
    yield Figure(**common, case="import of NDJSON", **median_of(imports), **limit, at_least=AT_LEAST)


def _import(store: Store, path: Path, directory: Path) -> tuple[int, float]:
    """Send a file to a server, and return how many users it made and in what time. RuntimeError if one is missing."""
    with serving(store, directory / "served.log") as server, path.open("rb") as file:
        url = f"http://127.0.0.1:{server.port}/v1/admin/imports?format=hellojohn"
        headers = {**headers_of(store), "Content-Type": "application/x-ndjson"}
        started = time.perf_counter()
        answer = httpx.post(url, headers=headers, content=iter(lambda: file.read(_PIECE), b""), timeout=_LONGEST)
        taken = time.perf_counter() - started
    said = answer.json()
    if said.get("status") != "completed" or said["imported"] != said["rows"]:
        raise RuntimeError(f"the import: {answer.text[:2000]}")
    return said["imported"], taken


def _copy_sqlite(source: Store, target: Store, _directory: Path) -> float:
    """Insert the rows of one store into another in one transaction, and return how long that took."""
    reader, writer = (
        connect(store.settings.data_dir / "tenants" / f"{store.tenant_id}.db") for store in (source, target)
    )
    writer.execute("DELETE FROM audit_values")
    writer.execute("DELETE FROM audit_entries")
    taken = _timed(lambda: writer.execute("BEGIN IMMEDIATE"))
    for table in _TABLES:
        rows: list[Any] = []
        for row in reader.execute(f"SELECT * FROM {table} ORDER BY seq"):  # noqa: S608 - a table of ours
            rows.append(row)
            if len(rows) == _ROWS_AT_ONCE:
                taken += _insert(writer, table, rows)
                rows = []
        taken += _insert(writer, table, rows)
    taken += _timed(lambda: writer.execute("COMMIT"))
    reader.close()
    writer.close()
    return taken


def _insert(writer: Any, table: str, rows: list[Any]) -> float:
    if not rows:
        return 0.0
    places = ", ".join("?" * len(rows[0]))
    return _timed(lambda: writer.executemany(f"INSERT INTO {table} VALUES ({places})", rows))  # noqa: S608 - a table of ours


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _copy_postgres(source: Store, target: Store, directory: Path) -> float:
    """COPY the rows of one database into another, and return how long that took; they go through files."""

    async def run() -> float:
        reader, writer = [await _connected(store) for store in (source, target)]
        for table in _TABLES:
            query = f"SELECT * FROM {table} WHERE tenant_id = '{source.tenant_id}'"  # noqa: S608 - an id of ours
            await reader.copy_from_query(query, output=directory / table, format="binary")
        started = time.perf_counter()
        async with writer.transaction():
            for table in _TABLES:
                await writer.copy_to_table(table, source=directory / table, schema_name=_SCHEMA, format="binary")
        taken = time.perf_counter() - started
        for table in _TABLES:
            (directory / table).unlink()
        await reader.close()
        await writer.close()
        return taken

    return asyncio.run(run())


async def _connected(store: Store) -> asyncpg.Connection:
    url = store.settings.database_url
    connection: asyncpg.Connection = await asyncpg.connect(
        None if url is None else url.value, server_settings={"search_path": _SCHEMA}
    )
    return connection
