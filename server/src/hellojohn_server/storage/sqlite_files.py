"""The files of the embedded store.

Opened and migrated in a thread, once however many ask; copied from a template when new; kept open in a cache from which
a file in use is never evicted.
"""

import asyncio
import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, is_id
from hellojohn_server.storage.errors import StoreUnavailable, TenantStoreNotFound
from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from hellojohn_server.storage.sqlite_driver import Connection, connect, translated
from hellojohn_server.storage.sqlite_reader import ReadPool, SqliteReader
from hellojohn_server.storage.sqlite_writer import Marks, Writer

T = TypeVar("T")

_CONTROL_FILE: Final = "control.db"
_TENANTS_FOLDER: Final = "tenants"
_COMMIT_THREADS: Final = 8
_READ_THREADS: Final = 4
_UNUSED_POLL_SECONDS: Final = 0.005
_MIGRATION_BUSY_MS: Final = 10_000


class SqliteOptions(msgspec.Struct, frozen=True):
    """Limits of the embedded store. `vfs` names a VFS of the driver: tests watch or break the disk with one."""

    read_budget_seconds: float = 0.002
    long_read_seconds: float = 5.0
    busy_seconds: float = 5.0
    open_files: int = 128
    vfs: str | None = None


class SqliteFile:
    """One open file: its writer, its readers, and how many calls are using it."""

    def __init__(self, writer: Writer, pool: ReadPool, connection: Connection, tenant_id: str) -> None:
        self.writer = writer
        self.pool = pool
        self.tenant_id = tenant_id
        self.pins = 0
        self._connection = connection

    def reader(self, *, long: bool) -> SqliteReader:
        """Return a view for one query."""
        return SqliteReader(self.pool, self.tenant_id, long=long)

    def close(self) -> None:
        """Close every connection; the last one folds the WAL into the file. Nothing may be running."""
        self.pool.close()
        self._connection.close()


class FileCache:
    """The open files of one data directory. Belongs to one event loop."""

    def __init__(self, data_dir: Path, options: SqliteOptions, clock: Clock, marks: Callable[[str], Marks]) -> None:
        self._data_dir = data_dir
        self._options = options
        self._clock = clock
        self._marks = marks
        self._commits: Executor = ThreadPoolExecutor(_COMMIT_THREADS, thread_name_prefix="sqlite-commit")
        self._reads: Executor = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="sqlite-read")
        self._open: OrderedDict[str, SqliteFile] = OrderedDict()
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._creating = asyncio.Lock()
        self._dropping: set[str] = set()
        self._template: bytes | None = None
        self._closing = False

    async def acquire(self, tenant_id: str) -> SqliteFile:
        """Return a tenant's open file, kept open until `release`. Raises TenantStoreNotFound, StoreUnavailable."""
        while (file := self.acquire_open(tenant_id)) is None:
            await self._open_once(tenant_id)
        return file

    def acquire_open(self, tenant_id: str) -> SqliteFile | None:
        """Return a tenant's file as `acquire` does if it is open already, or None."""
        file = self._open.get(tenant_id)
        if file is None or file.writer.broken:
            return None
        file.pins += 1
        self._open.move_to_end(tenant_id)
        return file

    @staticmethod
    def release(file: SqliteFile) -> None:
        """Say that one use of a file is over."""
        file.pins -= 1

    async def prepare(self) -> None:
        """Make the directories and control.db where they are missing, and bring control.db to the newest schema."""
        await self._in_thread(self._prepare)

    async def create(self, tenant_id: str) -> None:
        """Make a tenant's file from the template, durably. Again is harmless."""
        path = self._path_of(tenant_id)
        async with self._creating:  # two at once would write one template, and one unfinished file
            await self._in_thread(self._create, path)

    async def drop(self, tenant_id: str) -> None:
        """Close and remove a tenant's file. Again is harmless. Calls that use it end first; new ones find nothing."""
        if tenant_id == CONTROL_TENANT_ID:
            raise TenantStoreNotFound
        path = self._path_of(tenant_id)
        self._dropping.add(tenant_id)
        try:
            opening = self._opening.get(tenant_id)
            if opening is not None:
                await asyncio.wait({opening})
            file = self._open.pop(tenant_id, None)
            if file is not None:
                await self._close(file)
            await self._in_thread(_remove, path)
        finally:
            self._dropping.discard(tenant_id)

    async def close(self) -> None:
        """Wait for what runs, then close every file, the control store last: the others may still mark work in it.

        A call that has no open file yet gets StoreUnavailable.
        """
        self._closing = True
        if self._opening:
            await asyncio.wait(self._opening.values())
        for tenant_id in sorted(self._open, key=lambda tenant_id: tenant_id == CONTROL_TENANT_ID):
            await self._close(self._open.pop(tenant_id))
        self._commits.shutdown()
        self._reads.shutdown()

    async def _open_once(self, tenant_id: str) -> None:
        """Open a file once for everyone who asks meanwhile."""
        if self._closing:
            raise StoreUnavailable
        opening = self._opening.get(tenant_id)
        if opening is None:
            opening = asyncio.create_task(self._open_file(tenant_id))
            self._opening[tenant_id] = opening
        await asyncio.shield(opening)

    async def _open_file(self, tenant_id: str) -> None:
        """Open a file. One whose disk failed is closed first, so that opening it recovers what is durable."""
        try:
            path = self._path_of(tenant_id)
            broken = self._open.pop(tenant_id, None)
            if broken is not None:
                await self._close(broken)
            if tenant_id in self._dropping:
                raise TenantStoreNotFound
            self._open[tenant_id] = await self._in_thread(self._connect_file, tenant_id, path)
            await self._evict(keep=tenant_id)
        finally:
            self._opening.pop(tenant_id, None)

    async def _evict(self, keep: str) -> None:
        """Close the files that were used longest ago and are not in use, down to the limit."""
        while len(self._open) > self._options.open_files:
            victim = next(
                (
                    tenant_id
                    for tenant_id, file in self._open.items()
                    if file.pins == 0
                    and file.writer.is_idle
                    and tenant_id not in (keep, CONTROL_TENANT_ID)
                    and tenant_id not in self._opening
                ),
                None,
            )
            if victim is None:
                return
            await self._in_thread(self._open.pop(victim).close)

    async def _close(self, file: SqliteFile) -> None:
        while file.pins or not file.writer.is_idle:
            await file.writer.wait_idle()
            await asyncio.sleep(_UNUSED_POLL_SECONDS if file.pins else 0)
        await self._in_thread(file.close)

    async def _in_thread(self, call: Callable[..., T], *arguments: object) -> T:
        def run() -> T:
            with translated():
                return call(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self._commits, run)

    def _path_of(self, tenant_id: str) -> Path:
        if tenant_id == CONTROL_TENANT_ID:
            return self._data_dir / _CONTROL_FILE
        if not is_id(tenant_id, IdPrefix.TENANT):
            raise TenantStoreNotFound
        return self._data_dir / _TENANTS_FOLDER / f"{tenant_id}.db"

    def _prepare(self) -> None:
        try:
            (self._data_dir / _TENANTS_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"The data directory cannot be used: {error.strerror}.") from error
        path = self._data_dir / _CONTROL_FILE
        connection = connect(path, create=True, vfs=self._options.vfs)
        try:
            with contextlib.suppress(PermissionError):  # another user's file that we may write: that user's to close
                path.chmod(0o600)
            _migrate(connection, Plane.CONTROL)
        finally:
            connection.close()

    def _create(self, path: Path) -> None:
        if path.exists():
            return
        if self._template is None:
            self._template = self._make_template()
        unfinished = path.with_suffix(f".{os.getpid()}.new")
        try:
            _write_durably(unfinished, self._template)
            with contextlib.suppress(FileExistsError):  # another process made it meanwhile, and may have filled it
                path.hardlink_to(unfinished)
            _sync_directory(path.parent)
        except OSError as error:
            raise StoreUnavailable(f"The tenant's file cannot be made: {error.strerror}.") from error
        finally:
            unfinished.unlink(missing_ok=True)

    def _make_template(self) -> bytes:
        """Return the bytes of an empty tenant file of the newest schema (DDL statement by statement takes 600 ms)."""
        path = self._data_dir / f"template.{os.getpid()}.new"
        _remove(path)
        connection = connect(path, create=True, vfs=self._options.vfs)
        try:
            _migrate(connection, Plane.TENANT)
        finally:
            connection.close()
        template = path.read_bytes()
        _remove(path)
        return template

    def _connect_file(self, tenant_id: str, path: Path) -> SqliteFile:
        if not path.exists():
            raise TenantStoreNotFound
        connection = connect(path, vfs=self._options.vfs)
        try:
            _migrate(connection, Plane.CONTROL if tenant_id == CONTROL_TENANT_ID else Plane.TENANT)
            pool = ReadPool(
                lambda: connect(path, read_only=True, vfs=self._options.vfs),
                self._reads,
                budget_seconds=self._options.read_budget_seconds,
                long_seconds=self._options.long_read_seconds,
            )
        except BaseException:
            connection.close()
            raise
        writer = Writer(
            connection,
            tenant_id,
            self._clock,
            self._commits,
            busy_seconds=self._options.busy_seconds,
            marks=self._marks(tenant_id),
        )
        return SqliteFile(writer, pool, connection, tenant_id)


def _migrate(connection: Connection, plane: Plane) -> None:
    """Bring a file to the newest schema, a transaction each. Raises StoreUnavailable when the file is newer."""
    migrations = load_migrations(Engine.SQLITE, plane)
    if connection.pragma("user_version") == len(migrations):
        return
    connection.set_busy_timeout(_MIGRATION_BUSY_MS)
    for migration in migrations:
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = connection.pragma("user_version")
            _require_known(found, len(migrations))
            if found < migration.number:
                connection.execute(migration.sql)
                connection.pragma("user_version", migration.number)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    connection.set_busy_timeout(0)


def _require_known(found: int, known: int) -> None:
    if found > known:
        raise StoreUnavailable(f"The store has schema {found}, this program knows {known}: upgrade the program.")


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a database file, its WAL and shared memory first, so that after a crash it is still there to remove."""
    for suffix in ("-shm", "-wal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
