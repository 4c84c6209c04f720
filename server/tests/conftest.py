"""What every test is given: a clock it can turn, and real stores of both kinds, empty and its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.storage.database import Database
from hellojohn_server.storage.postgres import PostgresDatabase
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.postgres_cluster import Cluster, PostgresMissing, roomy_memory, running_cluster
from tests.postgres_spares import Spares

START_MS: Final = 1_790_000_000_000
"""2026-09-21T14:13:20Z: when every test begins."""

TEMPLATE: Final = "migrated"
TEMPORARY: Final = "PYTEST_DEBUG_TEMPROOT"
OpenDatabase: TypeAlias = Callable[[], Awaitable[Database]]


def pytest_configure() -> None:
    """Put temporary files into memory where there is room: there, the embedded store's syncs take no time.

    What tests start and interrupt can be interrupted, also where the tests run in the background of a script.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    memory = roomy_memory()
    if memory is not None:
        os.environ.setdefault(TEMPORARY, str(memory))


class ManualClock:
    """A Clock that stands still until it is turned."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def set(self, now_ms: int) -> None:
        """Turn the clock to a time in milliseconds since the epoch."""
        self._now_ms = now_ms

    def advance(self, seconds: float) -> None:
        """Turn the clock forward."""
        self._now_ms += round(seconds * 1000)


@pytest.fixture
def clock() -> ManualClock:
    """The clock of every store and service of the test."""
    return ManualClock()


@pytest.fixture
def ids(clock: ManualClock) -> IdFactory:
    """Ids in the order of their making."""
    return IdFactory(clock)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostgreSQL server, with a migrated database to copy from."""
    try:
        with running_cluster(durable=False) as running:
            url = running.create_database(TEMPLATE)
            asyncio.run(_migrate(url))
            yield running
    except PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL tests need its server binaries: {missing}")


async def _migrate(url: str) -> None:
    database = await PostgresDatabase.open(url, ManualClock())
    await database.close()


_numbers = iter(range(1, 1_000_000))


@pytest.fixture(scope="session")
def spares(cluster: Cluster) -> Iterator[Spares]:
    """Databases that are emptied after each test."""
    kept = Spares(cluster, TEMPLATE)
    yield kept
    kept.close()


@pytest.fixture
def postgres_url(spares: Spares) -> Iterator[str]:
    """The URL of an empty, migrated database, which the test only writes rows to."""
    spare = spares.take()
    yield spare.url
    spares.give_back(spare)


@pytest.fixture
def own_postgres_url(cluster: Cluster) -> Iterator[str]:
    """The URL of an empty, migrated database of the test's own, to do anything with."""
    name = f"test_{next(_numbers)}"
    yield cluster.create_database(name, TEMPLATE)
    cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the kind of store that the test runs on: it runs on each."""
    return str(request.param)


@pytest.fixture
def open_database(engine: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> OpenDatabase:
    """Opens the test's store; again opens another Database on the same data. Who opens it closes it."""
    if engine == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return lambda: PostgresDatabase.open(url, clock)
    return lambda: SqliteDatabase.open(tmp_path / "data", clock)


@pytest.fixture
async def database(open_database: OpenDatabase) -> AsyncIterator[Database]:
    """An empty store of each kind."""
    opened = await open_database()
    yield opened
    await opened.close()


@pytest.fixture
async def tenant_id(database: Database, ids: IdFactory) -> str:
    """A tenant with a store of its own."""
    return await _new_tenant(database, ids)


@pytest.fixture
async def other_tenant_id(database: Database, ids: IdFactory) -> str:
    """Another tenant, which must see and feel nothing."""
    return await _new_tenant(database, ids)


async def _new_tenant(database: Database, ids: IdFactory) -> str:
    new_id = ids.new(IdPrefix.TENANT)
    await database.create_tenant(new_id)
    return new_id
