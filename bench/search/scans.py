"""The same questions by a scan on the bare engine: how many match, up to the cap, without an index."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.served.programs import Engine
from hellojohn_server.config import Settings
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.search_query import parse_query
from hellojohn_server.storage.sqlite_driver import connect

_NO_INDEX: Final = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "jit")


class Scans:
    """Asks by scans, one after the other."""

    def __init__(self, engine: Engine, settings: Settings, tenant_id: str) -> None:
        self._engine = engine
        self._settings = settings
        self._tenant_id = tenant_id

    async def seconds(self, query: str) -> float:
        """Return how long a scan for the words of `query` takes: the second of two, when all is in memory."""
        parsed = parse_query(query)
        sql, values = self._sql(parsed.anywhere, parsed.starts)
        if self._engine is Engine.SQLITE:
            return _timed_sqlite(self._settings.data_dir / "tenants" / f"{self._tenant_id}.db", sql, values)
        if self._settings.database_url is None:
            raise RuntimeError("PostgreSQL has no URL")
        return await _timed_postgres(self._settings.database_url.value, sql, values)

    def _sql(self, anywhere: Sequence[str], starts: Sequence[str]) -> tuple[str, list[Any]]:
        is_sqlite = self._engine is Engine.SQLITE
        conditions: list[str] = []
        values: list[Any] = []
        for word in anywhere:
            values.append(word if is_sqlite else f"%{word}%")
            conditions.append("instr(search_text, ?)" if is_sqlite else f"search_text LIKE ${len(values)}")
        for start in starts:
            values.append(f" {start} " if is_sqlite else [start])
            by_place = f"search_prefixes @> CAST(${len(values)} AS text[])"
            conditions.append("instr(' ' || search_prefixes || ' ', ?)" if is_sqlite else by_place)
        table = "users NOT INDEXED" if is_sqlite else "hellojohn_tenant.users"
        rows = f"FROM {table} WHERE deleted_at IS NULL AND {' AND '.join(conditions)}"
        counted = f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {COUNT_CAP + 1}) AS counted"  # noqa: S608 - our own names
        return counted, values


def _timed_sqlite(path: Path, sql: str, values: list[Any]) -> float:
    connection: Any = connect(path, read_only=True)
    taken = 0.0
    try:
        for _ in range(2):
            started = time.perf_counter()
            list(connection.execute(sql, values))
            taken = time.perf_counter() - started
    finally:
        connection.close()
    return taken


async def _timed_postgres(url: str, sql: str, values: list[Any]) -> float:
    settings = {**dict.fromkeys(_NO_INDEX, "off"), "max_parallel_workers_per_gather": "0"}
    connection: asyncpg.Connection = await asyncpg.connect(url, server_settings=settings)
    taken = 0.0
    try:
        for _ in range(2):
            started = time.perf_counter()
            await connection.fetchval(sql, *values)
            taken = time.perf_counter() - started
    finally:
        await connection.close()
    return taken
