"""Cursors of pages far down, made directly: to come there by itself a client would ask for each page before."""

from typing import Final

from bench.search.cases import Case
from hellojohn_server.app import open_database
from hellojohn_server.config import Settings
from hellojohn_server.features.search.schemas import Direction, SortField, UserFilter, UserOrder
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.kit.secrets import Purpose
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement
from hellojohn_server.wiring import derived_key

_SQLITE_COLUMNS: Final = {"created_at": "seq", "email": "email_key", "name": "name_key"}
_POSTGRES_COLUMNS: Final = {"email": "email_key", "name": "name_key"}


class Deep:
    """Places of the unfiltered list, so many users down."""

    def __init__(self, settings: Settings, tenant_id: str, depth: int) -> None:
        self._settings = settings
        self._tenant_id = tenant_id
        self._depth = depth

    async def cursor(self, case: Case) -> str:
        """Return the cursor of a page this far down in the case's order."""
        statement = Statement(
            self._sql(case, _SQLITE_COLUMNS.get(case.field, case.field)),
            self._sql(case, _POSTGRES_COLUMNS.get(case.field, case.field)),
        )

        async def query(reader: Reader) -> tuple[str | int, str]:
            row = await reader.fetch_one(statement, depth=self._depth)
            if row is None:
                raise RuntimeError(f"fewer than {self._depth} users have what {case.name} sorts by")
            return row[0], row[1]

        database = await open_database(self._settings, SystemClock())
        try:
            position = await database.read(self._tenant_id, query, long=True)
        finally:
            await database.close()
        bound = ("users.search", UserFilter(), UserOrder(SortField(case.field), Direction(case.direction)))
        return CursorCodec(derived_key(self._settings, Purpose.CURSORS)).encode(self._tenant_id, bound, position)

    @staticmethod
    def _sql(case: Case, column: str) -> str:
        order = f"ORDER BY {column} {case.direction}, id {case.direction}"
        present = f"tenant_id = :tenant_id AND deleted_at IS NULL AND {column} IS NOT NULL"
        return f"SELECT {column}, id FROM users WHERE {present} {order} LIMIT 1 OFFSET :depth"  # noqa: S608 - our own names
