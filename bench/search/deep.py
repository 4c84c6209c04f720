"""Cursors of pages far down, made directly: to come there by itself a client would ask for each page before."""

from typing import Any, Final

import asyncpg

from bench.search.cases import Case
from bench.served.programs import Engine
from hellojohn_server.config import Settings
from hellojohn_server.features.search.schemas import SORT_COLUMN, Direction, SortField, UserFilter, UserOrder
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.kit.secrets import Purpose
from hellojohn_server.storage.sqlite_driver import connect
from hellojohn_server.wiring import derived_key

_UNIQUE: Final = frozenset({"email_key", "seq"})


class Deep:
    """Places of the unfiltered list, so many users down, asked of the bare engine."""

    def __init__(self, engine: Engine, settings: Settings, tenant_id: str, depth: int) -> None:
        self._engine = engine
        self._settings = settings
        self._tenant_id = tenant_id
        self._depth = depth

    async def cursor(self, case: Case) -> str:
        """Return the cursor of a page this far down in the case's order."""
        row = self._of_sqlite(case) if self._engine is Engine.SQLITE else await self._of_postgres(case)
        bound = ("users.search", UserFilter(), UserOrder(SortField(case.field), Direction(case.direction)))
        codec = CursorCodec(derived_key(self._settings, Purpose.CURSORS))
        return codec.encode(self._tenant_id, bound, (row[0], row[1]))

    def _of_sqlite(self, case: Case) -> Any:
        connection: Any = connect(self._settings.data_dir / "tenants" / f"{self._tenant_id}.db", read_only=True)
        try:
            column = "seq" if case.field == "created_at" else SORT_COLUMN[SortField(case.field)]
            return next(iter(connection.execute(self._sql(case, column, "users", "?"), (self._depth,))))
        finally:
            connection.close()

    async def _of_postgres(self, case: Case) -> Any:
        url = self._settings.database_url
        connection: asyncpg.Connection = await asyncpg.connect(None if url is None else url.value)
        try:
            sql = self._sql(case, SORT_COLUMN[SortField(case.field)], "hellojohn_tenant.users", "$1")
            return await connection.fetchrow(sql, self._depth)
        finally:
            await connection.close()

    @staticmethod
    def _sql(case: Case, column: str, table: str, depth: str) -> str:
        tie = "" if column in _UNIQUE else f", id {case.direction}"
        order = f"ORDER BY {column} {case.direction}{tie} LIMIT 1 OFFSET {depth}"
        return f"SELECT {column}, id FROM {table} WHERE {column} IS NOT NULL {order}"  # noqa: S608 - our own names
