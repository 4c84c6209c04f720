"""Group commit: one writer connection for a file, many commands in one durable transaction.

Waiting commands run one after another on the event loop, each in its own SAVEPOINT inside one open transaction. The
COMMIT (synchronous=FULL: it returns after the fsync) runs in a thread while the next batch gathers. No caller hears
anything, good or bad, before the batch is durable: a refusal may rest on what an earlier command of the batch did.

Nothing may touch the connection while COMMIT runs (the driver would not raise, it would block the loop), and there is
no progress handler and no interrupt on it: an interrupted UPDATE rolls back the whole transaction with its savepoints.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Coroutine, Generator, Sequence
from concurrent.futures import Executor
from typing import Any, Final, Protocol

import structlog

from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Action, Ledger, Parameter, Row, Transaction, Work, run_actions, run_work
from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable, SuspendedCommand
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite_driver import Connection, bind, fetch, translated

BATCH_LIMIT: Final = 512
TURN_SECONDS: Final = 0.002
"""How long commands run back to back before reads and other tasks get a turn; the transaction stays open meanwhile."""
GATHER_SECONDS: Final = 0.02
"""How long a batch goes on taking commands that arrive while it runs."""
RERUNS: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.001
_LONGEST_WAIT_SECONDS: Final = 0.05

_SLICE: Final = object()
_log = structlog.get_logger(__name__)


class TransactionLost(Exception):
    """The driver rolled back the whole transaction under us (disk full, I/O error): every savepoint is gone."""


class _Job:
    """A command that waits for its batch to be durable."""

    __slots__ = ("actions", "error", "future", "outcome", "reruns", "work")

    def __init__(self, work: Work, future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.actions: Sequence[Action] = ()
        self.outcome: Any = None
        self.error: BaseException | None = None
        self.reruns = 0

    def deliver(self) -> None:
        """Give the caller the outcome, unless it has gone away."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.outcome)
        else:
            self.future.set_exception(self.error)

    def fail(self, error: BaseException) -> None:
        """Give the caller `error` in place of any outcome."""
        self.error = error
        self.deliver()


class _Slice:
    def __await__(self) -> Generator[object, None, None]:
        yield _SLICE


class SqliteTransaction(Transaction):
    """One command's view of the writer connection, usable only while the command runs.

    A statement that failed is kept, and raised again by later statements and at the end, as PostgreSQL would: a command
    that swallowed it could only seem to succeed.
    """

    __slots__ = ("_connection", "_failure", "_open", "_tenant_id", "actions", "due_at", "ledger")

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._open = True
        self._failure: BaseException | None = None
        self.ledger = Ledger()
        self.actions: list[Action] = []
        self.due_at: int | None = None

    @property
    def tenant_id(self) -> str:
        return self._tenant_id

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        rows = self._run(statement, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        return self._run(statement, parameters)

    async def execute(self, statement: Statement, **parameters: Parameter) -> int:
        self._fetch(statement, parameters)
        changed = self._connection.changes() if statement.writes else 0
        self.ledger.add(statement, changed)
        return changed

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Parameter]]) -> None:
        self._require_open()
        try:
            with translated():
                self._connection.executemany(statement.sqlite, [bind(statement, self._tenant_id, row) for row in rows])
        except BaseException as error:
            self._failure = error
            raise
        self.ledger.add(statement, len(rows))

    async def slice(self) -> None:
        self._require_open()
        await _Slice()

    def mark_due(self, at_ms: int) -> None:
        self._require_open()
        self.due_at = at_ms if self.due_at is None else min(self.due_at, at_ms)

    def after_commit(self, action: Action) -> None:
        self._require_open()
        self.actions.append(action)

    def require_whole(self) -> None:
        """Raise the failure of a statement that the command went on after."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Refuse every later use."""
        self._open = False

    def _run(self, statement: Statement, parameters: dict[str, Parameter]) -> list[Row]:
        rows = self._fetch(statement, parameters)
        if statement.writes:
            self.ledger.add(statement, len(rows))
        return rows

    def _fetch(self, statement: Statement, parameters: dict[str, Parameter]) -> list[Row]:
        self._require_open()
        try:
            with translated():
                return fetch(self._connection, statement, bind(statement, self._tenant_id, parameters))
        except BaseException as error:
            self._failure = error
            raise

    def _require_open(self) -> None:
        if not self._open:
            raise RuntimeError("a transaction is used only while its command runs")
        self.require_whole()


class Marks(Protocol):
    """Keeps a mark in control.db while a tenant has due rows. Called only for batches that made some."""

    async def before_commit(self, due_at: int) -> None:
        """Make sure that a mark at or before `due_at` is durable. Raises StoreBusy or StoreUnavailable."""
        ...

    async def after_commit(self, due_at: int) -> None:
        """Make the mark again if the worker cleared it between the two calls."""
        ...


class Writer:
    """The one writer of a file. `submit` may be called by any number of tasks at once."""

    def __init__(  # noqa: PLR0913 - what one file's writer is made of
        self,
        connection: Connection,
        tenant_id: str,
        clock: Clock,
        executor: Executor,
        *,
        busy_seconds: float,
        marks: "Marks",
    ) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._clock = clock
        self._executor = executor
        self._busy_seconds = busy_seconds
        self._marks = marks
        self._queue: deque[_Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._committing = False
        self.broken = False
        self.batches = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        return self._task is None and not self._queue

    async def submit(self, work: Work) -> Any:
        """Run a command and return its result once it is durable; raise what it raised once that is certain."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Job(work, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    async def wait_idle(self) -> None:
        """Return when everything submitted so far has been answered."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        batch: list[_Job] = []
        try:
            while self._queue:
                await asyncio.sleep(0)
                batch = []
                await self._run_batch(batch)
        except BaseException as error:
            _log.error("sqlite_writer_failed", tenant_id=self._tenant_id, exc_info=error)
            self._rollback()
            for job in (*batch, *self._queue):
                job.fail(_unavailable(error))
            self._queue.clear()
            if not isinstance(error, Exception):
                raise
        finally:
            self._task = None

    async def _run_batch(self, batch: list[_Job]) -> None:
        if not await self._begin():
            return
        changes = self._connection.total_changes()
        due_at: int | None = None
        started = turn = time.perf_counter()
        while self._queue and len(batch) < BATCH_LIMIT and time.perf_counter() - started < GATHER_SECONDS:
            job = self._queue.popleft()
            if job.future.done():
                continue
            batch.append(job)
            try:
                tx = await self._run_job(job)
            except TransactionLost as lost:
                self._requeue(batch, job, lost)
                return
            if tx.due_at is not None and job.error is None:
                due_at = tx.due_at if due_at is None else min(due_at, tx.due_at)
            if time.perf_counter() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = time.perf_counter()
        await self._commit(batch, due_at, durable=self._connection.total_changes() != changes)

    async def _begin(self) -> bool:
        """Take the file's write lock, waiting for other processes; on a timeout answer every waiting job StoreBusy."""
        deadline = time.monotonic() + self._busy_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                self._execute("BEGIN IMMEDIATE")
            except StoreBusy as busy:
                if time.monotonic() >= deadline:
                    self._fail_waiting(busy)
                    return False
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            except StoreUnavailable as failure:
                self.broken = True
                self._fail_waiting(failure)
                return False
            else:
                return True

    def _fail_waiting(self, error: BaseException) -> None:
        waiting = list(self._queue)
        self._queue.clear()
        for job in waiting:
            job.fail(error)

    async def _run_job(self, job: _Job) -> SqliteTransaction:
        """Run one command in its savepoint, keeping its outcome or error in the job. Raises TransactionLost."""
        tx = SqliteTransaction(self._connection, self._tenant_id)
        job.actions, job.outcome, job.error = (), None, None
        self._execute("SAVEPOINT command")
        try:
            job.outcome = await self._drive(run_work(tx, tx.ledger, job.work, self._clock.now_ms()))
            tx.require_whole()
            job.actions = tx.actions
        except Exception as error:  # the caller's to handle, when its batch is durable
            job.error = error
            if not self._connection.in_transaction:
                raise TransactionLost from error
            self._execute("ROLLBACK TO command")
        finally:
            tx.close()
        self._execute("RELEASE command")
        return tx

    async def _drive(self, command: Coroutine[Any, Any, Any]) -> Any:
        """Run a command to its end. Its only suspension is tx.slice(); one that waits for anything else is refused."""
        try:
            while True:
                try:
                    awaited = command.send(None)
                except StopIteration as stop:
                    return stop.value
                if awaited is not _SLICE:
                    raise SuspendedCommand(f"a command awaited {awaited!r}")
                await asyncio.sleep(0)
        finally:
            command.close()

    def _requeue(self, batch: list[_Job], culprit: _Job, lost: TransactionLost) -> None:
        """Answer the command that met the loss of the transaction; let the others run again, a few times."""
        _log.warning("sqlite_transaction_lost", tenant_id=self._tenant_id, commands=len(batch), exc_info=lost)
        culprit.deliver()
        for job in reversed(batch):
            if job is culprit:
                continue
            job.reruns += 1
            if job.reruns > RERUNS:
                job.fail(StoreUnavailable())
            else:
                self._queue.appendleft(job)

    async def _commit(self, batch: list[_Job], due_at: int | None, *, durable: bool) -> None:
        try:
            if due_at is not None:
                await self._marks.before_commit(due_at)
        except (StoreBusy, StoreUnavailable) as failure:
            self._give_up(batch, failure)
            return
        try:
            await self._end_transaction(durable=durable)
        except (StoreBusy, StoreUnavailable) as failure:
            _log.error("sqlite_commit_failed", tenant_id=self._tenant_id, commands=len(batch), exc_info=failure)
            self.broken = True
            self._give_up(batch, StoreUnavailable())
            return
        self.batches += 1
        for job in batch:
            job.deliver()
            run_actions(job.actions)
        if due_at is not None:
            await self._mark_again(due_at)

    def _give_up(self, batch: list[_Job], failure: StoreBusy | StoreUnavailable) -> None:
        """Take the batch back and tell its callers."""
        self._rollback()
        for job in batch:
            job.fail(failure)

    async def _mark_again(self, due_at: int) -> None:
        """Check the mark of what is durable now. When that fails nothing is lost: the sweep at start-up finds it."""
        try:
            await self._marks.after_commit(due_at)
        except (StoreBusy, StoreUnavailable) as failure:
            _log.warning("sqlite_mark_unchecked", tenant_id=self._tenant_id, exc_info=failure)

    async def _end_transaction(self, *, durable: bool) -> None:
        if not durable:
            self._execute("COMMIT")
            return
        self._committing = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._commit_in_thread)
        finally:
            self._committing = False

    def _commit_in_thread(self) -> None:
        with translated():
            self._connection.execute("COMMIT")

    def _execute(self, sql: str) -> None:
        self._require_quiet()
        with translated():
            self._connection.execute(sql)

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(StoreBusy, StoreUnavailable), translated():
                self._connection.execute("ROLLBACK")

    def _require_quiet(self) -> None:
        if self._committing:
            raise AssertionError("the writer connection was touched while COMMIT runs")


def _unavailable(error: BaseException) -> StoreUnavailable:
    failure = StoreUnavailable()
    failure.__cause__ = error
    return failure
