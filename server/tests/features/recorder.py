"""A Transaction that notes what it passes on."""

from typing import Any

from hellojohn_server.storage.database import Parameter, Row, Transaction
from hellojohn_server.storage.sql import Statement


class Recorder(Transaction):
    """Passes everything on, and notes which statements ran."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.ran: list[Statement] = []
        self.slices = 0

    @property
    def tenant_id(self) -> str:
        return self._tx.tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        self.ran.append(statement)
        return await self._tx.fetch_one(statement, **parameters)

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self.ran.append(statement)
        return await self._tx.fetch_all(statement, **parameters)

    async def execute(self, statement: Statement, **parameters: Parameter) -> int:
        self.ran.append(statement)
        return await self._tx.execute(statement, **parameters)

    async def execute_many(self, statement: Statement, rows: Any) -> None:
        self.ran.append(statement)
        await self._tx.execute_many(statement, rows)

    async def slice(self) -> None:
        self.slices += 1
        await self._tx.slice()

    def mark_due(self, at_ms: int) -> None:
        self._tx.mark_due(at_ms)
