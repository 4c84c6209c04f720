"""Plans on both stores: whom they find and leave out, what they show, and when they can be run."""

import hashlib
from typing import Any

import httpx
import pytest

from hellojohn_server.features.jobs import service as jobs_service
from hellojohn_server.features.plans import service as plans_service
from hellojohn_server.features.selections import service as selections_service
from hellojohn_server.kit.ids import IdPrefix
from tests.conftest import ManualClock
from tests.features.jobs.parts import Office, counts, went

DAY = 86_400


def hash_of(user_ids: list[str]) -> str:
    return hashlib.sha256("".join(f"{user_id}\n" for user_id in sorted(user_ids)).encode()).hexdigest()


def excluded(plan: dict[str, Any]) -> dict[str, tuple[int, list[str]]]:
    return {each["reason"]: (each["count"], each["samples"]) for each in plan["excluded"]}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have more than four users be many, and be gone through three at a time."""
    monkeypatch.setattr(plans_service, "MAX_IDS", 4)
    monkeypatch.setattr(jobs_service, "MAX_IDS", 4)
    monkeypatch.setattr(plans_service, "CHUNK", 3)
    monkeypatch.setattr(selections_service, "CHUNK", 3)


async def test_a_plan_says_what_would_happen_and_does_nothing(office: Office) -> None:
    alice, bob, gone = await office.users("alice", "bob", "gone")
    (boss,) = await office.users("boss", role="admin")
    limited = await office.app.make_key(office.tenant_id, "users:*", "jobs:*")
    await office.call("POST", f"/v1/users/{bob}/disable")
    await office.call("DELETE", f"/v1/users/{gone}")
    unknown = office.app.services.ids.new(IdPrefix.USER)
    asked = [alice, bob, gone, boss, unknown, "nobody", alice]

    plan = await office.plan("disable", {"reason": "spam"}, key=limited, user_ids=asked)

    assert (plan["status"], plan["matched"], plan["users"]) == ("ready", 6, 1)
    assert plan["hash"] == hash_of([alice])
    assert plan["samples"] == [
        {"id": alice, "email": "alice@example.com", "name": "alice", "role": "member", "status": "active"}
    ]
    assert excluded(plan) == {
        "already_so": (1, [bob]),
        "deleted": (1, [gone]),
        "no_such_user": (2, [unknown]),
        "role_privileged": (1, [boss]),
    }
    assert plan["parameters"] == {"reason": "spam"}
    assert not (await office.stored(alice)).disabled
    assert (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json() == plan
    assert [entry.metadata for entry in await office.front.entries() if entry.type == "plan.created"] == [
        {"action": "disable"}
    ]


async def test_the_samples_of_a_key_that_reads_no_users_are_ids(office: Office) -> None:
    (alice,) = await office.users("alice")
    blind = await office.app.make_key(office.tenant_id, "users:write", "jobs:write", "jobs:read")
    plan = await office.plan("disable", key=blind, query="alice")
    nothing = {"id": alice, "email": None, "name": None, "role": None, "status": None}
    assert plan["samples"] == [nothing]
    assert (await office.call("GET", f"/v1/admin/plans/{plan['id']}", key=blind)).json()["samples"] == [nothing]


async def test_no_more_than_twenty_are_shown(office: Office) -> None:
    users = await office.users(*(f"u{number:02}" for number in range(23)))
    plan = await office.plan("disable", query="example.com")
    assert [sample["id"] for sample in plan["samples"]] == users[:-21:-1]
    assert plan["users"] == 23
    again = await office.plan("enable", filters={"disabled": False})
    ((count, samples),) = excluded(again).values()
    assert (count, len(samples)) == (23, 20)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "disable"}, "filters"),
        ({"action": "disable", "filters": {}, "user_ids": ["usr_1"]}, "user_ids"),
        ({"action": "disable", "filters": {}, "parameters": {"role": "admin"}}, "parameters.role"),
        ({"action": "set_role", "filters": {}}, "parameters.role"),
        ({"action": "set_role", "filters": {}, "parameters": {"role": "nobody"}}, "parameters.role"),
        ({"action": "set_metadata", "filters": {}}, "parameters.public_metadata"),
        ({"action": "enable", "filters": {}, "parameters": {"revoke_sessions": True}}, "parameters.revoke_sessions"),
        ({"action": "disable", "filters": {}, "parameters": {"require": True}}, "parameters.require"),
        ({"action": "ban", "filters": {}, "parameters": {"expires_in": "never"}}, "parameters.expires_in"),
        ({"action": "ban", "filters": {}, "parameters": {"expires_at": "2001-01-01T00:00:00Z"}}, "expires_at"),
        ({"action": "erase", "filters": {}}, "action"),
    ],
)
async def test_what_is_wrong_is_named(office: Office, body: dict[str, Any], field: str) -> None:
    answer = await office.call("POST", "/v1/admin/plans", body)
    assert error_of(answer) == (422, "validation_failed")
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]


async def test_a_privileged_role_is_given_by_who_may_only(office: Office) -> None:
    await office.users("alice")
    key = await office.app.make_key(office.tenant_id, "users:*", "jobs:*")
    body = {"action": "set_role", "filters": {}, "parameters": {"role": "admin"}}
    assert error_of(await office.call("POST", "/v1/admin/plans", body, key)) == (403, "insufficient_scope")
    assert (await office.call("POST", "/v1/admin/plans", body)).status_code == httpx.codes.CREATED


@pytest.mark.parametrize(("action", "scope"), [("disable", "users:write"), ("revoke_sessions", "sessions:write")])
async def test_every_step_needs_the_scope_of_the_act(office: Office, action: str, scope: str) -> None:
    await office.users("alice")
    able = await office.app.make_key(office.tenant_id, "jobs:write", "admins:manage", scope)
    unable = await office.app.make_key(office.tenant_id, "jobs:write", "admins:manage")
    body = {"action": action, "filters": {}}
    assert error_of(await office.call("POST", "/v1/admin/plans", body, unable)) == (403, "insufficient_scope")
    plan = await office.plan(action, key=able, filters={})
    start = {"plan_id": plan["id"]}
    assert error_of(await office.call("POST", "/v1/admin/jobs", start, unable)) == (403, "insufficient_scope")
    job = await office.start(plan, key=able)
    for rest in ("cancel", "undo"):
        refused = await office.call("POST", f"/v1/admin/jobs/{job['id']}/{rest}", key=unable)
        assert error_of(refused) == (403, "insufficient_scope")
    cancelled = await office.call("POST", f"/v1/admin/jobs/{job['id']}/cancel", key=able)
    assert cancelled.json()["status"] == "cancelled"


async def test_another_key_runs_a_plan_with_admins_manage_only(office: Office) -> None:
    await office.users("alice")
    plan = await office.plan("disable", filters={})
    other = await office.app.make_key(office.tenant_id, "users:*", "jobs:*")
    start = {"plan_id": plan["id"]}
    assert error_of(await office.call("POST", "/v1/admin/jobs", start, other)) == (403, "insufficient_scope")
    manager = await office.app.make_key(office.tenant_id, "users:*", "jobs:*", "admins:manage")
    assert (await office.call("POST", "/v1/admin/jobs", start, manager)).status_code == httpx.codes.CREATED


async def test_a_plan_is_run_once_and_within_a_day(office: Office, clock: ManualClock) -> None:
    (alice,) = await office.users("alice")
    plan, late = await office.plan("disable", filters={}), await office.plan("ban", filters={})
    await office.start(plan)
    again = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]})
    assert error_of(again) == (409, "plan_used")
    clock.advance(DAY)
    expired = await office.call("POST", "/v1/admin/jobs", {"plan_id": late["id"]})
    assert error_of(expired) == (409, "plan_expired")
    shown = (await office.call("GET", f"/v1/admin/plans/{late['id']}")).json()
    assert (shown["status"], shown["query"]) == ("expired", None)
    await office.app.services.plans.purge(office.tenant_id, clock.now_ms())
    assert error_of(await office.call("GET", f"/v1/admin/plans/{late['id']}")) == (404, "plan_not_found")
    assert not (await office.stored(alice)).disabled
    await office.work()
    assert (await office.stored(alice)).disabled


async def test_what_a_plan_was_asked_with_goes_with_its_job_and_the_rest_after_thirty_days(
    office: Office, clock: ManualClock
) -> None:
    await office.users("alice")
    job = await office.run("disable", {"reason": "spam", "revoke_sessions": False}, query="alice")
    path = f"/v1/admin/plans/{job['plan_id']}"
    assert job["parameters"] == {"revoke_sessions": False}
    assert (await office.call("GET", path)).json()["query"] == "alice"
    await office.app.services.plans.purge(office.tenant_id, clock.now_ms())
    plan = (await office.call("GET", path)).json()
    assert (plan["status"], plan["query"], plan["samples"], plan["users"]) == ("used", None, [], 1)
    assert plan["parameters"] == {"revoke_sessions": False}
    clock.advance(30 * DAY)
    await office.app.services.plans.purge(office.tenant_id, clock.now_ms())
    await office.runner.purge(office.tenant_id, clock.now_ms())
    assert error_of(await office.call("GET", path)) == (404, "plan_not_found")
    assert error_of(await office.call("GET", f"/v1/admin/jobs/{job['id']}")) == (404, "job_not_found")


async def test_a_difference_refuses_the_run_unless_it_is_accepted(office: Office) -> None:
    alice, bob = await office.users("alice", "bob")
    plan = await office.plan("disable", query="example.com")
    (carol,) = await office.users("carol")
    changed = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]})
    assert error_of(changed) == (409, "plan_changed")
    await office.call("PATCH", f"/v1/users/{bob}", {"email": "bob@elsewhere.org"})
    job = await office.start(plan, accept_changes=True)
    await office.work()
    job = await office.job(job["id"])
    assert counts(job) == went(2, 1, skipped=1)
    assert await office.report(job) == [(alice, "changed", None), (bob, "skipped", "no_longer_found")]
    assert [(await office.stored(each)).disabled for each in (alice, bob, carol)] == [True, False, False]


@pytest.mark.parametrize("act", ["disable", "erase", "promote"])
async def test_whatever_changes_who_it_would_be_done_to_is_a_difference(office: Office, act: str) -> None:
    alice, _ = await office.users("alice", "bob")
    key = await office.app.make_key(office.tenant_id, "users:*", "jobs:*")
    plan = await office.plan("disable", key=key, filters={})
    match act:
        case "disable":
            await office.call("POST", f"/v1/users/{alice}/disable")
        case "erase":
            await office.call("DELETE", f"/v1/users/{alice}?permanent=true")
        case _:
            await office.call("PATCH", f"/v1/users/{alice}", {"role": "admin"})
    refused = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]}, key)
    assert error_of(refused) == (409, "plan_changed")
    assert (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json()["status"] == "ready"


async def test_what_changes_nothing_of_that_is_no_difference(office: Office) -> None:
    alice, _ = await office.users("alice", "bob")
    named = await office.plan("disable", user_ids=[alice])
    found = await office.plan("enable", filters={"role": "member"})
    await office.call("PATCH", f"/v1/users/{alice}", {"name": "Alicia"})
    await office.users("carol", role="admin")
    await office.start(named)
    await office.start(found)


@pytest.mark.usefixtures("small")
async def test_a_large_plan_is_prepared_beside_the_server(office: Office) -> None:
    users = await office.users(*"abcdefgh")
    await office.call("POST", f"/v1/users/{users[2]}/disable")
    plan = await office.plan("disable", filters={})
    assert (plan["status"], plan["users"], plan["hash"]) == ("preparing", 0, None)
    early = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]})
    assert error_of(early) == (409, "plan_not_ready")

    await office.runner.work(office.tenant_id, lambda: True)
    partly = (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json()
    assert (partly["status"], partly["matched"], partly["users"]) == ("preparing", 3, 3)
    await office.work()

    ready = (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json()
    left = [user for user in users if user != users[2]]
    assert (ready["status"], ready["matched"], ready["users"]) == ("ready", 8, 7)
    assert ready["hash"] == hash_of(left)
    assert excluded(ready) == {"already_so": (1, [users[2]])}
    job = await office.start(ready)
    assert job["status"] == "checking"
    await office.work()
    assert counts(await office.job(job["id"])) == went(7, 7)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("difference", ["one more", "one less"])
async def test_a_large_plan_that_has_changed_stops_its_job_and_can_be_run_again(
    office: Office, difference: str
) -> None:
    users = await office.users(*"abcdef")
    plan = await office.plan("disable", filters={})
    await office.work()
    if difference == "one more":
        await office.users("z")
    else:
        await office.call("POST", f"/v1/users/{users[0]}/disable")
    job = await office.start(plan)
    await office.work()
    stopped = await office.job(job["id"])
    assert (stopped["status"], stopped["stop_reason"], stopped["done"]) == ("stopped", "plan_changed", 0)
    assert (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json()["status"] == "ready"
    again = await office.start(plan, accept_changes=True)
    await office.work()
    assert (await office.job(again["id"]))["status"] == "completed"


async def test_another_tenant_sees_nothing(office: Office) -> None:
    await office.users("alice")
    other = await office.app.make_tenant("Other")
    key = await office.app.make_key(other)
    plan = await office.plan("disable", filters={})
    theirs = await office.plan("disable", key=key, user_ids=[plan["samples"][0]["id"]])
    assert (theirs["users"], theirs["matched"], excluded(theirs)["no_such_user"][0]) == (0, 1, 1)
    assert (await office.plan("disable", key=key, filters={}))["matched"] == 0
    assert error_of(await office.call("GET", f"/v1/admin/plans/{plan['id']}", key=key)) == (404, "plan_not_found")
    start = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]}, key)
    assert error_of(start) == (404, "plan_not_found")
    job = await office.start(plan)
    for method, rest in (("GET", ""), ("GET", "/report"), ("POST", "/cancel"), ("POST", "/undo")):
        answer = await office.call(method, f"/v1/admin/jobs/{job['id']}{rest}", key=key)
        assert error_of(answer) == (404, "job_not_found")
    assert (await office.call("GET", "/v1/admin/jobs", key=key)).json()["data"] == []
    await office.runner.work(other, lambda: False)
    assert (await office.job(job["id"]))["done"] == 0


@pytest.mark.usefixtures("small")
async def test_a_plan_that_cannot_be_prepared_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.users(*"abcdef")
    plan = await office.plan("disable", filters={})

    async def fail(*_: Any) -> None:
        raise ArithmeticError("a defect")

    monkeypatch.setattr(plans_service.PlanService, "_hash", fail)
    for _ in range(2):  # the second time it fails where it began
        await office.runner.work(office.tenant_id, lambda: False)

    shown = (await office.call("GET", f"/v1/admin/plans/{plan['id']}")).json()
    assert (shown["status"], shown["error"]) == ("failed", "internal_error")
    refused = await office.call("POST", "/v1/admin/jobs", {"plan_id": plan["id"]})
    assert error_of(refused) == (409, "plan_not_ready")
    assert await office.runner.work(office.tenant_id, lambda: False) is None
