"""Reads on SQLite: on the event loop under a budget of about 2 ms, and in a thread when that is not enough.

A read on the loop costs some 40 us, a hop to a thread 100-560 us; so every read starts on the loop, with a progress
handler that looks at the clock every few VM operations (at 500 it would not see inside FTS5). A read that exceeds the
budget, or meets a lock, is run again in a thread on its own connection, and ended there by an interrupt when it exceeds
the large budget too. No query can hold the loop.

Each look is a call into Python, and one every 15 operations is dear for a page of users: so there are that many only
where a full-text index is asked, one operation of which may take long.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Final

from hellojohn_server.storage.database import Parameter, Reader, Row
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite_driver import Connection, bind, fetch, translated

PROGRESS_OPERATIONS: Final = 100
PROGRESS_OPERATIONS_FULL_TEXT: Final = 15
_REMEMBERED: Final = 256
_NOT_TRIED: Final = 8
"""How often a statement starts in a thread at once when its last two were over the budget."""
_BUSY_PAUSE_SECONDS: Final = 0.005
_INTERRUPT_EVERY_SECONDS: Final = 0.02


class ReadPool:
    """The read connections of one file: one for the loop, and a few made on demand for threads."""

    def __init__(
        self, connect: Callable[[], Connection], executor: Executor, *, budget_seconds: float, long_seconds: float
    ) -> None:
        self._connect = connect
        self._executor = executor
        self._budget_seconds = budget_seconds
        self._long_seconds = long_seconds
        self._deadline = 0.0
        self._idle: list[Connection] = []
        self._loop_connection = connect()
        self._operations = 0
        self.escalations = 0
        self._slow: dict[Statement, int] = {}

    def _is_over_budget(self) -> bool:
        return time.perf_counter() > self._deadline

    def fetch_at_once(self, statement: Statement, bindings: Mapping[str, Any]) -> list[Row] | None:
        """Return the rows of a read on the loop, or None when its budget is not enough or the file is locked.

        A statement for which it was not enough twice running is not tried the next times: its time is not spent twice.
        """
        was_slow = self._slow.get(statement, 0)
        if was_slow > 1:
            self._slow[statement] = was_slow - 1
            return None
        operations = PROGRESS_OPERATIONS_FULL_TEXT if statement.matches else PROGRESS_OPERATIONS
        if operations != self._operations:
            self._loop_connection.set_progress_handler(self._is_over_budget, operations)
            self._operations = operations
        self._deadline = time.perf_counter() + self._budget_seconds
        try:
            with translated():
                rows = fetch(self._loop_connection, statement, bindings)
        except StoreBusy:
            self.escalations += 1
            return None
        except QueryTimeout:
            self.escalations += 1
            self._remember(statement, was_slow)
            return None
        if was_slow:
            del self._slow[statement]
        return rows

    def _remember(self, statement: Statement, was_slow: int) -> None:
        if len(self._slow) >= _REMEMBERED:
            self._slow.clear()
        self._slow[statement] = 1 + (_NOT_TRIED if was_slow else 0)

    async def fetch_in_thread(self, statement: Statement, bindings: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a read. Raises QueryTimeout or StoreBusy when the thread's budget is not enough either."""
        deadline = time.monotonic() + self._long_seconds
        while True:
            try:
                return await self._try_in_thread(statement, bindings, deadline - time.monotonic())
            except StoreBusy:
                if time.monotonic() + _BUSY_PAUSE_SECONDS >= deadline:
                    raise
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)

    async def _try_in_thread(self, statement: Statement, bindings: Mapping[str, Any], seconds: float) -> list[Row]:
        """Run a read once on a thread's connection, interrupted from the loop when it passes `seconds`."""
        connection = self._idle.pop() if self._idle else await self._in_thread(self._connect)

        def run() -> list[Row]:
            with translated():
                return fetch(connection, statement, bindings)

        running = self._executor.submit(run)
        waiting = asyncio.wrap_future(running)
        waiting.add_done_callback(_take_outcome)
        try:
            await asyncio.wait({waiting}, timeout=max(seconds, 0))
        finally:
            while not running.done() and not running.cancel():
                connection.interrupt()
                await asyncio.sleep(_INTERRUPT_EVERY_SECONDS)
            self._idle.append(connection)
        if running.cancelled():
            raise StoreBusy
        return running.result()

    async def _in_thread(self, call: Callable[[], Connection]) -> Connection:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def close(self) -> None:
        """Close every connection. Nothing may be running."""
        for connection in (self._loop_connection, *self._idle):
            connection.close()
        self._idle.clear()


def _take_outcome(waiting: asyncio.Future[list[Row]]) -> None:
    """Take the exception of a future that is only waited for: the outcome itself is read from the thread's future."""
    if not waiting.cancelled():
        waiting.exception()


class SqliteReader(Reader):
    """One query's view of a file. `long` starts in the thread."""

    __slots__ = ("_long", "_pool", "_tenant_id")

    def __init__(self, pool: ReadPool, tenant_id: str, *, long: bool) -> None:
        self._pool = pool
        self._tenant_id = tenant_id
        self._long = long

    @property
    def tenant_id(self) -> str:
        return self._tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        rows = self._fetch_at_once(statement, parameters)
        if rows is None:
            rows = await self._fetch_in_thread(statement, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        rows = self._fetch_at_once(statement, parameters)
        return await self._fetch_in_thread(statement, parameters) if rows is None else rows

    def _fetch_at_once(self, statement: Statement, parameters: Mapping[str, Parameter]) -> list[Row] | None:
        """Return the rows if they can be had on the loop. A plain function: most reads end here."""
        if statement.writes:
            raise TypeError(f"{statement!r} writes: it belongs in a command")
        if self._long:
            return None
        return self._pool.fetch_at_once(statement, bind(statement, self._tenant_id, parameters))

    async def _fetch_in_thread(self, statement: Statement, parameters: Mapping[str, Parameter]) -> list[Row]:
        return await self._pool.fetch_in_thread(statement, bind(statement, self._tenant_id, parameters))
