"""The job worker as it runs beside the server: woken by a start, and finding what another process left."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from hellojohn_server.app import build_job_worker, build_worker
from hellojohn_server.config import load_settings
from hellojohn_server.features.plans.service import HOLD_MS
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.support import ENCRYPTION_KEY, RunningApp, running_app

DEADLINE_SECONDS = 30
ABANDON = Statement(
    "UPDATE jobs SET holder = 'somebody', due_at = :due_at WHERE tenant_id = :tenant_id", kind=Kind.BOOKKEEPING
)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - it comes about in the worker
            await asyncio.sleep(0.01)


async def made(app: RunningApp, key: str, path: str, body: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", path, body)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def job_of(app: RunningApp, key: str) -> dict[str, Any]:
    """Make a user, plan for everybody, and start a job."""
    await made(app, key, "/v1/users", {"email": "alice@example.com"})
    plan = await made(app, key, "/v1/admin/plans", {"action": "disable", "filters": {}})
    return await made(app, key, "/v1/admin/jobs", {"plan_id": plan["id"]})


async def status(app: RunningApp, key: str, job: dict[str, Any]) -> str:
    return str((await app.call(key, "GET", f"/v1/admin/jobs/{job['id']}")).json()["status"])


async def test_a_job_is_worked_off_as_soon_as_it_is_started(database: Database) -> None:
    async with running_app(database, SystemClock()) as app:
        key = await app.make_key(await app.make_tenant())
        worker = build_job_worker(app.services)
        worker.start()
        try:
            job = await job_of(app, key)
            await until(lambda: _is(app, key, job, "completed"))
        finally:
            await worker.stop()


async def test_what_another_process_held_is_gone_on_with_when_it_lets_go(database: Database) -> None:
    clock = SystemClock()
    async with running_app(database, clock) as app:
        tenant_id = await app.make_tenant()
        key = await app.make_key(tenant_id)
        job = await job_of(app, key)
        await app.services.job_bell.wait(0)  # nobody hears it

        async def abandon(tx: Transaction) -> None:
            await tx.execute(ABANDON, due_at=clock.now_ms() + HOLD_MS // 10)
            tx.mark_due(clock.now_ms() + HOLD_MS // 10)

        await app.services.database.write(tenant_id, abandon, type(None))
        settings = load_settings({"HELLOJOHN_ENCRYPTION_KEY": ENCRYPTION_KEY})
        worker = build_job_worker(app.services)
        worker.start()
        try:
            assert await app.services.job_runner.work(tenant_id, lambda: False) is not None
            assert await status(app, key, job) == "running"
            await build_worker(app.services, settings).sweep()
            await until(lambda: _is(app, key, job, "completed"))
        finally:
            await worker.stop()


async def _is(app: RunningApp, key: str, job: dict[str, Any], wanted: str) -> bool:
    return await status(app, key, job) == wanted
