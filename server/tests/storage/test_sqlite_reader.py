"""Reads on SQLite: the event loop is never held, and a question that takes too long is one clear refusal."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.errors import QueryTimeout
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite import SqliteDatabase
from hellojohn_server.storage.sqlite_driver import connect
from hellojohn_server.storage.sqlite_files import SqliteOptions
from hellojohn_server.storage.sqlite_reader import ReadPool
from tests.storage.rows import INSERT_ORGANIZATION, LIST_ORGANIZATIONS

COUNT_TO = Statement(
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"
    " SELECT count(*) FROM numbers"
)
TEXT_SEARCH = Statement("SELECT count(*) FROM users_trigrams WHERE users_trigrams MATCH :words")
QUICK = 100
SLOW = 400_000
ENDLESS = 10**12


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteDatabase]:
    options = SqliteOptions(long_read_seconds=2.0)
    database = await SqliteDatabase.open(tmp_path / "data", clock, options)
    yield database
    await database.close()


@pytest.fixture
async def tenant(store: SqliteDatabase, ids: IdFactory) -> str:
    new_id = ids.new(IdPrefix.TENANT)
    await store.create_tenant(new_id)
    return new_id


async def pool_of(store: SqliteDatabase, tenant: str) -> ReadPool:
    file = await store._files.acquire(tenant)
    store._files.release(file)
    return file.pool


async def count_to(reader: Reader, last: int) -> int:
    row = await reader.fetch_one(COUNT_TO, last=last)
    assert row is not None
    return int(row[0])


async def test_a_quick_read_stays_on_the_loop(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)
    pool._budget_seconds = 60

    assert await store.read(tenant, lambda reader: count_to(reader, QUICK)) == QUICK
    assert pool.escalations == 0


async def test_a_read_over_the_budget_is_answered_from_a_thread(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    ticking = asyncio.create_task(turn())
    assert await store.read(tenant, lambda reader: count_to(reader, SLOW)) == SLOW
    ticking.cancel()

    assert pool.escalations == 1
    assert turns > 10


async def test_a_read_that_was_slow_twice_is_not_tried_on_the_loop_the_next_times(
    store: SqliteDatabase, tenant: str
) -> None:
    pool = await pool_of(store, tenant)
    pool._budget_seconds = 0
    counts = [pool.escalations]
    for _ in range(2 + 8 + 1 + 8 + 1):
        assert await store.read(tenant, lambda reader: count_to(reader, SLOW)) == SLOW
        counts.append(pool.escalations)
    assert counts == [0, 1, *[2] * 9, *[3] * 9, 4]

    pool._budget_seconds = 60
    for _ in range(8 + 3):
        assert await store.read(tenant, lambda reader: count_to(reader, QUICK)) == QUICK
    assert (pool.escalations, pool._slow) == (4, {})


async def test_a_long_read_starts_in_the_thread(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)

    assert await store.read(tenant, lambda reader: count_to(reader, SLOW), long=True) == SLOW
    assert pool.escalations == 0


async def test_a_read_over_the_large_budget_is_refused_and_others_go_on(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)
    pool._long_seconds = 0.1

    with pytest.raises(QueryTimeout):
        await store.read(tenant, lambda reader: count_to(reader, ENDLESS))

    pool._long_seconds = 60
    assert await store.read(tenant, lambda reader: count_to(reader, SLOW)) == SLOW


async def test_a_caller_that_goes_away_ends_its_read(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)
    pool._long_seconds = 600
    reading = asyncio.create_task(store.read(tenant, lambda reader: count_to(reader, ENDLESS)))
    while not pool.escalations:  # noqa: ASYNC110 - a plain counter
        await asyncio.sleep(0.001)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await store.read(tenant, lambda reader: count_to(reader, QUICK)) == QUICK


async def test_the_budget_sees_inside_full_text_search(
    store: SqliteDatabase, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await pool_of(store, tenant)
    pool._budget_seconds = 60
    connection = apsw.Connection(str(tmp_path / "data" / "tenants" / f"{tenant}.db"))
    with connection:
        connection.executemany(
            "INSERT INTO users_trigrams (rowid, search_text) VALUES (?, ?)",
            ((number, f"abcdef{number:06} abcxyz") for number in range(60_000)),
        )
    connection.close()
    calls = 0

    def counted() -> bool:
        nonlocal calls
        calls += 1
        return time.perf_counter() > pool._deadline

    monkeypatch.setattr(pool, "_is_over_budget", counted)

    async def search(reader: Reader) -> int:
        row = await reader.fetch_one(TEXT_SEARCH, words='"abc" AND "bcd" AND "cde"')
        assert row is not None
        return int(row[0])

    assert await store.read(tenant, search) == 60_000
    assert calls > 3


async def test_a_statement_that_writes_is_refused_in_a_read(store: SqliteDatabase, tenant: str) -> None:
    async def write(reader: Reader) -> None:
        await reader.fetch_all(INSERT_ORGANIZATION, id="x", name="x")

    with pytest.raises(TypeError, match="belongs in a command"):
        await store.read(tenant, write)


async def test_read_connections_cannot_write(store: SqliteDatabase, tenant: str) -> None:
    pool = await pool_of(store, tenant)

    with pytest.raises(apsw.ReadOnlyError):
        pool._loop_connection.execute("DELETE FROM organizations")


async def test_an_unknown_parameter_is_a_programming_error(store: SqliteDatabase, tenant: str) -> None:
    async def misspelt(reader: Reader) -> None:
        await reader.fetch_all(LIST_ORGANIZATIONS, nmae="x")

    with pytest.raises(TypeError, match="no parameter nmae"):
        await store.read(tenant, misspelt)


async def test_the_control_store_answers_its_check(store: SqliteDatabase) -> None:
    await store.check()
    assert (await pool_of(store, CONTROL_TENANT_ID)).escalations == 0


def test_no_plan_depends_on_what_is_bound(tmp_path: Path) -> None:
    connection = connect(tmp_path / "x.db", create=True)
    assert isinstance(connection, apsw.Connection)
    assert connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1
    connection.close()
