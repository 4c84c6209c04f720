"""What ends by itself is found and recorded, also in tenants that nobody has touched since the server started."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final, TypeAlias

import pytest

from hellojohn_server.app import build_worker
from hellojohn_server.config import load_settings
from hellojohn_server.features.expiry.service import ExpiryService
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.kit.retention import ENDED_SESSION_MS
from hellojohn_server.storage.database import Exempt, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from hellojohn_server.worker.chores import TenantChore
from hellojohn_server.worker.loop import Worker
from tests.conftest import START_MS, ManualClock, OpenDatabase
from tests.features.auth.parts import make_front
from tests.support import RunningApp, running_app

HOUR: Final = 3600
DAY: Final = 86_400
Start: TypeAlias = Callable[[], Awaitable[RunningApp]]
PUT_BAN = Statement(
    "UPDATE users SET banned_at = :now, banned_until = :until WHERE tenant_id = :tenant_id", kind=Kind.BOOKKEEPING
)
PUT_LOCK = Statement(
    "UPDATE users SET locked_at = :now, locked_until = :until WHERE tenant_id = :tenant_id", kind=Kind.BOOKKEEPING
)
COUNT_ADDRESSES = Statement("SELECT count(*) FROM banned_addresses WHERE tenant_id = :tenant_id")
COUNT_FAILURES = Statement("SELECT count(*) FROM sign_in_failures WHERE tenant_id = :tenant_id")
COUNT_SESSIONS = Statement("SELECT count(*) FROM sessions WHERE tenant_id = :tenant_id")
LIST_KEYS = Statement("SELECT id FROM signing_keys")


@pytest.fixture
async def start(open_database: OpenDatabase, clock: ManualClock, ids: IdFactory) -> AsyncIterator[Start]:
    """Starts the app anew over the same data, as another process would."""
    async with AsyncExitStack() as stack:

        async def start() -> RunningApp:
            database = await open_database()
            stack.push_async_callback(database.close)
            return await stack.enter_async_context(running_app(database, clock, ids))

        yield start


def worker_of(app: RunningApp) -> Worker:
    return build_worker(app.services, load_settings({}))


async def make_user(app: RunningApp, tenant_id: str) -> str:
    key = await app.make_key(tenant_id)
    made = await app.call(key, "POST", "/v1/users", {"email": "alice@example.com"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def put(app: RunningApp, tenant_id: str, statement: Statement, until: int, *, marked: bool = True) -> None:
    """Ban or lock every user of a tenant, with or without the mark that such an act makes."""

    async def command(tx: Transaction) -> None:
        await tx.execute(statement, now=app.services.clock.now_ms(), until=until)
        if marked:
            tx.mark_due(until)

    await app.services.database.write(tenant_id, command, type(None))


async def recorded(app: RunningApp, tenant_id: str) -> list[tuple[str, str]]:
    """Return the entries of `system`: type and user, oldest first."""
    page = (await app.call(await app.make_key(tenant_id), "GET", "/v1/audit-logs?actor_type=system")).json()
    return [(entry["type"], entry["resource"]["id"]) for entry in reversed(page["data"])]


@pytest.mark.parametrize("marked", [True, False], ids=["by its mark", "by the sweep"])
async def test_a_ban_that_ended_while_the_server_was_down_is_recorded_without_a_request(
    start: Start, clock: ManualClock, *, marked: bool
) -> None:
    before = await start()
    tenant_id = await before.make_tenant()
    other_id = await before.make_tenant()
    user_id = await make_user(before, tenant_id)
    await make_user(before, other_id)
    await put(before, tenant_id, PUT_BAN, START_MS + HOUR * 1000, marked=marked)
    await before.services.database.close()
    clock.advance(2 * HOUR)

    after = await start()
    await (worker_of(after).work_off() if marked else worker_of(after).sweep())

    assert await recorded(after, tenant_id) == [("user.unbanned", user_id)]
    assert await recorded(after, other_id) == []


async def test_a_ban_that_ends_after_the_sweep_is_found_without_a_mark_of_its_own(
    start: Start, clock: ManualClock
) -> None:
    before = await start()
    tenant_id = await before.make_tenant()
    user_id = await make_user(before, tenant_id)
    await put(before, tenant_id, PUT_BAN, START_MS + HOUR * 1000, marked=False)
    await before.services.database.close()

    after = await start()
    worker = worker_of(after)
    await worker.sweep()
    assert await worker.work_off() == 0
    assert await recorded(after, tenant_id) == []
    clock.advance(HOUR)
    assert await worker.work_off() == 1
    assert await recorded(after, tenant_id) == [("user.unbanned", user_id)]


async def test_each_end_is_found_in_turn_and_nothing_is_looked_for_in_between(start: Start, clock: ManualClock) -> None:
    app = await start()
    tenant_id = await app.make_tenant()
    user_id = await make_user(app, tenant_id)
    worker = worker_of(app)
    await put(app, tenant_id, PUT_LOCK, START_MS + 900_000)
    await put(app, tenant_id, PUT_BAN, START_MS + HOUR * 1000)
    await put_session(app, tenant_id, user_id, START_MS + DAY * 1000)
    await worker.work_off()
    looked: list[tuple[int, int]] = []
    for seconds in (899, 1, 2699, 1, DAY - HOUR + 7 * DAY - 1, 1, 0, DAY):
        clock.advance(seconds)
        looked.append((await worker.work_off(), await count(app, tenant_id, COUNT_SESSIONS)))

    assert looked == [(0, 1), (1, 1), (0, 1), (1, 1), (0, 1), (1, 0), (0, 0), (0, 0)]
    assert await recorded(app, tenant_id) == [("user.unlocked", user_id), ("user.unbanned", user_id)]


async def put_session(app: RunningApp, tenant_id: str, user_id: str, ends_at: int) -> None:
    session = Session(app.services.ids.new(IdPrefix.SESSION), user_id, START_MS, ends_at, ends_at)

    async def command(tx: Transaction) -> None:
        await app.services.sessions.begin_session(tx, session, None)

    await app.services.database.write(tenant_id, command, type(None), exempt=Exempt.SESSION_REFRESH)


async def count(app: RunningApp, tenant_id: str, statement: Statement) -> int:
    async def query(reader: Reader) -> int:
        return int((await reader.fetch_all(statement))[0][0])

    return await app.services.database.read(tenant_id, query)


async def test_a_lock_by_failed_sign_ins_ends_and_their_count_is_deleted_after_a_restart(
    start: Start, clock: ManualClock
) -> None:
    before = await make_front(await start())
    alice = await before.sign_up()
    for _ in range(10):
        assert await before.try_sign_in(password="wrong horse battery") == (401, "invalid_credentials")
    assert await before.try_sign_in("nobody@example.com") == (401, "invalid_credentials")
    await worker_of(before.app).work_off()
    await before.app.services.database.close()
    clock.advance(900)

    after = await start()
    assert await count(after, before.tenant_id, COUNT_FAILURES) == 2
    assert await worker_of(after).work_off() == 1
    assert await recorded(after, before.tenant_id) == [("user.unlocked", alice.user_id)]
    assert await count(after, before.tenant_id, COUNT_FAILURES) == 0
    assert await count(after, before.tenant_id, COUNT_SESSIONS) == 1
    clock.advance(30 * DAY + ENDED_SESSION_MS / 1000)
    assert await worker_of(after).work_off() == 1
    assert await count(after, before.tenant_id, COUNT_SESSIONS) == 0


@pytest.mark.parametrize(
    ("calls", "seconds", "types", "status"),
    [
        ([("POST", "/ban", {"expires_in": "1h"})], HOUR, ["user.unbanned"], 200),
        ([("DELETE", "", None)], 30 * DAY, ["user.erased"], 404),
        ([("POST", "/ban", {"expires_in": "1h"}), ("DELETE", "?permanent=true", None)], HOUR, [], 404),
    ],
    ids=["ban", "recycle bin", "closed address"],
)
async def test_what_a_call_leaves_to_be_done_is_done_after_a_restart(
    start: Start,
    clock: ManualClock,
    calls: list[tuple[str, str, Any]],
    seconds: int,
    types: list[str],
    status: int,
) -> None:
    before = await start()
    tenant_id = await before.make_tenant()
    key = await before.make_key(tenant_id)
    user_id = await make_user(before, tenant_id)
    for method, path, body in calls:
        assert (await before.call(key, method, f"/v1/users/{user_id}{path}", body)).is_success
    await before.services.database.close()

    clock.advance(seconds - 0.001)
    after = await start()
    await worker_of(after).work_off()
    assert await recorded(after, tenant_id) == []
    clock.advance(0.001)
    await worker_of(after).work_off()
    assert await recorded(after, tenant_id) == [(kind, user_id) for kind in types]
    assert (await after.call(key, "GET", f"/v1/users/{user_id}")).status_code == status
    assert await count(after, tenant_id, COUNT_ADDRESSES) == 0


async def test_what_is_due_later_is_found_after_what_was_due_first(start: Start, clock: ManualClock) -> None:
    before = await start()
    tenant_id = await before.make_tenant()
    key = await before.make_key(tenant_id)
    user_id = await make_user(before, tenant_id)
    path = f"/v1/users/{user_id}"
    assert (await before.call(key, "POST", f"{path}/ban", {"reason": "spam", "expires_in": "1h"})).status_code == 200
    assert (await before.call(key, "DELETE", path)).status_code == 200
    await worker_of(before).work_off()
    await before.services.database.close()
    clock.advance(HOUR)

    between = await start()
    assert await worker_of(between).work_off() == 1
    assert await recorded(between, tenant_id) == [("user.unbanned", user_id)]
    await between.services.database.close()
    clock.advance(30 * DAY)

    after = await start()
    assert (await after.call(key, "GET", path)).status_code == 200
    assert await worker_of(after).work_off() == 1
    assert (await after.call(key, "GET", path)).status_code == 404
    assert await recorded(after, tenant_id) == [("user.unbanned", user_id), ("user.erased", user_id)]
    assert (await after.call(key, "POST", "/v1/users", {"email": "alice@example.com"})).status_code == 201


async def test_of_16_workers_at_once_in_4_processes_one_records_each_end(start: Start, clock: ManualClock) -> None:
    apps = [await start() for _ in range(4)]
    tenant_id = await apps[0].make_tenant()
    user_id = await make_user(apps[0], tenant_id)
    await put(apps[0], tenant_id, PUT_BAN, START_MS + 1000)
    await put(apps[0], tenant_id, PUT_LOCK, START_MS + 1000)
    clock.advance(1)
    await asyncio.gather(*(worker_of(apps[number % 4]).work_off() for number in range(16)))
    assert sorted(await recorded(apps[0], tenant_id)) == [("user.unbanned", user_id), ("user.unlocked", user_id)]


async def test_keys_whose_tokens_have_ended_are_deleted(start: Start, clock: ManualClock) -> None:
    app = await start()
    keys = app.services.signing_keys
    await keys.key_set()
    next_key = await keys.rotate(cli_context("req_test"))
    worker = worker_of(app)
    clock.advance(DAY)
    await worker.work_off()
    assert len(await keys.list_keys()) == 2
    clock.advance(DAY)
    await worker.work_off()
    assert await stored_keys(app) == [next_key.id]


async def stored_keys(app: RunningApp) -> list[str]:
    async def query(reader: Reader) -> list[str]:
        return [str(row[0]) for row in await reader.fetch_all(LIST_KEYS)]

    return await app.services.database.read(CONTROL_TENANT_ID, query)


class Stubborn(TenantChore):
    """Ends bans, and fails in some tenants."""

    def __init__(self, app: RunningApp) -> None:
        services = app.services
        self.expiry = ExpiryService(services.database, services.ids, services.audit_log, services.acts)
        super().__init__("stubborn", self.expiry.end_bans, self.expiry.get_next_ban_end)
        self.failing: set[str] = set()
        self.tried: list[str] = []

    async def run(self, tenant_id: str, now_ms: int) -> None:
        if tenant_id != CONTROL_TENANT_ID:
            self.tried.append(tenant_id)
        if tenant_id in self.failing:
            raise RuntimeError("no luck")
        await super().run(tenant_id, now_ms)


async def test_tenants_whose_chores_fail_keep_no_other_waiting(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hellojohn_server.worker.loop._PAGE", 2)
    app = await start()
    tenants = [await app.make_tenant() for _ in range(6)]
    for tenant_id in tenants:
        await make_user(app, tenant_id)
    await worker_of(app).sweep()
    for number, tenant_id in enumerate(tenants):
        await put(app, tenant_id, PUT_BAN, START_MS + number)
    clock.advance(1)
    chore = Stubborn(app)
    chore.failing = set(tenants[:5])
    services = app.services
    worker = Worker(services.database, clock, services.tenants, [chore], 3600, metrics=services.metrics)

    assert await worker.work_off() == 6
    assert chore.tried == tenants
    assert len(await recorded(app, tenants[5])) == 1
    clock.advance(59)
    assert await worker.work_off() == 0
    chore.failing.clear()
    clock.advance(1)
    assert await worker.work_off() == 5
    assert sorted(chore.tried) == sorted(tenants + tenants[:5])
    assert [len(await recorded(app, tenant_id)) for tenant_id in tenants] == [1] * 6
