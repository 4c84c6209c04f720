"""Keys over HTTP on both stores: shown once, revoked at once, and what is refused in which words."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.scopes import Scope
from tests.conftest import ManualClock
from tests.support import RunningApp


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def make(app: RunningApp, key: str, **fields: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", "/v1/api-keys", {"name": "made", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def entries(app: RunningApp, key: str, query: str) -> list[dict[str, Any]]:
    answer = await app.call(key, "GET", f"/v1/audit-logs?{query}")
    found: list[dict[str, Any]] = answer.json()["data"]
    return found[::-1]


async def test_a_key_is_shown_once(app: RunningApp, key: str) -> None:
    body = {"name": "support desk", "scopes": ["users:read", "audit:read"], "expires_in": "90d"}
    answer = await app.call(key, "POST", "/v1/api-keys", body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/api-keys/{made['id']}"
    secret = made.pop("key")
    assert made == {
        "id": made["id"],
        "type": "secret",
        "name": "support desk",
        "hint": f"sk_live_…{secret[-4:]}",
        "scopes": ["audit:read", "users:read"],
        "allowed_ips": [],
        "status": "active",
        "created_at": "2026-09-21T14:13:20.000Z",
        "created_by": made["created_by"],
        "expires_at": "2026-12-20T14:13:20.000Z",
        "revoked_at": None,
        "revoked_reason": None,
        "replaced_by": None,
        "last_used_at": None,
    }
    read = await app.call(key, "GET", f"/v1/api-keys/{made['id']}")
    assert (read.status_code, read.json()) == (200, made)
    listed = await app.call(key, "GET", "/v1/api-keys")
    assert listed.json()["data"][0] == made
    assert listed.json()["pagination"]["total"] == 2
    log = await app.call(key, "GET", "/v1/audit-logs")
    assert secret not in read.text + listed.text + log.text
    assert (await app.call(secret, "GET", "/v1/users")).status_code == 200


async def test_a_revoked_key_is_refused_at_the_next_request(app: RunningApp, key: str) -> None:
    made = await make(app, key)
    assert (await app.call(made["key"], "GET", "/v1/users")).status_code == 200
    revoked = await app.call(key, "DELETE", f"/v1/api-keys/{made['id']}", {"reason": "leaked"})
    assert (revoked.status_code, revoked.content) == (204, b"")
    refused = await app.call(made["key"], "GET", "/v1/users")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    again = await app.call(key, "DELETE", f"/v1/api-keys/{made['id']}")
    assert again.status_code == 204
    shown = (await app.call(key, "GET", f"/v1/api-keys/{made['id']}")).json()
    assert (shown["status"], shown["revoked_reason"]) == ("revoked", "leaked")
    [entry] = await entries(app, key, "type=api_key.revoked")
    assert (entry["resource"]["id"], entry["reason"]) == (made["id"], "leaked")


async def test_a_key_may_revoke_itself(app: RunningApp, tenant: str, key: str) -> None:
    made = await make(app, key, scopes=["keys:write"])
    assert (await app.call(made["key"], "DELETE", f"/v1/api-keys/{made['id']}")).status_code == 204
    assert (await app.call(made["key"], "GET", "/v1/users")).status_code == 401
    assert (await entries(app, key, "type=api_key.revoked"))[0]["actor"]["id"] == made["id"]


async def test_revocations_at_once_are_all_answered(app: RunningApp, key: str) -> None:
    made = await make(app, key)
    path = f"/v1/api-keys/{made['id']}"
    answers = await asyncio.gather(*(app.call(key, "DELETE", path) for _ in range(16)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(await entries(app, key, "type=api_key.revoked")) == 1


async def test_retries_at_once_make_one_key(app: RunningApp, key: str) -> None:
    body, headers = {"name": "made"}, {"Idempotency-Key": "one"}
    answers = await asyncio.gather(*(app.call(key, "POST", "/v1/api-keys", body, headers) for _ in range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await entries(app, key, "type=api_key.created&actor_type=api_key")) == 1
    other = await app.call(key, "POST", "/v1/api-keys", {"name": "other"}, headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_a_key_is_given_no_more_than_its_maker_has(app: RunningApp, tenant: str, key: str) -> None:
    lesser = await app.make_key(tenant, "keys:write", "users:read")
    answer = await app.call(lesser, "POST", "/v1/api-keys", {"name": "x", "scopes": ["users:*", "audit:read"]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "insufficient_scope")
    named = " ".join(detail["message"] for detail in error["details"])
    assert "users:*" in named
    assert "audit:read" in named
    assert 'scope="audit:read users:*"' in answer.headers["www-authenticate"]
    [entry] = await entries(app, key, "result=denied")
    assert (entry["metadata"]["operation"], entry["metadata"]["code"]) == ("create_api_key", "insufficient_scope")
    assert entry["metadata"]["missing_scopes"] == ["audit:read", "users:*"]
    everything = await app.make_key(tenant, "*")
    refused = await app.call(everything, "POST", "/v1/api-keys", {"name": "x", "scopes": ["admins:manage"]})
    assert [detail["message"] for detail in refused.json()["error"]["details"]] == ["Needs the scope admins:manage."]


async def test_scopes_by_name_never_become_a_wildcard(app: RunningApp, tenant: str, key: str) -> None:
    named = await app.make_key(tenant, *(scope.value for scope in Scope if scope is not Scope.ADMINS_MANAGE))
    for body, missing in (({}, "*"), ({"scopes": ["*"]}, "*"), ({"scopes": ["users:*", "users:read"]}, "users:*")):
        refused = await app.call(named, "POST", "/v1/api-keys", {"name": "x", **body})
        assert refused.status_code == 403
        assert [detail["message"] for detail in refused.json()["error"]["details"]] == [f"Needs the scope {missing}."]
    assert (await app.call(key, "GET", "/v1/api-keys")).json()["pagination"]["total"] == 2


async def test_a_retry_shows_the_key_again_until_its_maker_ends(
    app: RunningApp, tenant: str, clock: ManualClock
) -> None:
    maker = await app.make_key(tenant, expires_in="2h")
    body, headers = {"name": "made", "expires_in": "1h"}, {"Idempotency-Key": "one"}
    first = await app.call(maker, "POST", "/v1/api-keys", body, headers)
    clock.advance(5400)
    again = await app.call(maker, "POST", "/v1/api-keys", body, headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (await app.call(maker, "POST", "/v1/api-keys", body)).status_code == 422


async def test_a_key_that_manages_admins_is_out_of_reach(app: RunningApp, tenant: str, key: str) -> None:
    powerful = await make(app, key, scopes=["admins:manage", "users:read"])
    lesser = await app.make_key(tenant, "*")
    refused = await app.call(lesser, "DELETE", f"/v1/api-keys/{powerful['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    assert (await app.call(powerful["key"], "GET", "/v1/users")).status_code == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": "x" * 201, "type": "master", "scopes": ["users:fly"]}, ["name", "type", "scopes[0]"]),
        ({"name": "x", "scopes": ["users:read", "users:fly", 3]}, ["scopes[1]", "scopes[2]"]),
        ({"name": "x", "scopes": []}, ["scopes"]),
        ({"name": "x", "scopes": "*"}, ["scopes"]),
        ({"name": "x", "scopes": ["*\n"]}, ["scopes[0]"]),
        ({"name": "x", "scopes": ["admins:*"]}, ["scopes[0]"]),
        ({"name": "x", "expires_in": "soon"}, ["expires_in"]),
        ({"name": "x", "expires_in": "1h\n"}, ["expires_in"]),
        ({"name": "x", "expires_in": "11y"}, ["expires_in"]),
        ({"name": "x", "type": "publishable", "scopes": ["users:read"]}, ["scopes"]),
        ({"name": " ", "type": "publishable", "scopes": ["users:read"]}, ["name", "scopes"]),
        ({"type": "publishable", "scopes": ["users:read"], "expires_in": "11y"}, ["name", "scopes", "expires_in"]),
        ({"name": "", "type": "publishable", "scopes": None}, ["name"]),
        ({"name": "x", "allowed_ips": []}, ["allowed_ips"]),
    ],
)
async def test_bad_bodies_name_every_field(app: RunningApp, key: str, body: Any, fields: list[str]) -> None:
    answer = await app.call(key, "POST", "/v1/api-keys", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in error["details"]) == sorted(fields)
    assert (await app.call(key, "GET", "/v1/api-keys")).json()["pagination"]["total"] == 1


async def test_an_expired_key_says_so(app: RunningApp, key: str, clock: ManualClock) -> None:
    made = await make(app, key, expires_in="1h")
    clock.advance(3600)
    refused = await app.call(made["key"], "GET", "/v1/users")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "api_key_expired")


async def test_a_key_ends_no_later_than_its_maker(app: RunningApp, tenant: str) -> None:
    short = await app.make_key(tenant, expires_in="1d")
    longer = await app.call(short, "POST", "/v1/api-keys", {"name": "x", "expires_in": "2d"})
    assert [detail["field"] for detail in longer.json()["error"]["details"]] == ["expires_in"]
    made = await make(app, short)
    assert made["expires_at"] == "2026-09-22T14:13:20.000Z"


async def test_a_publishable_key_opens_nothing_of_the_backend(app: RunningApp, key: str) -> None:
    made = await make(app, key, type="publishable")
    assert made["key"].startswith("pk_live_")
    assert made["scopes"] == []
    for path in ("/v1/users", "/v1/api-keys", "/v1/audit-logs", "/v1/tenants"):
        refused = await app.call(made["key"], "GET", path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "credential_not_allowed")
    mistyped = made["key"][:-1] + ("a" if made["key"][-1] != "a" else "b")
    refused = await app.call(mistyped, "GET", "/v1/users")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_publishable_key")


async def test_a_rotation_answers_with_the_new_key_once(app: RunningApp, key: str) -> None:
    old = await make(app, key, scopes=["users:read"])
    answer = await app.call(key, "POST", f"/v1/api-keys/{old['id']}/rotate", {"overlap": "1h", "reason": "quarterly"})
    new = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/api-keys/{new['id']}"
    secret = new.pop("key")
    assert new == {
        **{name: value for name, value in old.items() if name != "key"},
        "id": new["id"],
        "hint": f"sk_live_…{secret[-4:]}",
    }
    shown = (await app.call(key, "GET", f"/v1/api-keys/{old['id']}")).json()
    assert (shown["status"], shown["expires_at"]) == ("active", "2026-09-21T15:13:20.000Z")
    assert (shown["replaced_by"], shown["revoked_at"]) == (new["id"], None)
    for each in (old["key"], secret):
        assert (await app.call(each, "GET", "/v1/users")).status_code == 200
    log = await app.call(key, "GET", "/v1/audit-logs")
    assert secret not in log.text
    again = await app.call(key, "POST", f"/v1/api-keys/{old['id']}/rotate")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "api_key_not_active")


async def test_a_key_may_rotate_itself_and_try_again(app: RunningApp, key: str, clock: ManualClock) -> None:
    old = await make(app, key, scopes=["keys:write", "users:read"], expires_in="90d")
    path, headers = f"/v1/api-keys/{old['id']}/rotate", {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(app.call(old["key"], "POST", path, {}, headers) for _ in range(16)))
    clock.advance(3600)
    answers.append(await app.call(old["key"], "POST", path, {}, headers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    new = answers[0].json()
    assert (new["created_by"], new["expires_at"]) == (old["id"], old["expires_at"])
    assert (await app.call(new["key"], "GET", "/v1/users")).status_code == 200
    clock.advance(23 * 3600)
    refused = await app.call(old["key"], "GET", "/v1/users")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "api_key_expired")
    assert len(await entries(app, key, "type=api_key.rotated")) == 1


async def test_a_key_that_rotates_itself_at_once_is_refused_from_then_on(app: RunningApp, key: str) -> None:
    old = await make(app, key, scopes=["keys:write", "users:read"])
    path, headers = f"/v1/api-keys/{old['id']}/rotate", {"Idempotency-Key": "once"}
    new = (await app.call(old["key"], "POST", path, {"overlap": None}, headers)).json()
    refused = await app.call(old["key"], "POST", path, {"overlap": None}, headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (await app.call(new["key"], "GET", "/v1/users")).status_code == 200


async def test_rotations_at_once_make_one_key(app: RunningApp, key: str) -> None:
    old = await make(app, key)
    path = f"/v1/api-keys/{old['id']}/rotate"
    answers = await asyncio.gather(*(app.call(key, "POST", path, {"overlap": None}) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert (await app.call(key, "GET", "/v1/api-keys")).json()["pagination"]["total"] == 3


async def test_a_stronger_key_is_not_rotated_and_the_attempt_is_recorded(
    app: RunningApp, tenant: str, key: str
) -> None:
    powerful = await make(app, key, scopes=["admins:manage", "users:read"])
    lesser = await app.make_key(tenant, "*")
    refused = await app.call(lesser, "POST", f"/v1/api-keys/{powerful['id']}/rotate")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    [entry] = await entries(app, key, "result=denied")
    assert (entry["metadata"]["operation"], entry["metadata"]["code"]) == ("rotate_api_key", "insufficient_scope")
    assert entry["metadata"]["missing_scopes"] == ["admins:manage"]
    assert (await app.call(key, "GET", f"/v1/api-keys/{powerful['id']}")).json()["replaced_by"] is None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"overlap": "31d"}, ["overlap"]),
        ({"overlap": "0h"}, ["overlap"]),
        ({"overlap": 3600}, ["overlap"]),
        ({"overlap": "soon", "reason": ""}, ["overlap", "reason"]),
        ({"overlap": "999999999y", "name": "x"}, ["name", "overlap"]),
    ],
)
async def test_bad_rotations_name_every_field(app: RunningApp, key: str, body: Any, fields: list[str]) -> None:
    old = await make(app, key)
    answer = await app.call(key, "POST", f"/v1/api-keys/{old['id']}/rotate", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in answer.json()["error"]["details"]) == fields
    assert (await app.call(key, "GET", f"/v1/api-keys/{old['id']}")).json()["replaced_by"] is None


async def test_another_tenant_sees_and_reaches_nothing(app: RunningApp, key: str) -> None:
    made = await make(app, key)
    stranger = await app.make_key(await app.make_tenant("Other"))
    assert (await app.call(stranger, "GET", f"/v1/api-keys/{made['id']}")).status_code == 404
    refused = await app.call(stranger, "DELETE", f"/v1/api-keys/{made['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "api_key_not_found")
    refused = await app.call(stranger, "POST", f"/v1/api-keys/{made['id']}/rotate", {"overlap": None})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "api_key_not_found")
    listed = (await app.call(stranger, "GET", "/v1/api-keys")).json()
    assert made["id"] not in [row["id"] for row in listed["data"]]
    assert (await app.call(made["key"], "GET", "/v1/users")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/api-keys/key_1", "/v1/api-keys/%00", "/v1/api-keys/usr_01ARZ3NDEKTSV4RRFFQ69G5FAV"]
)
async def test_malformed_ids_are_not_found(app: RunningApp, key: str, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert (await app.call(key, method, path)).status_code == 404


async def test_a_master_key_makes_a_tenants_first_key(app: RunningApp) -> None:
    master = await app.make_master_key()
    tenant = await app.make_tenant("Sandbox", Environment.TEST)
    body = {"name": "first", "scopes": ["*", "admins:manage"]}
    answer = await app.call(master, "POST", f"/v1/tenants/{tenant}/api-keys", body)
    assert answer.status_code == 201
    first = answer.json()["key"]
    assert first.startswith("sk_test_")
    [entry] = await entries(app, first, "type=api_key.created")
    assert entry["actor"]["type"] == "master_key"
    assert entry["tenant_id"] == tenant
    missing = await app.call(master, "POST", "/v1/tenants/tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV/api-keys", body)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "tenant_not_found")
    refused = await app.call(first, "POST", f"/v1/tenants/{tenant}/api-keys", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "credential_not_allowed")
