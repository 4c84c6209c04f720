"""Tenants over HTTP on both stores: the control plane, and how a tenant's own keys feel it."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from tests.conftest import ManualClock
from tests.features.tenants.parts import Parts
from tests.support import RunningApp


@pytest.fixture
async def master(app: RunningApp) -> str:
    return await app.make_master_key()


async def make(app: RunningApp, master: str, **fields: Any) -> dict[str, Any]:
    answer = await app.call(master, "POST", "/v1/tenants", {"name": "Acme", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def control_types(app: RunningApp) -> list[str]:
    """Return the types of the control plane's entries about tenants and denials, oldest first."""
    parts = Parts(app.services.database, app.services.ids, app.services.clock)
    return [entry.type for entry in await parts.entries(CONTROL_TENANT_ID) if not entry.type.startswith("api_key")]


async def test_the_life_of_a_tenant(app: RunningApp, master: str, clock: ManualClock) -> None:
    answer = await app.call(master, "POST", "/v1/tenants", {"name": "Acme"})
    made = answer.json()
    path = f"/v1/tenants/{made['id']}"
    assert answer.status_code == 201
    assert (answer.headers["location"], answer.headers["etag"]) == (path, '"1"')
    assert made == {
        "id": made["id"],
        "name": "Acme",
        "environment": "live",
        "status": "active",
        "suspended_reason": None,
        "created_at": "2026-09-21T14:13:20.000Z",
        "updated_at": "2026-09-21T14:13:20.000Z",
        "version": 1,
    }
    clock.advance(1)
    renamed = await app.call(master, "PATCH", path, {"name": "Acme GmbH"}, {"If-Match": '"1"'})
    assert (renamed.status_code, renamed.headers["etag"]) == (200, '"2"')
    assert renamed.json() == {
        **made,
        "name": "Acme GmbH",
        "updated_at": "2026-09-21T14:13:21.000Z",
        "version": 2,
    }
    stale = await app.call(master, "PATCH", path, {"name": "Other"}, {"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "version_mismatch")
    assert (await app.call(master, "GET", path)).json() == renamed.json()

    key = await app.make_key(made["id"])
    assert (await app.call(key, "GET", "/v1/users")).status_code == 200
    suspended = await app.call(master, "POST", f"{path}/suspend", {"reason": "unpaid"})
    assert (suspended.json()["status"], suspended.json()["suspended_reason"]) == ("suspended", "unpaid")
    refused = await app.call(key, "GET", "/v1/users")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "tenant_suspended")
    again = await app.call(master, "POST", f"{path}/suspend")
    assert again.json() == suspended.json()
    resumed = await app.call(master, "POST", f"{path}/resume")
    assert (resumed.json()["status"], resumed.json()["version"]) == ("active", 4)
    assert (await app.call(key, "GET", "/v1/users")).status_code == 200

    for query in ("", "?confirm=yes"):
        kept = await app.call(master, "DELETE", path + query)
        assert (kept.status_code, [each["field"] for each in kept.json()["error"]["details"]]) == (422, ["confirm"])
    deleted = await app.call(master, "DELETE", f"{path}?confirm={made['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await app.call(master, "GET", path)).status_code == 404
    gone = await app.call(key, "GET", "/v1/users")
    assert (gone.status_code, gone.json()["error"]["code"]) == (401, "invalid_api_key")
    assert await control_types(app) == [
        "tenant.created",
        "tenant.updated",
        "tenant.suspended",
        "tenant.resumed",
        "tenant.deleted",
    ]


async def test_retries_at_once_make_one_tenant(app: RunningApp, master: str) -> None:
    headers = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(app.call(master, "POST", "/v1/tenants", {"name": "Acme"}, headers) for _ in range(16))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await app.call(master, "GET", "/v1/tenants")).json()["pagination"]["total"] == 1


async def test_a_retried_deletion_is_answered_alike(app: RunningApp, master: str) -> None:
    made = await make(app, master)
    path, headers = f"/v1/tenants/{made['id']}?confirm={made['id']}", {"Idempotency-Key": "one"}
    assert (await app.call(master, "DELETE", path, None, headers)).status_code == 204
    assert (await app.call(master, "DELETE", path, None, headers)).status_code == 204
    assert (await app.call(master, "DELETE", path)).status_code == 404
    assert (await control_types(app)).count("tenant.deleted") == 1


async def test_listing(app: RunningApp, master: str) -> None:
    made = [await make(app, master, name=f"T{n}", environment="test" if n % 2 else "live") for n in range(5)]
    first = (await app.call(master, "GET", "/v1/tenants?limit=3")).json()
    assert [row["name"] for row in first["data"]] == ["T4", "T3", "T2"]
    assert first["pagination"]["has_more"] is True
    cursor = first["pagination"]["next_cursor"]
    last = (await app.call(master, "GET", f"/v1/tenants?limit=3&cursor={cursor}")).json()
    assert last["data"] == [made[1], made[0]]
    assert last["pagination"] == {
        "total": 5,
        "total_is_exact": True,
        "limit": 3,
        "has_more": False,
        "next_cursor": None,
    }
    tests = (await app.call(master, "GET", "/v1/tenants?environment=test&status=active")).json()
    assert [row["name"] for row in tests["data"]] == ["T3", "T1"]
    other = await app.call(master, "GET", f"/v1/tenants?environment=test&cursor={cursor}")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "\t"}, ["name"]),
        ({"name": "x" * 201, "environment": "staging", "id": "tnt_1"}, ["name", "environment", "id"]),
        ({"name": None}, ["name"]),
    ],
)
async def test_bad_bodies_name_every_field(app: RunningApp, master: str, body: Any, fields: list[str]) -> None:
    answer = await app.call(master, "POST", "/v1/tenants", body)
    assert answer.status_code == 422
    assert sorted(detail["field"] for detail in answer.json()["error"]["details"]) == sorted(fields)
    assert await control_types(app) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", "?confirm={id}"),
        ("POST", "/suspend"),
        ("POST", "/resume"),
    ],
)
@pytest.mark.parametrize("tenant_id", ["tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV", CONTROL_TENANT_ID, "acme"])
async def test_what_is_not_there_is_not_found(
    app: RunningApp, master: str, method: str, path: str, tenant_id: str
) -> None:
    body = {"name": "x"} if method == "PATCH" else None
    answer = await app.call(master, method, f"/v1/tenants/{tenant_id}{path.format(id=tenant_id)}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "tenant_not_found")
    assert await control_types(app) == []


async def test_an_id_that_no_text_may_hold_is_not_found(app: RunningApp, master: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/suspend"), ("POST", "/resume"), ("POST", "/api-keys")):
        body = {"name": "x"} if method == "PATCH" or path == "/api-keys" else None
        answer = await app.call(master, method, f"/v1/tenants/%00{path}", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "tenant_not_found")


async def test_a_tenants_own_key_is_kept_out(app: RunningApp) -> None:
    tenant = await app.make_tenant()
    key = await app.make_key(tenant)
    for method, path in (("GET", "/v1/tenants"), ("GET", f"/v1/tenants/{tenant}"), ("POST", "/v1/tenants")):
        body = {"name": "mine"} if method == "POST" else None
        answer = await app.call(key, method, path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "credential_not_allowed")
    log = (await app.call(key, "GET", "/v1/audit-logs?result=denied")).json()
    assert {entry["metadata"]["operation"] for entry in log["data"]} == {"list_tenants", "get_tenant", "create_tenant"}


async def test_a_master_key_is_kept_out_of_tenants(app: RunningApp, master: str) -> None:
    for path in ("/v1/users", "/v1/audit-logs", "/v1/api-keys"):
        answer = await app.call(master, "GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "credential_not_allowed")
    assert await control_types(app) == ["operation.denied"] * 3
