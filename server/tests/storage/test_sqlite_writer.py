"""Group commit on SQLite: durable before answered, isolated by savepoints, whole or not at all when the disk fails."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.storage import sqlite_writer
from hellojohn_server.storage.database import Exempt, Transaction
from hellojohn_server.storage.errors import (
    QueryTimeout,
    StoreBusy,
    StoreUnavailable,
    SuspendedCommand,
    UnauditedChange,
)
from hellojohn_server.storage.sqlite import SqliteDatabase
from hellojohn_server.storage.sqlite_files import SqliteOptions
from hellojohn_server.storage.sqlite_writer import Writer
from tests.storage.disk import Disk
from tests.storage.rows import INSERT_ORGANIZATION, UPDATE_ORGANIZATIONS, Rows, list_ids, list_recorded


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    watched = Disk(f"disk_{id(request)}")
    yield watched
    watched.before = None


@pytest.fixture
async def store(disk: Disk, tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteDatabase]:
    database = await SqliteDatabase.open(tmp_path / "data", clock, SqliteOptions(vfs=disk.name, busy_seconds=0.3))
    yield database
    disk.before = None
    await database.close()


@pytest.fixture
async def tenant(store: SqliteDatabase, ids: IdFactory) -> str:
    new_id = ids.new(IdPrefix.TENANT)
    await store.create_tenant(new_id)
    return new_id


@pytest.fixture
def rows(ids: IdFactory, clock: Clock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


async def writer_of(store: SqliteDatabase, tenant: str) -> Writer:
    file = await store._files.acquire(tenant)
    store._files.release(file)
    return file.writer


async def write_all(store: SqliteDatabase, tenant: str, rows: Rows, names: list[str]) -> list[str | BaseException]:
    return await asyncio.gather(
        *(store.write(tenant, rows.insert(name), str) for name in names), return_exceptions=True
    )


def answered_before_durable(events: list[tuple[str, str]], wal: str) -> list[str]:
    """Return the answers that came before a sync had followed their run and every write to the WAL."""
    early: list[str] = []
    dirty = False
    ran: dict[str, int] = {}
    syncs = 0
    for what, name in events:
        if name == wal:
            dirty = what == "write" if what in {"write", "sync"} else dirty
            syncs += what == "sync"
        elif what == "ran":
            ran[name] = syncs
        elif what == "answer" and (dirty or ran[name] == syncs):
            early.append(name)
    return early


async def observe_answers(store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk) -> list[tuple[str, str]]:
    await store.write(tenant, rows.insert("first"), str)
    disk.events.clear()

    async def call(name: str) -> None:
        async def command(tx: Transaction) -> str:
            await rows.insert(name)(tx)
            disk.events.append(("ran", name))
            return name

        await store.write(tenant, command, str)
        disk.events.append(("answer", name))

    async def client(number: int) -> None:
        for turn in range(10):
            await call(f"row_{number}_{turn}")

    await asyncio.gather(*(client(number) for number in range(8)))
    return disk.events


async def test_no_answer_precedes_its_fsync(store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk) -> None:
    events = await observe_answers(store, tenant, rows, disk)

    assert sum(what == "answer" for what, _ in events) == 80
    assert answered_before_durable(events, f"{tenant}.db-wal") == []


async def test_the_observation_sees_a_store_that_does_not_sync(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk
) -> None:
    (await writer_of(store, tenant))._connection.pragma("synchronous", "off")

    events = await observe_answers(store, tenant, rows, disk)

    assert len(answered_before_durable(events, f"{tenant}.db-wal")) == 80


async def test_callers_that_wait_together_share_a_commit(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "GATHER_SECONDS", 60)  # on a busy machine the commands take longer than usual
    writer = await writer_of(store, tenant)
    disk.events.clear()

    outcomes = await write_all(store, tenant, rows, [f"row_{number:02}" for number in range(64)])

    assert outcomes == [f"row_{number:02}" for number in range(64)]
    assert writer.batches == 1
    assert disk.events.count(("sync", f"{tenant}.db-wal")) <= 2


async def test_a_command_that_fails_takes_nothing_else_with_it(store: SqliteDatabase, tenant: str, rows: Rows) -> None:
    async def half(tx: Transaction) -> str:
        await rows.insert("half")(tx)
        raise LookupError("after its changes")

    outcomes = await asyncio.gather(
        store.write(tenant, rows.insert("a"), str),
        store.write(tenant, half, str),
        store.write(tenant, rows.insert("b"), str),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [str, LookupError, str]
    assert await store.read(tenant, list_ids) == ["a", "b"]
    assert await store.read(tenant, list_recorded) == ["a", "b"]


async def test_a_change_without_an_entry_is_refused_and_undone(store: SqliteDatabase, tenant: str) -> None:
    async def silent(tx: Transaction) -> None:
        await tx.execute(INSERT_ORGANIZATION, id="silent", name="x")

    with pytest.raises(UnauditedChange):
        await store.write(tenant, silent, type(None))

    assert await store.read(tenant, list_ids) == []
    await store.write(tenant, silent, type(None), exempt=Exempt.HOUSEKEEPING)
    assert await store.read(tenant, list_ids) == ["silent"]


async def test_a_command_that_awaits_anything_else_is_refused(store: SqliteDatabase, tenant: str, rows: Rows) -> None:
    async def waits(tx: Transaction) -> str:
        await rows.insert("waits")(tx)
        await asyncio.sleep(0.001)
        return "never"

    with pytest.raises(SuspendedCommand):
        await store.write(tenant, waits, str)

    assert await store.read(tenant, list_ids) == []


async def test_a_sliced_command_lets_reads_go_on_and_no_other_command_in(
    store: SqliteDatabase, tenant: str, rows: Rows
) -> None:
    order: list[str] = []
    inside = asyncio.Event()

    async def sliced(tx: Transaction) -> str:
        await rows.insert("sliced")(tx)
        inside.set()
        for turn in range(5):
            order.append(f"slice {turn}")
            await tx.slice()
        return "sliced"

    async def other(tx: Transaction) -> str:
        order.append("other command")
        return await rows.insert("other")(tx)

    writing = asyncio.create_task(store.write(tenant, sliced, str))
    await inside.wait()
    also = asyncio.create_task(store.write(tenant, other, str))
    assert await store.read(tenant, list_ids) == []
    order.append("read")
    await asyncio.gather(writing, also)

    assert order.index("read") < order.index("slice 4") < order.index("other command")


async def test_a_transaction_is_of_no_use_after_its_command(store: SqliteDatabase, tenant: str, rows: Rows) -> None:
    kept: list[Transaction] = []

    async def keep(tx: Transaction) -> str:
        kept.append(tx)
        return await rows.insert("kept")(tx)

    await store.write(tenant, keep, str)

    with pytest.raises(RuntimeError, match="only while its command runs"):
        await kept[0].execute(UPDATE_ORGANIZATIONS)


async def test_the_writer_is_not_touched_while_commit_runs(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk
) -> None:
    writer = await writer_of(store, tenant)
    syncing, go_on = threading.Event(), threading.Event()

    def hold(what: str, file: str) -> None:
        if what == "sync" and file == f"{tenant}.db-wal":
            syncing.set()
            go_on.wait(10)

    disk.before = hold
    writing = asyncio.create_task(store.write(tenant, rows.insert("a"), str))
    while not syncing.is_set():  # noqa: ASYNC110 - it is set in another thread
        await asyncio.sleep(0.001)
    try:
        with pytest.raises(AssertionError, match="while COMMIT runs"):
            writer._execute("SELECT 1")
        assert await store.read(tenant, list_ids) == []
    finally:
        go_on.set()
    assert await writing == "a"


@pytest.mark.parametrize("failure", [apsw.FullError, apsw.IOError])
@pytest.mark.parametrize("operation", ["write", "sync"])
async def test_a_disk_that_fails_in_commit_answers_everyone_and_keeps_nothing(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk, failure: type[apsw.Error], operation: str
) -> None:
    await store.write(tenant, rows.insert("before"), str)

    def fail(what: str, file: str) -> None:
        if what == operation and file == f"{tenant}.db-wal":
            raise failure

    disk.before = fail
    outcomes = await write_all(store, tenant, rows, ["a", "b", "c"])
    disk.before = None

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await store.read(tenant, list_ids) == ["before"]
    assert await store.write(tenant, rows.insert("after"), str) == "after"
    assert sorted(await store.read(tenant, list_ids)) == ["after", "before"]
    assert sorted(await store.read(tenant, list_recorded)) == ["after", "before"]


async def test_a_transaction_lost_under_a_command_runs_the_others_again(
    store: SqliteDatabase, tenant: str, rows: Rows
) -> None:
    writer = await writer_of(store, tenant)
    await write_all(store, tenant, rows, [f"row_{number:02}" for number in range(20)])

    async def interrupted(tx: Transaction) -> str:
        writer._connection.set_progress_handler(lambda: True, 1)
        try:
            await tx.execute(UPDATE_ORGANIZATIONS)
        finally:
            writer._connection.set_progress_handler(None)
        return "never"

    outcomes = await asyncio.gather(
        store.write(tenant, rows.insert("a"), str),
        store.write(tenant, interrupted, str),
        store.write(tenant, rows.insert("b"), str),
        return_exceptions=True,
    )

    assert outcomes[0] == "a"
    assert isinstance(outcomes[1], QueryTimeout)
    assert outcomes[2] == "b"
    ids = await store.read(tenant, list_ids)
    assert len(ids) == 22
    assert sorted(await store.read(tenant, list_recorded)) == ids


async def test_a_command_waits_for_another_process_and_then_goes_on(
    store: SqliteDatabase, tenant: str, rows: Rows, tmp_path: Path
) -> None:
    await writer_of(store, tenant)
    other = apsw.Connection(str(tmp_path / "data" / "tenants" / f"{tenant}.db"))
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.write(tenant, rows.insert("a"), str))
    await asyncio.sleep(0.02)
    assert not writing.done()
    other.execute("COMMIT")
    assert await writing == "a"
    other.close()


async def test_a_lock_held_too_long_is_busy_and_nothing_is_written(
    store: SqliteDatabase, tenant: str, rows: Rows, tmp_path: Path
) -> None:
    await writer_of(store, tenant)
    other = apsw.Connection(str(tmp_path / "data" / "tenants" / f"{tenant}.db"))
    other.execute("BEGIN IMMEDIATE")

    outcomes = await write_all(store, tenant, rows, ["a", "b"])

    assert [type(outcome) for outcome in outcomes] == [StoreBusy, StoreBusy]
    other.execute("COMMIT")
    other.close()
    assert await store.read(tenant, list_ids) == []
    assert await store.write(tenant, rows.insert("c"), str) == "c"


async def test_a_caller_that_goes_away_disturbs_nobody(store: SqliteDatabase, tenant: str, rows: Rows) -> None:
    tasks = [asyncio.create_task(store.write(tenant, rows.insert(f"row_{number}"), str)) for number in range(8)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == ["row_1", "row_3", "row_5", "row_7"]
    assert await store.read(tenant, list_ids) == await store.read(tenant, list_recorded)


async def test_a_mark_is_durable_before_the_rows_it_is_for(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk
) -> None:
    await store.write(tenant, rows.insert("before"), str)
    disk.events.clear()

    async def due(tx: Transaction) -> str:
        tx.mark_due(12345)
        return await rows.insert("due")(tx)

    await store.write(tenant, due, str)

    syncs = [file for what, file in disk.events if what == "sync" and file.endswith("-wal")]
    assert set(syncs[:-1]) == {"control.db-wal"}
    assert syncs[-1] == f"{tenant}.db-wal"
    assert [(pending.tenant_id, pending.due_at) for pending in await store.pending(12345, 10)] == [(tenant, 12345)]
    assert await store.pending(12344, 10) == []


async def test_a_mark_cleared_between_mark_and_commit_is_made_again(
    store: SqliteDatabase, tenant: str, rows: Rows, disk: Disk
) -> None:
    await store.write(tenant, rows.insert("before"), str)
    loop = asyncio.get_running_loop()
    cleared = threading.Event()

    def clear_before_the_tenant_commits(what: str, file: str) -> None:
        if what == "write" and file == f"{tenant}.db-wal" and not cleared.is_set():
            cleared.set()
            asyncio.run_coroutine_threadsafe(settle(), loop).result(10)

    async def settle() -> None:
        async def nothing_is_due(_: object) -> None:
            return None

        for pending in await store.pending(99, 10):
            await store.settle(pending, nothing_is_due)

    async def due(tx: Transaction) -> str:
        tx.mark_due(99)
        return await rows.insert("due")(tx)

    disk.before = clear_before_the_tenant_commits
    await store.write(tenant, due, str)
    await (await writer_of(store, tenant)).wait_idle()

    assert cleared.is_set()
    assert [pending.tenant_id for pending in await store.pending(99, 10)] == [tenant]


class FailingMarks:
    """Marks that fail before or after the commit."""

    def __init__(self, when: str) -> None:
        self._when = when

    async def before_commit(self, due_at: int) -> None:
        self._fail("before", due_at)

    async def after_commit(self, due_at: int) -> None:
        self._fail("after", due_at)

    def _fail(self, when: str, _: int) -> None:
        if when == self._when:
            raise StoreBusy


@pytest.mark.parametrize(("when", "kept"), [("before", []), ("after", ["plain", "with_due_rows"])])
async def test_a_mark_that_fails_takes_back_only_what_is_not_durable_yet(
    store: SqliteDatabase, tenant: str, rows: Rows, when: str, kept: list[str]
) -> None:
    writer = await writer_of(store, tenant)
    writer._marks = FailingMarks(when)

    async def due(tx: Transaction) -> str:
        tx.mark_due(1)
        return await rows.insert("with_due_rows")(tx)

    outcomes = await asyncio.gather(
        store.write(tenant, rows.insert("plain"), str), store.write(tenant, due, str), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == ([StoreBusy] * 2 if when == "before" else [str] * 2)
    assert await store.read(tenant, list_ids) == kept
    assert await store.write(tenant, rows.insert("later"), str) == "later"
    assert await store.read(tenant, list_ids) == sorted([*kept, "later"])
