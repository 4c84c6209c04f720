"""Tenant files: opened once, kept while in use, evicted when many, migrated when old, refused when newer."""

import asyncio
import errno
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.errors import StoreUnavailable, TenantStoreNotFound
from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from hellojohn_server.storage.sqlite import SqliteDatabase
from hellojohn_server.storage.sqlite_files import SqliteOptions
from tests.storage.disk import Disk, DiskFile
from tests.storage.rows import Rows, list_ids

OPEN_FILES = 3


class CountingDisk(Disk):
    """Counts how often each file is opened."""

    def __init__(self, name: str) -> None:
        self.opened: list[str] = []
        super().__init__(name)

    def xOpen(self, name: object, flags: list[int]) -> DiskFile:  # noqa: N802 - the driver's name
        file = super().xOpen(name, flags)
        self.opened.append(file._file)
        return file


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> CountingDisk:
    return CountingDisk(f"counting_{id(request)}")


@pytest.fixture
async def store(disk: Disk, tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteDatabase]:
    options = SqliteOptions(
        open_files=OPEN_FILES, vfs=disk.name, read_budget_seconds=60
    )  # no read opens a thread's own
    database = await SqliteDatabase.open(tmp_path / "data", clock, options)
    yield database
    await database.close()


@pytest.fixture
def rows(ids: IdFactory, clock: Clock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


async def make_tenant(store: SqliteDatabase, ids: IdFactory) -> str:
    new_id = ids.new(IdPrefix.TENANT)
    await store.create_tenant(new_id)
    return new_id


async def test_a_file_is_opened_once_however_many_ask(
    store: SqliteDatabase, ids: IdFactory, disk: CountingDisk
) -> None:
    tenant = await make_tenant(store, ids)
    disk.opened.clear()

    await asyncio.gather(*(store.read(tenant, list_ids) for _ in range(50)))

    assert disk.opened.count(f"{tenant}.db") == 2  # the writer and the loop's reader


async def test_files_beyond_the_limit_are_closed_and_opened_again_when_asked_for(
    store: SqliteDatabase, ids: IdFactory, rows: Rows
) -> None:
    tenants = [await make_tenant(store, ids) for _ in range(8)]
    for tenant in tenants:
        await store.write(tenant, rows.insert(f"of {tenant}"), str)

    assert len(store._files._open) <= OPEN_FILES
    for tenant in tenants:
        assert await store.read(tenant, list_ids) == [f"of {tenant}"]


async def test_a_file_in_use_is_never_evicted(store: SqliteDatabase, ids: IdFactory) -> None:
    used = await make_tenant(store, ids)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def stay(reader: Reader) -> list[str]:
        inside.set()
        await go_on.wait()
        return await list_ids(reader)

    reading = asyncio.create_task(store.read(used, stay))
    await inside.wait()
    for _ in range(6):
        await store.read(await make_tenant(store, ids), list_ids)

    assert used in store._files._open
    go_on.set()
    assert await reading == []


async def test_a_new_tenant_has_the_newest_schema_and_is_private(
    store: SqliteDatabase, ids: IdFactory, tmp_path: Path
) -> None:
    tenant = await make_tenant(store, ids)
    path = tmp_path / "data" / "tenants" / f"{tenant}.db"

    connection = apsw.Connection(str(path))
    version = connection.pragma("user_version")
    connection.close()

    assert version == len(load_migrations(Engine.SQLITE, Plane.TENANT))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data" / "control.db").stat().st_mode) == 0o600


async def test_a_control_file_that_another_user_owns_is_used_as_it_is(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)  # what the system answers then: a test has one user only
    database = await SqliteDatabase.open(tmp_path / "data", clock)
    await database.check()
    await database.close()


async def test_making_a_tenant_again_keeps_what_it_has(store: SqliteDatabase, ids: IdFactory, rows: Rows) -> None:
    tenant = await make_tenant(store, ids)
    await store.write(tenant, rows.insert("kept"), str)

    await store.create_tenant(tenant)

    assert await store.read(tenant, list_ids) == ["kept"]


@pytest.mark.parametrize("tenant", ["tnt_01HABCDEF0000000000000000", "../../etc/passwd", "", "usr_" + "0" * 26])
async def test_a_tenant_without_a_file_is_not_found_and_no_file_is_made(
    store: SqliteDatabase, tmp_path: Path, tenant: str
) -> None:
    before = sorted((tmp_path / "data").rglob("*"))

    with pytest.raises(TenantStoreNotFound):
        await store.read(tenant, list_ids)

    assert sorted((tmp_path / "data").rglob("*"))[: len(before)] == before
    assert [path for path in (tmp_path / "data" / "tenants").iterdir() if path.suffix == ".db"] == []


async def test_a_dropped_tenant_is_gone_when_its_calls_have_ended(
    store: SqliteDatabase, ids: IdFactory, rows: Rows, tmp_path: Path
) -> None:
    tenant = await make_tenant(store, ids)
    await store.write(tenant, rows.insert("gone"), str)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def stay(reader: Reader) -> list[str]:
        inside.set()
        await go_on.wait()
        return await list_ids(reader)

    reading = asyncio.create_task(store.read(tenant, stay))
    await inside.wait()
    dropping = asyncio.create_task(store.drop_tenant(tenant))
    await asyncio.sleep(0.01)
    with pytest.raises(TenantStoreNotFound):
        await store.read(tenant, list_ids)
    go_on.set()
    assert await reading == ["gone"]
    await dropping

    assert list((tmp_path / "data" / "tenants").iterdir()) == []
    await store.drop_tenant(tenant)


async def test_a_tenant_dropped_while_its_file_is_opened_stays_gone(store: SqliteDatabase, ids: IdFactory) -> None:
    tenant = await make_tenant(store, ids)
    reading = [asyncio.create_task(store.read(tenant, list_ids)) for _ in range(4)]
    await asyncio.sleep(0)

    await store.drop_tenant(tenant)

    await asyncio.gather(*reading, return_exceptions=True)
    with pytest.raises(TenantStoreNotFound):
        await store.read(tenant, list_ids)


async def test_an_old_file_is_migrated_when_it_is_opened(store: SqliteDatabase, ids: IdFactory, tmp_path: Path) -> None:
    tenant = ids.new(IdPrefix.TENANT)
    apsw.Connection(str(tmp_path / "data" / "tenants" / f"{tenant}.db")).close()

    await asyncio.gather(*(store.read(tenant, list_ids) for _ in range(5)))

    assert await store.read(tenant, list_ids) == []


async def test_a_file_of_a_newer_program_is_refused(store: SqliteDatabase, ids: IdFactory, tmp_path: Path) -> None:
    tenant = await make_tenant(store, ids)
    connection = apsw.Connection(str(tmp_path / "data" / "tenants" / f"{tenant}.db"))
    connection.pragma("user_version", 9999)
    connection.close()

    with pytest.raises(StoreUnavailable, match="upgrade the program"):
        await store.read(tenant, list_ids)


async def test_a_data_directory_that_cannot_be_used_says_so(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(StoreUnavailable, match="data directory"):
        await SqliteDatabase.open(tmp_path / "file" / "data", clock)


async def test_what_was_written_is_there_after_closing(
    store: SqliteDatabase, ids: IdFactory, rows: Rows, tmp_path: Path, clock: Clock
) -> None:
    tenant = await make_tenant(store, ids)
    await store.read(tenant, list_ids)
    writing = [asyncio.create_task(store.write(tenant, rows.insert(f"row_{n}"), str)) for n in range(5)]
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.read(tenant, list_ids)
    assert await asyncio.gather(*writing) == [f"row_{n}" for n in range(5)]

    again = await SqliteDatabase.open(tmp_path / "data", clock)
    assert await again.read(tenant, list_ids) == [f"row_{n}" for n in range(5)]
    assert CONTROL_TENANT_ID not in again._files._open
    await again.close()


async def test_several_may_open_a_new_directory_at_once(tmp_path: Path, clock: Clock) -> None:
    opened = await asyncio.gather(*(SqliteDatabase.open(tmp_path / "data", clock) for _ in range(8)))

    for database in opened:
        await database.check()
        await database.close()


async def test_calls_that_arrive_while_the_store_closes_end_whole_or_refused(
    store: SqliteDatabase, ids: IdFactory, rows: Rows, tmp_path: Path, clock: Clock
) -> None:
    tenant = await make_tenant(store, ids)
    await store.read(tenant, list_ids)
    answered: list[str] = []

    async def client(number: int) -> None:
        for turn in range(50):
            try:
                answered.append(await store.write(tenant, rows.insert(f"row_{number}_{turn:02}"), str))
            except StoreUnavailable:
                return

    clients = [asyncio.create_task(client(number)) for number in range(8)]
    while len(answered) < 20:  # noqa: ASYNC110 - a plain list
        await asyncio.sleep(0.001)
    await store.close()
    await asyncio.gather(*clients)

    again = await SqliteDatabase.open(tmp_path / "data", clock)
    assert await again.read(tenant, list_ids) == sorted(answered)
    await again.close()


async def test_many_tenants_share_few_open_files_and_every_call_is_answered(
    store: SqliteDatabase, ids: IdFactory, rows: Rows
) -> None:
    tenants = [await make_tenant(store, ids) for _ in range(4 * OPEN_FILES)]

    async def client(number: int) -> int:
        for turn in range(30):
            tenant = tenants[(number * 7 + turn * 5) % len(tenants)]
            if turn % 3:
                await store.read(tenant, list_ids)
            else:
                await store.write(tenant, rows.insert(f"row_{number}_{turn}"), str)
        return 30

    answered = await asyncio.wait_for(asyncio.gather(*(client(number) for number in range(16))), 60)

    assert sum(answered) == 16 * 30
    assert sum([len(await store.read(tenant, list_ids)) for tenant in tenants]) == 16 * 10
