"""When keys were last used: never a write per request, about a minute exact, and nothing lost when a write fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.app import build_sightings_writer
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.sightings import SightingKind
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Database, Exempt
from hellojohn_server.worker.sightings import SightingsWriter
from tests.conftest import START_MS, ManualClock
from tests.support import RunningApp, running_app

REQUESTS: Final = 1000


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    async with running_app(database, clock, ids) as running:
        yield running


@pytest.fixture
def writer(app: RunningApp) -> SightingsWriter:
    return build_sightings_writer(app.services)


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def last_used(app: RunningApp, key: str) -> list[str | None]:
    """Return when each key of the tenant was last used, the newest key's first; `key` asks."""
    answer = await app.call(key, "GET", "/v1/api-keys")
    return [row["last_used_at"] for row in answer.json()["data"]]


async def test_a_thousand_requests_with_one_key_are_one_write(
    app: RunningApp,
    writer: SightingsWriter,
    key: str,
    database: Database,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[Exempt | None] = []
    write: Callable[..., Awaitable[object]] = database.write

    async def counted(*arguments: Any, **named: Any) -> object:
        written.append(named["exempt"])
        return await write(*arguments, **named)

    monkeypatch.setattr(database, "write", counted)
    for number in range(REQUESTS):
        assert (await app.call(key, "GET", "/v1/users")).status_code == httpx.codes.OK
        clock.advance(0.05)
        if number % 100 == 0:
            await writer.flush()
    await writer.flush()
    assert written == [Exempt.LAST_USED]
    assert await last_used(app, key) == [format_time(START_MS)]


async def test_it_is_exact_to_about_a_minute(
    app: RunningApp, writer: SightingsWriter, key: str, clock: ManualClock
) -> None:
    shown: list[str | None] = []
    for _ in range(5):
        shown += await last_used(app, key)
        await writer.flush()
        clock.advance(29)
    times = [START_MS, START_MS, START_MS, START_MS + 87_000]
    assert shown == [None, *(format_time(at) for at in times)]


async def test_what_is_refused_for_its_key_is_no_use_of_it(
    app: RunningApp, tenant: str, key: str, clock: ManualClock
) -> None:
    short = await app.make_key(tenant, expires_in="1s")
    clock.advance(1)
    app.services.sightings.drain()
    for wrong in (short, f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}"):
        assert (await app.call(wrong, "GET", "/v1/users")).status_code == httpx.codes.UNAUTHORIZED
    assert app.services.sightings.drain() == {}


async def test_master_keys_too(app: RunningApp, writer: SightingsWriter, database: Database) -> None:
    master = await app.make_master_key()
    assert (await app.call(master, "GET", "/v1/tenants")).status_code == httpx.codes.OK
    [(kind, tenant_id)] = seen = app.services.sightings.drain()
    assert (kind, tenant_id) == (SightingKind.API_KEY, CONTROL_TENANT_ID)
    app.services.sightings.put_back(kind, tenant_id, seen[kind, tenant_id])
    await writer.flush()
    [key_id] = seen[kind, tenant_id]
    assert (await app.services.keys.require_key(CONTROL_TENANT_ID, key_id)).last_used_at == START_MS


async def test_a_write_that_fails_is_told_and_tried_again(
    app: RunningApp, tenant: str, key: str, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = Failing(app.services.keys.record_used)
    writer = SightingsWriter(app.services.sightings, {SightingKind.API_KEY: failing.record})
    assert await last_used(app, key) == [None]
    clock.advance(1)
    await writer.flush()
    printed = capsys.readouterr().out
    assert "writing what was seen failed" in printed
    assert "no luck" in printed
    assert await last_used(app, key) == [None]
    await writer.flush()
    assert failing.tenants == [tenant, tenant]
    assert await last_used(app, key) == [format_time(START_MS + 1000)]


async def test_a_write_that_fails_keeps_no_other_tenant_from_its_own(
    app: RunningApp, tenant: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = await app.make_key(await app.make_tenant("Other"))
    for each in (key, other):
        await app.call(each, "GET", "/v1/users")
    failing = Failing(app.services.keys.record_used)
    await SightingsWriter(app.services.sightings, {SightingKind.API_KEY: failing.record}).flush()
    assert await last_used(app, key) == [None]
    assert await last_used(app, other) == [format_time(START_MS)]


async def test_what_was_seen_of_a_tenant_that_is_gone_is_dropped(
    app: RunningApp, writer: SightingsWriter, tenant: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await app.call(key, "GET", "/v1/users")
    await app.services.tenants.delete_tenant(app.context(), tenant, tenant)
    await writer.flush()
    assert "failed" not in capsys.readouterr().out
    assert app.services.sightings.drain() == {}


async def test_a_time_never_goes_back_whoever_comes_last(app: RunningApp, tenant: str, key: str) -> None:
    [shown] = (await app.call(key, "GET", "/v1/api-keys")).json()["data"]
    record = app.services.keys.record_used
    times = [START_MS + (number * 7) % 16 for number in range(16)]
    await asyncio.gather(*(record(tenant, {shown["id"]: at, "key_unknown": at}) for at in times))
    assert (await app.services.keys.require_key(tenant, shown["id"])).last_used_at == START_MS + 15
    await record(tenant, {shown["id"]: START_MS})
    assert (await app.services.keys.require_key(tenant, shown["id"])).last_used_at == START_MS + 15


async def test_another_tenants_sightings_touch_nothing(app: RunningApp, tenant: str, key: str) -> None:
    [shown] = (await app.call(key, "GET", "/v1/api-keys")).json()["data"]
    await app.services.keys.record_used(await app.make_tenant("Other"), {shown["id"]: START_MS})
    assert (await app.services.keys.require_key(tenant, shown["id"])).last_used_at is None


async def test_many_keys_are_written_at_once(app: RunningApp, writer: SightingsWriter, tenant: str, key: str) -> None:
    keys = [await app.make_key(tenant) for _ in range(20)]
    await asyncio.gather(*(app.call(each, "GET", "/v1/users") for each in keys))
    [seen] = app.services.sightings.drain().values()
    many = {**{f"key_{number}": START_MS for number in range(1200)}, **seen}
    app.services.sightings.put_back(SightingKind.API_KEY, tenant, many)
    await writer.flush()
    for key_id in seen:
        assert (await app.services.keys.require_key(tenant, key_id)).last_used_at == START_MS


async def test_it_writes_by_itself_and_the_rest_when_it_stops(app: RunningApp, tenant: str, key: str) -> None:
    failing = Failing(app.services.keys.record_used, fails=0)
    writer = SightingsWriter(app.services.sightings, {SightingKind.API_KEY: failing.record}, 0.01)
    writer.start()
    await app.call(key, "GET", "/v1/users")
    await asyncio.wait_for(failing.wait_for(1), 10)
    other = await app.make_key(tenant)
    await app.call(other, "GET", "/v1/users")
    await asyncio.wait_for(writer.stop(), 10)
    assert failing.tenants == [tenant, tenant]
    assert await last_used(app, key) == [format_time(START_MS)] * 2


async def test_what_is_seen_while_it_writes_is_written_before_it_ends(app: RunningApp, tenant: str, key: str) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def record(tenant_id: str, seen: Mapping[str, int]) -> None:
        writing.set()
        await go_on.wait()
        await app.services.keys.record_used(tenant_id, seen)

    writer = SightingsWriter(app.services.sightings, {SightingKind.API_KEY: record}, 0.01)
    writer.start()
    await app.call(key, "GET", "/v1/users")
    await asyncio.wait_for(writing.wait(), 10)
    other = await app.make_key(tenant)
    await app.call(other, "GET", "/v1/users")
    stopping = asyncio.create_task(writer.stop())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(stopping, 10)
    assert await last_used(app, key) == [format_time(START_MS)] * 2


async def test_it_stops_without_a_start(writer: SightingsWriter) -> None:
    await asyncio.wait_for(writer.stop(), 5)


class Failing:
    """Passes on what was seen, but for the first few times."""

    def __init__(self, record: Callable[[str, Mapping[str, int]], Awaitable[None]], fails: int = 1) -> None:
        self.tenants: list[str] = []
        self._record = record
        self._fails = fails
        self._news = asyncio.Condition()

    async def record(self, tenant_id: str, seen: Mapping[str, int]) -> None:
        self.tenants.append(tenant_id)
        if len(self.tenants) <= self._fails:
            raise RuntimeError("no luck")
        await self._record(tenant_id, seen)
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, times: int) -> None:
        """Return when it has passed on so many times."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.tenants) >= times)
