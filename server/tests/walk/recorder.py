"""A Database that counts the reads it passes on."""

from typing import Any, TypeVar

from hellojohn_server.storage.database import Database, Parameter, Query, Reader, Row
from hellojohn_server.storage.sql import Statement

T = TypeVar("T")


class CountingDatabase:
    """Passes everything on to a store. `read_statements` are the statements of its reads, in order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.read_statements: list[Statement] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, tenant_id: str, query: Query[T], *, long: bool = False) -> T:
        """Run a query whose statements are counted."""

        async def counted(reader: Reader) -> T:
            return await query(_CountingReader(reader, self.read_statements))

        return await self._database.read(tenant_id, counted, long=long)


class _CountingReader(Reader):
    def __init__(self, reader: Reader, statements: list[Statement]) -> None:
        self._reader = reader
        self._statements = statements

    @property
    def tenant_id(self) -> str:
        return self._reader.tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        self._statements.append(statement)
        return await self._reader.fetch_one(statement, **parameters)

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self._statements.append(statement)
        return await self._reader.fetch_all(statement, **parameters)
