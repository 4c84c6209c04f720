"""A Transaction that notes what it passes on."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import Action, Command, Database, Parameter, Row, Transaction
from hellojohn_server.storage.sql import Statement


class Recorder(Transaction):
    """Passes everything on, and notes which statements ran, and when there will be work to do."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.ran: list[Statement] = []
        self.slices = 0
        self.due: list[int] = []

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
        self.due.append(at_ms)
        self._tx.mark_due(at_ms)

    def after_commit(self, action: Action) -> None:
        self._tx.after_commit(action)


@contextmanager
def recorded(database: Database, monkeypatch: pytest.MonkeyPatch) -> Generator[list[Recorder]]:
    """Yield a list that each transaction of a tenant written in the block is added to. The store's own are left out."""
    recorders: list[Recorder] = []
    write = database.write

    async def recording(tenant: str, command: Command[Any], result: type[Any], **options: Any) -> Any:
        if tenant == CONTROL_TENANT_ID:
            return await write(tenant, command, result, **options)

        async def noted(tx: Transaction) -> Any:
            recorders.append(Recorder(tx))
            return await command(recorders[-1])

        return await write(tenant, noted, result, **options)

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", recording)
        yield recorders
