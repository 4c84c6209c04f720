"""The embedded store: control.db and one file for each tenant, each with its own writer.

Made of sqlite_files (opening, template, cache), sqlite_writer (group commit), sqlite_reader (reads under a budget).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import (
    Command,
    Database,
    Exempt,
    Guard,
    Parameter,
    Pending,
    Query,
    Reader,
    Transaction,
    Work,
)
from hellojohn_server.storage.errors import TenantStoreNotFound
from hellojohn_server.storage.sql import Kind, Statement
from hellojohn_server.storage.sqlite_driver import limit_memory
from hellojohn_server.storage.sqlite_files import FileCache, SqliteOptions
from hellojohn_server.storage.sqlite_writer import Marks

T = TypeVar("T")

INSERT_MARK = Statement(
    """
    INSERT INTO pending_work (for_tenant, due_at, generation) VALUES (:for_tenant, :due_at, 1)
    ON CONFLICT (for_tenant) DO UPDATE
    SET due_at = min(due_at, excluded.due_at), generation = generation + 1
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_MARKS = Statement(
    """
    SELECT for_tenant, due_at, generation FROM pending_work
    WHERE due_at <= :now AND for_tenant NOT IN (SELECT value FROM json_each(:besides))
    ORDER BY due_at, for_tenant LIMIT :limit
    """
)
DELETE_TENANT_MARK = Statement("DELETE FROM pending_work WHERE for_tenant = :for_tenant", kind=Kind.BOOKKEEPING)
DELETE_MARK = Statement(
    "DELETE FROM pending_work WHERE for_tenant = :for_tenant AND generation = :generation", kind=Kind.BOOKKEEPING
)
GET_MARK = Statement("SELECT due_at FROM pending_work WHERE for_tenant = :for_tenant")
PROBE = Statement("SELECT count(*) FROM (SELECT 1 FROM tenants LIMIT 1)")


class SqliteDatabase(Database):
    """Every tenant's file and control.db under one directory. Belongs to the event loop it was opened on."""

    def __init__(self, data_dir: Path, clock: Clock, options: SqliteOptions) -> None:
        self._files = FileCache(data_dir, options, clock, lambda tenant_id: _TenantMarks(self, tenant_id))
        self._marked: dict[str, int] = {}

    @classmethod
    async def open(cls, data_dir: Path, clock: Clock, options: SqliteOptions | None = None) -> "SqliteDatabase":
        """Open (or make) the stores under `data_dir`, bringing control.db to the newest schema.

        Raises StoreUnavailable when the directory cannot be used, or holds a newer schema than this program knows.
        """
        limit_memory()
        database = cls(data_dir, clock, options or SqliteOptions())
        try:
            await database._files.prepare()
        except BaseException:
            await database.close()
            raise
        return database

    async def read(self, tenant_id: str, query: Query[T], *, long: bool = False) -> T:
        file = self._files.acquire_open(tenant_id) or await self._files.acquire(tenant_id)
        try:
            return await query(file.reader(long=long))
        finally:
            self._files.release(file)

    async def write(  # noqa: PLR0913 - the protocol's signature
        self,
        tenant_id: str,
        command: Command[T],
        result: type[T],
        *,
        guard: Guard | None = None,
        idempotency: Idempotency | None = None,
        exempt: Exempt | None = None,
    ) -> T:
        file = await self._files.acquire(tenant_id)
        try:
            outcome: T = await file.writer.submit(Work(command, result, guard, idempotency, exempt))
            return outcome
        finally:
            self._files.release(file)

    async def create_tenant(self, tenant_id: str) -> None:
        await self._files.create(tenant_id)

    async def drop_tenant(self, tenant_id: str) -> None:
        await self._files.drop(tenant_id)
        await self._control(DELETE_TENANT_MARK, for_tenant=tenant_id)

    async def pending(self, now_ms: int, limit: int, besides: Sequence[str] = ()) -> list[Pending]:
        async def list_marks(reader: Reader) -> list[Pending]:
            rows = await reader.fetch_all(LIST_MARKS, now=now_ms, limit=limit, besides=besides)
            return [Pending(*row) for row in rows]

        return await self.read(CONTROL_TENANT_ID, list_marks)

    async def settle(self, pending: Pending, next_due: Query[int | None]) -> None:
        self._marked.pop(pending.tenant_id, None)
        await self._control(DELETE_MARK, for_tenant=pending.tenant_id, generation=pending.generation)
        try:
            due_at = await self.read(pending.tenant_id, next_due)
        except TenantStoreNotFound:
            raise
        except BaseException:
            await self.require_mark(pending.tenant_id, pending.due_at)
            raise
        if due_at is not None:
            await self.require_mark(pending.tenant_id, due_at)

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> tuple[set[str], str | None]:
        """Return all of them: to look into each file takes a few microseconds, and nothing else tells."""
        del since
        return set(tenant_ids), None

    async def check(self) -> None:
        async def probe(reader: Reader) -> None:
            await reader.fetch_one(PROBE)

        await self.read(CONTROL_TENANT_ID, probe)

    async def close(self) -> None:
        await self._files.close()

    async def mark(self, tenant_id: str, due_at: int) -> None:
        """Commit a mark in control.db that `tenant_id` has work due at `due_at`."""
        await self._control(INSERT_MARK, for_tenant=tenant_id, due_at=due_at)
        self._marked[tenant_id] = due_at

    def has_marked(self, tenant_id: str, due_at: int) -> bool:
        """Say whether this process made a mark at or before `due_at` (another may have cleared it since)."""
        return self._marked.get(tenant_id, due_at + 1) <= due_at

    async def require_mark(self, tenant_id: str, due_at: int) -> None:
        """Mark `due_at` again when no mark at or before it stands."""

        async def get_mark(reader: Reader) -> int | None:
            row = await reader.fetch_one(GET_MARK, for_tenant=tenant_id)
            return None if row is None else int(row[0])

        standing = await self.read(CONTROL_TENANT_ID, get_mark)
        if standing is None or standing > due_at:
            await self.mark(tenant_id, due_at)

    async def _control(self, statement: Statement, **parameters: Parameter) -> None:
        async def execute(tx: Transaction) -> None:
            await tx.execute(statement, **parameters)

        await self.write(CONTROL_TENANT_ID, execute, type(None), exempt=Exempt.HOUSEKEEPING)


class _TenantMarks(Marks):
    """The marks of one tenant's file. The control store needs none: the worker always looks into it."""

    def __init__(self, database: SqliteDatabase, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id

    async def before_commit(self, due_at: int) -> None:
        if self._tenant_id != CONTROL_TENANT_ID and not self._database.has_marked(self._tenant_id, due_at):
            await self._database.mark(self._tenant_id, due_at)

    async def after_commit(self, due_at: int) -> None:
        if self._tenant_id != CONTROL_TENANT_ID:
            await self._database.require_mark(self._tenant_id, due_at)
