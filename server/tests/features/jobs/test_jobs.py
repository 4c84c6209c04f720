"""Jobs on both stores: what each action does to whom, what is recorded, and what ends a job."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest

from hellojohn_server.features.job_runs import service as runs_service
from hellojohn_server.features.job_runs.service import JobRunner
from hellojohn_server.kit.ids import IdFactory
from tests.conftest import START_MS, ManualClock
from tests.features.jobs.parts import Office, counts, went
from tests.features.jobs.test_plans import error_of

DAY = 86_400
REASON = "a wave of spam"


class Case(msgspec.Struct, frozen=True):
    """An action: how users are before and after, what it says of each, and what undoing it says."""

    parameters: Mapping[str, Any]
    before: str | None
    fields: Mapping[str, Any]
    kind: str
    changes: Mapping[str, Any]
    undone: str | None = None
    filters: Mapping[str, Any] = {}


CASES: Mapping[str, Case] = {
    "ban": Case(
        {"reason": REASON}, None, {"ban_reason": REASON}, "user.banned", {"banned": [False, True]}, "user.unbanned"
    ),
    "delete": Case(
        {"reason": REASON},
        None,
        {"deleted_reason": REASON},
        "user.deleted",
        {"deleted": [False, True]},
        "user.restored",
    ),
    "disable": Case(
        {"reason": REASON}, None, {"disabled": True}, "user.disabled", {"disabled": [False, True]}, "user.enabled"
    ),
    "enable": Case({}, "disable", {"disabled": False}, "user.enabled", {"disabled": [True, False]}, "user.disabled"),
    "restore": Case(
        {},
        "delete",
        {"deleted_at": None},
        "user.restored",
        {"deleted": [True, False]},
        "user.deleted",
        {"status": "deleted"},
    ),
    "set_metadata": Case(
        {"public_metadata": {"plan": "pro", "old": None}},
        None,
        {"public_metadata": '{"kept":[1],"plan":"pro"}'},
        "user.updated",
        {"public_metadata.plan": [None, "pro"], "public_metadata.old": [{"x": 1}, None]},
        "user.updated",
    ),
    "set_role": Case(
        {"role": "editor"}, None, {"role": "editor"}, "user.updated", {"role": ["member", "editor"]}, "user.updated"
    ),
    "unban": Case({}, "ban", {"banned_at": None}, "user.unbanned", {"banned": [True, False]}, "user.banned"),
}


async def in_state(office: Office, case: Case, *names: str) -> list[str]:
    """Make users in the state that an action finds them in, on whom something was done before with a reason."""
    users = await office.users(*names, public_metadata={"old": {"x": 1}, "kept": [1]})
    for user in users:
        if case.before == "delete":
            await office.call("DELETE", f"/v1/users/{user}", {"reason": "before"})
        elif case.before is not None:
            await office.call("POST", f"/v1/users/{user}/{case.before}", {"reason": "before"})
    return users


def as_before(user: Any) -> dict[str, Any]:
    """Return what of a user an undo restores."""
    values = msgspec.structs.asdict(user)
    passing = ("version", "generation", "updated_at", "deleted_at")
    metadata = {name: msgspec.json.decode(values[name]) for name in ("public_metadata", "private_metadata")}
    return {name: value for name, value in values.items() if name not in passing} | metadata


@pytest.mark.parametrize("way", ["query", "ids"])
@pytest.mark.parametrize("action", sorted(CASES))
async def test_each_action_does_what_it_does_alone_and_is_undone(
    office: Office, clock: ManualClock, action: str, way: str
) -> None:
    case = CASES[action]
    await office.call("POST", "/v1/roles", {"name": "editor"})
    users = await in_state(office, case, "alice", "bob")
    (other,) = await office.users("other", role="admin")
    before = [as_before(await office.stored(user)) for user in users]
    clock.advance(60)
    key_id = (await office.call("GET", "/v1/api-keys/current")).json()["id"]
    whom: dict[str, Any] = {"user_ids": users}
    if way == "query":
        whom = {"query": "example.com", "filters": {"role": "member", **case.filters}}

    job = await office.run(action, case.parameters, **whom)

    assert counts(job) == went(2, 2)
    assert await office.report(job) == [(user, "changed", None) for user in users]
    for user in users:
        stored = msgspec.structs.asdict(await office.stored(user))
        assert {name: stored[name] for name in case.fields} == dict(case.fields)
    last = [entry for entry in await office.front.entries() if entry.type == case.kind][-2:]
    assert [(entry.resource and entry.resource.id, entry.actor.id, entry.reason) for entry in last] == [
        (user, key_id, case.parameters.get("reason")) for user in users
    ]
    for entry in last:
        assert {name: list(pair) for name, pair in (entry.changes or {}).items()} == dict(case.changes)
    assert (await office.stored(other)).version == 1
    ended = [entry for entry in await office.front.entries() if entry.type == "job.completed"]
    assert ended[0].metadata["changed"] == 2
    await counters_hold(office)

    clock.advance(60)
    undone = await office.undo(job, reason="a mistake")

    assert counts(undone) == went(2, 2)
    assert [as_before(await office.stored(user)) for user in users] == before
    last = [entry for entry in await office.front.entries() if entry.type == case.undone][-2:]
    assert [(entry.resource and entry.resource.id, entry.reason) for entry in last] == [
        (user, "a mistake") for user in users
    ]
    await counters_hold(office)


async def counters_hold(office: Office) -> None:
    """Compare the counters with the lists that they count."""
    stats = (await office.call("GET", "/v1/admin/stats")).json()["users"]
    listed = (await office.call("GET", "/v1/users?created_after=2000-01-01T00:00:00Z")).json()["pagination"]["total"]
    assert stats["total"] == listed


async def test_sessions_are_revoked_and_that_is_not_undone(office: Office) -> None:
    signed_in = await office.front.sign_up()
    (bob,) = await office.users("bob")
    job = await office.run("revoke_sessions", filters={})
    assert counts(job) == went(2, 1, unchanged=1)
    assert job["sessions_revoked"] == 1
    assert (await office.front.me(signed_in.access))[0] == 401
    assert sorted(await office.report(job)) == sorted([(signed_in.user_id, "changed", None), (bob, "unchanged", None)])
    refused = await office.call("POST", f"/v1/admin/jobs/{job['id']}/undo")
    assert error_of(refused) == (409, "job_not_undoable")


async def test_resets_are_mailed_and_that_is_not_undone(office: Office) -> None:
    users = await office.users("alice", "bob")
    job = await office.run("password_reset", {"reason": "a leak"}, filters={})
    assert counts(job) == went(2, 2)
    assert sorted(mail.to for mail in await office.app.mails()) == ["alice@example.com", "bob@example.com"]
    assert all([(await office.stored(user)).password_reset_required for user in users])
    assert [user for user, _, _ in await office.told("user.password_reset_forced")] == users
    refused = await office.call("POST", f"/v1/admin/jobs/{job['id']}/undo")
    assert error_of(refused) == (409, "job_not_undoable")


async def test_a_ban_lasts_from_when_its_job_starts(office: Office, clock: ManualClock) -> None:
    (alice,) = await office.users("alice")
    plan = await office.plan("ban", {"expires_in": "1h"}, filters={})
    clock.advance(60)
    await office.start(plan)
    clock.advance(60)
    await office.work()
    assert (await office.stored(alice)).banned_until == START_MS + 60_000 + 3_600_000


async def test_who_changed_since_is_left_alone_by_an_undo_and_listed(office: Office) -> None:
    alice, bob, carol = await office.users("alice", "bob", "carol")
    job = await office.run("disable", filters={})
    await office.call("PATCH", f"/v1/users/{bob}", {"name": "Robert"})
    await office.call("DELETE", f"/v1/users/{carol}?permanent=true")

    undone = await office.undo(job)

    assert counts(undone) == went(3, 1, skipped=1, gone=1)
    assert await office.report(undone) == [(alice, "changed", None), (bob, "skipped", "changed_since")]
    assert [(await office.stored(user)).disabled for user in (alice, bob)] == [False, True]
    again = await office.call("POST", f"/v1/admin/jobs/{job['id']}/undo")
    assert error_of(again) == (409, "job_undone")
    undo_of_undo = await office.call("POST", f"/v1/admin/jobs/{undone['id']}/undo")
    assert error_of(undo_of_undo) == (409, "job_not_undoable")


async def test_a_ban_that_was_there_before_is_there_again(office: Office, clock: ManualClock) -> None:
    alice, bob = await office.users("alice", "bob")
    await office.call("POST", f"/v1/users/{alice}/ban", {"reason": "first", "expires_in": "1h"})
    await office.call("POST", f"/v1/users/{bob}/ban", {"reason": "first", "expires_in": "5m"})
    job = await office.run("ban", {"reason": "second"}, filters={})
    clock.advance(600)
    assert counts(await office.undo(job)) == went(2, 2)
    assert (await office.stored(alice)).ban_reason == "first"
    assert (await office.stored(alice)).banned_until == START_MS + 3_600_000
    assert (await office.stored(bob)).banned_at is None


async def test_upward_is_judged_again_when_it_runs(office: Office) -> None:
    alice, bob = await office.users("alice", "bob")
    key = await office.app.make_key(office.tenant_id, "users:*", "jobs:*")
    job = await office.start(await office.plan("disable", key=key, filters={}), key=key)
    await office.call("PATCH", f"/v1/users/{bob}", {"role": "admin"})
    await office.work()
    done = await office.job(job["id"])
    assert counts(done) == went(2, 1, failed=1)
    assert done["failures"] == [{"user_id": bob, "outcome": "failed", "code": "insufficient_scope"}]
    assert not (await office.stored(bob)).disabled
    undoing = await office.made(f"/v1/admin/jobs/{job['id']}/undo", {}, key)
    await office.call("PATCH", f"/v1/users/{alice}", {"role": "admin"})
    await office.work()
    assert (await office.job(undoing["id"]))["failures"][0]["code"] == "insufficient_scope"


async def test_the_last_super_admin_stays(office: Office) -> None:
    users = await office.users("a", "b", role="super_admin")
    job = await office.run("set_role", {"role": "member"}, filters={})
    assert counts(job) == went(2, 1, failed=1)
    assert await office.report(job) == [(users[0], "changed", None), (users[1], "failed", "last_super_admin")]


async def test_a_role_that_is_gone_by_then_is_given_to_nobody(office: Office) -> None:
    (alice,) = await office.users("alice")
    role = await office.made("/v1/roles", {"name": "editor"})
    await office.start(await office.plan("set_role", {"role": "editor"}, filters={}))
    assert (await office.call("DELETE", f"/v1/roles/{role['id']}")).status_code == 204
    await office.work()
    assert (await office.stored(alice)).role == "member"


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a step be for one user."""
    for name in ("_FIRST", "_FEWEST", "_MOST"):
        monkeypatch.setattr(runs_service, name, 1)


async def step(office: Office) -> None:
    """Take one step."""
    await office.runner.work(office.tenant_id, lambda: True)


@pytest.mark.usefixtures("one_at_a_time")
async def test_a_job_is_cancelled_between_two_steps(office: Office) -> None:
    users = await office.users("a", "b", "c")
    job = await office.start(await office.plan("disable", filters={}))
    await step(office)

    answer = await office.call("POST", f"/v1/admin/jobs/{job['id']}/cancel")

    assert (answer.status_code, answer.json()["status"], answer.json()["changed"]) == (200, "cancelled", 1)
    assert (await office.call("POST", f"/v1/admin/jobs/{job['id']}/cancel")).json() == answer.json()
    await office.work()
    assert await office.report(job) == [(users[0], "changed", None)]
    assert [(await office.stored(user)).disabled for user in users] == [True, False, False]
    assert len(await office.told("job.cancelled")) == 1
    assert counts(await office.undo(job)) == went(1, 1)
    ended = await office.call("POST", f"/v1/admin/jobs/{(await office.run('enable', filters={}))['id']}/cancel")
    assert error_of(ended) == (409, "job_ended")


@pytest.mark.usefixtures("one_at_a_time")
@pytest.mark.parametrize("end", ["revoked", "expired", "suspended"])
async def test_a_job_stops_with_the_key_that_started_it_and_with_its_tenant(
    office: Office, clock: ManualClock, end: str
) -> None:
    users = await office.users("a", "b")
    body = {"name": "batch", "scopes": ["users:*", "jobs:*"], "expires_in": "1h"}
    key = await office.made("/v1/api-keys", body)
    job = await office.start(await office.plan("disable", key=key["key"], filters={}), key=key["key"])
    await step(office)
    master = await office.app.make_master_key()
    tenant = f"/v1/tenants/{office.tenant_id}"
    match end:
        case "revoked":
            await office.call("DELETE", f"/v1/api-keys/{key['id']}")
        case "expired":
            clock.advance(3_600)
        case _:
            assert (await office.app.call(master, "POST", f"{tenant}/suspend")).is_success

    await office.work()

    if end == "suspended":
        await office.app.call(master, "POST", f"{tenant}/resume")
    stopped = await office.job(job["id"])
    reason = "tenant_suspended" if end == "suspended" else f"key_{end}"
    assert (stopped["status"], stopped["stop_reason"], stopped["changed"]) == ("stopped", reason, 1)
    assert [(await office.stored(user)).disabled for user in users] == [True, False]
    assert [
        (entry.actor.type, entry.metadata["stop_reason"])
        for entry in await office.front.entries()
        if entry.type == "job.stopped"
    ] == [("system", reason)]
    await office.work()
    assert (await office.job(job["id"]))["changed"] == 1


async def test_of_many_workers_at_once_one_does_each_user(
    office: Office, ids: IdFactory, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = office.app.services
    workers = [JobRunner(services.database, ids, clock, services.job_runner._services) for _ in range(4)]
    users = await office.users(*(f"u{number:02}" for number in range(40)))
    job = await office.start(await office.plan("disable", filters={}))
    for name in ("_FIRST", "_FEWEST", "_MOST"):
        monkeypatch.setattr(runs_service, name, 3)

    async def work(worker: JobRunner) -> None:
        for _ in range(500):
            await worker.work(office.tenant_id, lambda: True)
            clock.advance(2)  # what the others hold is free again after a while
            if (await office.job(job["id"]))["status"] == "completed":
                return

    await asyncio.gather(*(work(worker) for worker in workers))

    assert counts(await office.job(job["id"])) == went(40, 40)
    assert await office.report(job) == [(user, "changed", None) for user in users]
    assert sorted(user or "" for user, _, _ in await office.told("user.disabled")) == users
    assert {(await office.stored(user)).version for user in users} == {2}
    assert len(await office.told("job.completed")) == 1


async def test_of_many_starts_and_undos_at_once_one_is_done(office: Office) -> None:
    await office.users("alice")
    plan = await office.plan("disable", filters={})
    starts = await asyncio.gather(*(office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]}) for _ in range(16)))
    (made,) = [answer.json() for answer in starts if answer.status_code == httpx.codes.CREATED]
    assert {error_of(answer) for answer in starts if answer.is_error} <= {(409, "plan_used"), (409, "plan_changed")}
    early = await office.call("POST", f"/v1/admin/jobs/{made['id']}/undo")
    assert error_of(early) == (409, "job_not_ended")
    await office.work()
    undos = await asyncio.gather(*(office.call("POST", f"/v1/admin/jobs/{made['id']}/undo") for _ in range(16)))
    assert sorted(answer.status_code for answer in undos) == [201, *[409] * 15]


async def test_an_erase_takes_the_person_out_of_plans_and_reports(office: Office) -> None:
    alice, bob = await office.users("alice", "bob")
    job = await office.run("disable", {"reason": "alice did it"}, filters={})
    waiting = await office.plan("enable", filters={})
    await office.call("DELETE", f"/v1/users/{alice}?permanent=true")
    assert await office.report(job) == [(bob, "changed", None)]
    assert counts(await office.job(job["id"])) == went(2, 2)
    shown = (await office.call("GET", f"/v1/admin/plans/{waiting['id']}")).json()
    assert [sample["id"] for sample in shown["samples"]] == [bob]


async def test_who_is_erased_before_the_job_comes_to_them_is_counted_as_gone(office: Office) -> None:
    alice, bob = await office.users("alice", "bob")
    job = await office.start(await office.plan("disable", filters={}))
    await office.call("DELETE", f"/v1/users/{alice}?permanent=true")
    await office.work()
    assert counts(await office.job(job["id"])) == went(2, 1, gone=1)
    assert await office.report(job) == [(bob, "changed", None)]


async def test_a_report_of_many_pages_is_whole(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hellojohn_server.features.jobs.service._REPORT_ROWS", 3)
    users = await office.users(*(f"u{number}" for number in range(7)))
    job = await office.run("disable", filters={})
    assert [user for user, _, _ in await office.report(job)] == users


async def test_what_fails_again_and_again_stops_a_job(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.users("alice")
    job = await office.start(await office.plan("disable", filters={}))

    async def fail(*_: Any) -> None:
        raise ArithmeticError("a defect")

    monkeypatch.setattr(runs_service.JobRunner, "_next", fail)
    for tries in range(1, 6):
        await office.runner.work(office.tenant_id, lambda: False)
        assert (await office.job(job["id"]))["status"] == ("stopped" if tries == 5 else "running")
        clock.advance(11)
    assert (await office.job(job["id"]))["stop_reason"] == "error"


async def test_jobs_are_listed_newest_first(office: Office) -> None:
    await office.users("alice")
    first = await office.run("disable", filters={})
    second = await office.start(await office.plan("enable", filters={}))
    page = (await office.call("GET", "/v1/admin/jobs?limit=1")).json()
    assert [job["id"] for job in page["data"]] == [second["id"]]
    after = (await office.call("GET", f"/v1/admin/jobs?limit=1&cursor={page['pagination']['next_cursor']}")).json()
    assert [job["id"] for job in after["data"]] == [first["id"]]
    done = (await office.call("GET", "/v1/admin/jobs?status=completed")).json()
    assert [job["id"] for job in done["data"]] == [first["id"]]
