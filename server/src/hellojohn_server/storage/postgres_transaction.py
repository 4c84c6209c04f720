"""What a query and a command are given on PostgreSQL: one connection, for as long as they run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from hellojohn_server.storage.database import Action, Ledger, Parameter, Reader, Row, Transaction
from hellojohn_server.storage.postgres_driver import Connection, bind, run
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sql_text import is_plain_insert, looks_elsewhere, together

_MOST_WAITING: Final = 16
"""So many inserts wait at most; with more, what is sent would be another statement nearly each time."""

T = TypeVar("T")


class PostgresReader(Reader):
    """Reads of one tenant, each a statement on its own, without a transaction around them."""

    __slots__ = ("_connection", "_open", "_tenant_id")

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._open = True

    @property
    def tenant_id(self) -> str:
        return self._tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        self._require_read(statement)
        arguments = bind(statement, self._tenant_id, parameters)
        row = await run(self._connection, self._connection.fetchrow, statement.postgres, *arguments)
        return None if row is None else tuple(row)

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self._require_read(statement)
        arguments = bind(statement, self._tenant_id, parameters)
        rows = await run(self._connection, self._connection.fetch, statement.postgres, *arguments)
        return [tuple(row) for row in rows]

    def close(self) -> None:
        """Refuse every later use."""
        self._open = False

    def _require_read(self, statement: Statement) -> None:
        if not self._open:
            raise RuntimeError("a reader is used only while its query runs")
        if statement.postgres_writes:
            raise TypeError(f"{statement!r} writes: it belongs in a command")


class PostgresTransaction(Transaction):
    """One command's transaction, usable only while the command runs.

    PostgreSQL refuses every statement after one that failed, so a command that goes on after an error could only seem
    to succeed: the error is kept, and raised again by later statements and at the end.
    """

    __slots__ = ("_connection", "_failure", "_open", "_tenant_id", "_waiting", "actions", "ledger")

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._open = True
        self.ledger = Ledger()
        self.actions: list[Action] = []
        self._failure: BaseException | None = None
        self._waiting: list[tuple[str, list[Any]]] = []

    @property
    def tenant_id(self) -> str:
        return self._tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        rows = await self.fetch_all(statement, **parameters)
        return rows[0] if rows else None

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self._require_open()
        arguments = bind(statement, self._tenant_id, parameters)
        rows = await self._run(self._connection.fetch, statement.postgres, arguments)
        if statement.postgres_writes:
            self.ledger.add(statement, len(rows))
        return [tuple(row) for row in rows]

    async def execute(self, statement: Statement, **parameters: Parameter) -> int:
        self._require_open()
        arguments = bind(statement, self._tenant_id, parameters)
        status = await self._run(self._connection.execute, statement.postgres, arguments)
        changed = int(status.rpartition(" ")[2]) if statement.postgres_writes else 0
        self.ledger.add(statement, changed)
        return changed

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Parameter]]) -> None:
        self._require_open()
        arguments = [bind(statement, self._tenant_id, row) for row in rows]
        if len(arguments) <= _MOST_WAITING and is_plain_insert(statement.postgres):
            if len(self._waiting) + len(arguments) > _MOST_WAITING:
                await self.send_waiting()
            self._waiting += [(statement.postgres, row) for row in arguments]
        else:
            await self.send_waiting()
            await self._call(self._connection.executemany, statement.postgres, arguments)
        self.ledger.add(statement, len(rows))

    async def slice(self) -> None:
        self._require_open()
        await asyncio.sleep(0)

    def mark_due(self, at_ms: int) -> None:  # noqa: ARG002 - the protocol's signature
        """Do nothing: due rows are found by a plain read of the tables they stand in."""
        self._require_open()

    def after_commit(self, action: Action) -> None:
        self._require_open()
        self.actions.append(action)

    async def send_waiting(self) -> None:
        """Run the inserts that wait, in one round trip."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            sql = _together(tuple(text for text, _ in waiting))
            await self._call(self._connection.execute, sql, *(value for _, row in waiting for value in row))

    def close(self) -> None:
        """Refuse every later use, and raise the error of a statement that the command went on after."""
        self._open = False
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Refuse every later use."""
        self._open = False

    async def _run(self, call: Callable[..., Awaitable[T]], sql: str, arguments: Sequence[Any]) -> T:
        """Run a statement after the inserts that wait, in the same round trip if it looks at none of their tables."""
        if self._waiting:
            texts = tuple(text for text, _ in self._waiting)
            if _looks_elsewhere(texts, sql):
                waiting, self._waiting = self._waiting, []
                before = (value for _, row in waiting for value in row)
                return await self._call(call, _together((*texts, sql)), *before, *arguments)
            await self.send_waiting()
        return await self._call(call, sql, *arguments)

    async def _call(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        try:
            return await run(self._connection, call, *arguments)
        except BaseException as error:
            self._failure = error
            raise

    def _require_open(self) -> None:
        if not self._open:
            raise RuntimeError("a transaction is used only while its command runs")
        if self._failure is not None:
            raise self._failure


_together: Final = lru_cache(1024)(together)
_looks_elsewhere: Final = lru_cache(1024)(looks_elsewhere)
