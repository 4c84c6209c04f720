"""Housekeeping: what is due is done, what fails is tried again, and the server never notices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hellojohn_server.app import build_worker
from hellojohn_server.config import load_settings
from hellojohn_server.features.tenants import repository as tenants_repository
from hellojohn_server.features.tenants.schemas import Tenant, TenantStatus
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import TenantStoreNotFound
from hellojohn_server.storage.sql import Statement
from hellojohn_server.worker.chores import Chore, PurgeIdempotencyRecords
from hellojohn_server.worker.loop import Worker
from tests.conftest import ManualClock
from tests.support import RunningApp, running_app

DAY_SECONDS: Final = 86_400
COUNT_RECORDS = Statement("SELECT count(*) FROM idempotency_records WHERE tenant_id = :tenant_id")
COUNT_DELTAS = Statement(
    "SELECT 0 WHERE :tenant_id IS NOT NULL", "SELECT count(*) FROM user_counter_deltas WHERE tenant_id = :tenant_id"
)
GET_TOTAL = Statement("SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = 'total'")


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    async with running_app(database, clock, ids) as running:
        yield running


@pytest.fixture
def worker(app: RunningApp) -> Worker:
    return build_worker(app.services, load_settings({"HELLOJOHN_HOUSEKEEPING_SECONDS": "3600"}))


async def count(database: Database, tenant_id: str, statement: Statement) -> int:
    async def query(reader: Reader) -> int:
        row = await reader.fetch_one(statement)
        return 0 if row is None else int(row[0])

    return await database.read(tenant_id, query)


async def create_user(app: RunningApp, key: str, email: str) -> None:
    made = await app.call(key, "POST", "/v1/users", {"email": email}, {"Idempotency-Key": email})
    assert made.status_code == 201, made.text


async def test_expired_records_go_and_others_stay(
    app: RunningApp, worker: Worker, database: Database, clock: ManualClock
) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    await create_user(app, key, "a@example.com")
    clock.advance(DAY_SECONDS / 2)
    await create_user(app, key, "b@example.com")
    await worker.work_off()
    assert await count(database, tenant_id, COUNT_RECORDS) == 2
    clock.advance(DAY_SECONDS / 2)
    assert await worker.work_off() == 1
    assert await count(database, tenant_id, COUNT_RECORDS) == 1
    assert await worker.work_off() == 0
    clock.advance(DAY_SECONDS / 2)
    assert await worker.work_off() == 1
    assert await count(database, tenant_id, COUNT_RECORDS) == 0
    clock.advance(DAY_SECONDS)
    assert await worker.work_off() == 0


async def test_records_of_the_control_store_go_too(
    app: RunningApp, worker: Worker, database: Database, clock: ManualClock
) -> None:
    master = await app.make_master_key()
    made = await app.call(master, "POST", "/v1/tenants", {"name": "x"}, {"Idempotency-Key": "once"})
    assert made.status_code == 201
    await worker.work_off()
    assert await count(database, CONTROL_TENANT_ID, COUNT_RECORDS) == 1
    clock.advance(DAY_SECONDS)
    await worker.work_off()
    assert await count(database, CONTROL_TENANT_ID, COUNT_RECORDS) == 0


async def test_counters_are_folded_and_say_the_same(app: RunningApp, worker: Worker, database: Database) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    for number in range(3):
        await create_user(app, key, f"user{number}@example.com")
    await worker.work_off()
    assert await count(database, tenant_id, COUNT_DELTAS) == 0
    assert await count(database, tenant_id, GET_TOTAL) == 3
    page = await app.call(key, "GET", "/v1/users")
    assert page.json()["pagination"]["total"] == 3


async def test_the_sweep_finishes_tenants_that_a_crash_left_half_made_or_half_deleted(
    app: RunningApp, worker: Worker, database: Database, clock: ManualClock
) -> None:
    half_made = app.services.ids.new(IdPrefix.TENANT)
    await put_tenant(database, half_made, TenantStatus.CREATING, clock)
    half_deleted = await app.make_tenant()
    key = await app.make_key(half_deleted)

    async def begin_deleting(tx: Transaction) -> bool:
        return await tenants_repository.update_status(tx, half_deleted, TenantStatus.ACTIVE, TenantStatus.DELETING)

    assert await database.write(CONTROL_TENANT_ID, begin_deleting, bool, exempt=Exempt.TENANT_STATE)
    await worker.sweep()
    tenant = await app.services.tenants.get_tenant(half_made)
    assert tenant is not None
    assert tenant.status is TenantStatus.ACTIVE
    assert (await app.call(await app.make_key(half_made), "GET", "/v1/users")).status_code == 200
    assert await app.services.tenants.get_tenant(half_deleted) is None
    assert (await app.call(key, "GET", "/v1/users")).status_code == 401


async def put_tenant(database: Database, tenant_id: str, status: TenantStatus, clock: ManualClock) -> None:
    now = clock.now_ms()
    tenant = Tenant(tenant_id, "half", Environment.LIVE, status, None, now, now, 1)

    async def insert(tx: Transaction) -> None:
        await tenants_repository.insert_tenant(tx, tenant)

    await database.write(CONTROL_TENANT_ID, insert, type(None), exempt=Exempt.TENANT_STATE)


async def test_the_sweep_visits_every_tenant(app: RunningApp, database: Database, clock: ManualClock) -> None:
    tenants = [await app.make_tenant() for _ in range(3)]
    seen = Recording()
    await worker_with(app, [seen]).sweep()
    assert sorted(seen.tenants) == sorted([CONTROL_TENANT_ID, *tenants])


async def test_a_chore_that_fails_keeps_no_other_from_its_work_and_is_tried_again(
    app: RunningApp, database: Database, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    await create_user(app, key, "a@example.com")
    clock.advance(DAY_SECONDS)
    failing = Recording(fails=1)
    worker = worker_with(app, [failing, PurgeIdempotencyRecords(database)])
    await worker.work_off()
    assert await count(database, tenant_id, COUNT_RECORDS) == 0
    printed = capsys.readouterr().out
    assert "housekeeping failed" in printed
    assert "no luck" in printed
    await create_user(app, key, "b@example.com")
    clock.advance(DAY_SECONDS)
    await worker.work_off()
    assert failing.tenants.count(tenant_id) == 2


async def test_a_tenant_that_is_deleted_meanwhile_is_no_failure(
    app: RunningApp, worker: Worker, database: Database, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant_id = await app.make_tenant()
    await create_user(app, await app.make_key(tenant_id), "a@example.com")
    clock.advance(DAY_SECONDS)
    await worker_with(app, [Dropping(database), PurgeIdempotencyRecords(database)]).work_off()
    assert "housekeeping failed" not in capsys.readouterr().out
    assert await worker.work_off() == 0


async def test_every_run_is_counted_by_how_it_ended(app: RunningApp, capsys: pytest.CaptureFixture[str]) -> None:
    await app.make_tenant()
    chores = [Recording(fails=2), Recording(fails=1, error=TenantStoreNotFound())]
    await worker_with(app, chores).sweep()
    assert capsys.readouterr().out.count("no luck") == 2
    recorded = {("recording", "failed"): 2, ("recording", "ok"): 1, ("recording", "tenant_gone"): 1}
    steps = ("resume_creating", "resume_deleting", "settle")
    assert runs_in(app) == recorded | {
        (step, outcome): count for step in steps for outcome, count in (("failed", 0), ("ok", 1), ("tenant_gone", 0))
    }


async def test_it_runs_beside_requests_and_stops_when_asked(app: RunningApp, database: Database) -> None:
    tenant_id = await app.make_tenant()
    seen = Recording()
    worker = worker_with(app, [seen])
    worker.start()
    await asyncio.wait_for(seen.of(tenant_id), 10)
    assert (await app.get("/health")).status_code == 200
    await asyncio.wait_for(worker.stop(), 5)


async def test_it_stops_before_it_has_begun_and_without_a_start(app: RunningApp) -> None:
    worker = worker_with(app, [])
    await worker.stop()
    worker.start()
    await asyncio.wait_for(worker.stop(), 5)


def worker_with(app: RunningApp, chores: Sequence[Chore]) -> Worker:
    services = app.services
    return Worker(services.database, services.clock, services.tenants, chores, 3600, metrics=services.metrics)


def runs_in(app: RunningApp) -> dict[tuple[str, str], float]:
    """Return how often each chore ended in each way, as /metrics says."""
    return {
        (sample.labels["chore"], sample.labels["result"]): sample.value
        for family in text_string_to_metric_families(app.services.metrics.render().decode())
        for sample in family.samples
        if sample.name == "hellojohn_housekeeping_runs_total"
    }


class Recording:
    """A chore that notes whom it is done for, and fails the first few times."""

    name = "recording"

    def __init__(self, fails: int = 0, error: Exception | None = None) -> None:
        self.tenants: list[str] = []
        self._fails = fails
        self._error = error or RuntimeError("no luck")
        self._news = asyncio.Condition()

    async def of(self, tenant_id: str) -> None:
        """Return when it has been done for a tenant."""
        async with self._news:
            await self._news.wait_for(lambda: tenant_id in self.tenants)

    async def run(self, tenant_id: str, now_ms: int) -> None:  # noqa: ARG002 - a chore's parameters
        async with self._news:
            self.tenants.append(tenant_id)
            self._news.notify_all()
        if len(self.tenants) <= self._fails:
            raise self._error

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:  # noqa: ARG002 - a chore's parameters
        return None


class Dropping:
    """A chore during which the tenant is deleted."""

    name = "dropping"

    def __init__(self, database: Database) -> None:
        self._drop: Callable[[str], Awaitable[None]] = database.drop_tenant

    async def run(self, tenant_id: str, now_ms: int) -> None:  # noqa: ARG002 - a chore's parameters
        await self._drop(tenant_id)

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:  # noqa: ARG002 - a chore's parameters
        return None
