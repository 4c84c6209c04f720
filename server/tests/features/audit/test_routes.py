"""The audit log over HTTP on both stores: what is read, what an application adds, and what is refused."""

import asyncio
from typing import Any

import pytest

from tests.conftest import ManualClock
from tests.support import RunningApp


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def add(app: RunningApp, key: str, action: str = "invoice.sent", **fields: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", "/v1/audit-logs", {"action": action, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_pages_own_call(app: RunningApp, tenant: str, key: str) -> None:
    user = (await app.call(key, "POST", "/v1/users", {"email": "alice@example.com"})).json()["id"]
    body = {"action": "user.suspended", "actor": "admin", "resource_id": user, "metadata": {"reason": "abuse"}}
    headers = {"X-Acting-Admin": "dana@example.com", "User-Agent": "page/1", "X-Request-ID": "req-from-outside"}
    answer = await app.call(key, "POST", "/v1/audit-logs", body, headers)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/audit-logs/{made['id']}"
    assert made == {
        "id": made["id"],
        "type": "user.suspended",
        "source": "custom",
        "actor": {"id": made["actor"]["id"], "type": "api_key", "name": "test", "asserted": "dana@example.com"},
        "on_behalf_of": None,
        "resource": {"id": user, "type": "user"},
        "tenant_id": tenant,
        "organization_id": None,
        "ip_address": "127.0.0.1",
        "user_agent": "page/1",
        "request_id": "req-from-outside",
        "result": "success",
        "reason": None,
        "changes": {},
        "impersonated": False,
        "metadata": {"reason": "abuse", "claimed_actor": "admin"},
        "personal_data_erased": False,
        "created_at": "2026-09-21T14:13:20.000Z",
    }
    read = await app.call(key, "GET", f"/v1/audit-logs/{made['id']}")
    assert (read.status_code, read.json()) == (200, made)
    about = (await app.call(key, "GET", f"/v1/audit-logs?user_id={user}&limit=50")).json()
    assert [entry["type"] for entry in about["data"]] == ["user.suspended", "user.created"]
    acted = (await app.call(key, "GET", f"/v1/audit-logs?actor_id={made['actor']['id']}")).json()
    assert acted["pagination"]["total"] == 2


async def test_filters_arrive_from_the_address(app: RunningApp, key: str, clock: ManualClock) -> None:
    for number in range(4):
        await add(app, key, "invoice.sent" if number % 2 else "invoice.lost.again", metadata={"n": number})
        clock.advance(60)

    async def numbers(query: str) -> list[int]:
        answer = await app.call(key, "GET", f"/v1/audit-logs?{query}")
        assert answer.status_code == 200, answer.text
        return [entry["metadata"]["n"] for entry in answer.json()["data"]]

    assert await numbers("type=invoice.*") == [3, 2, 1, 0]
    assert await numbers("type=invoice.sent") == [3, 1]
    assert await numbers("type=invoice.lost.*") == [2, 0]
    window = "from=2026-09-21T14:14:20Z&to=2026-09-21T16:16:20%2B02:00"
    assert await numbers(f"type=invoice.*&{window}") == [2, 1]
    assert await numbers("type=invoice.*&ip_address=127.0.0.1&result=success&actor_type=api_key") == [3, 2, 1, 0]
    assert await numbers("type=invoice.*&result=denied") == []
    for address in ("::ffff:127.0.0.1", "::FFFF:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"):
        assert await numbers(f"type=invoice.*&ip_address={address}") == [3, 2, 1, 0]
    assert await numbers("type=invoice.*&ip_address=::1") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("type=User.*", "type"),
        ("type=*", "type"),
        ("type=user.%0A", "type"),
        ("type=user.*%0A", "type"),
        ("result=maybe", "result"),
        ("actor_type=robot", "actor_type"),
        ("ip_address=here", "ip_address"),
        ("from=yesterday", "from"),
        ("from=2026-09-21T14:14:20", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("actor_id=", "actor_id"),
        ("action=user.disabled", "action"),
        ("from_=2026-09-21T14:14:20Z", "from_"),
    ],
)
async def test_bad_filters_are_named(app: RunningApp, key: str, query: str, field: str) -> None:
    answer = await app.call(key, "GET", f"/v1/audit-logs?{query}")
    error = answer.json()["error"]
    assert answer.status_code == 422, answer.text
    assert [detail["field"] for detail in error["details"]] == [field]


async def test_pages_and_their_cursors(app: RunningApp, tenant: str, key: str) -> None:
    for number in range(5):
        await add(app, key, metadata={"n": number})
    seen: list[int] = []
    path = "/v1/audit-logs?type=invoice.sent&limit=2"
    cursor = ""
    while cursor is not None:
        page = (await app.call(key, "GET", f"{path}&cursor={cursor}" if cursor else path)).json()
        assert (page["pagination"]["total"], page["pagination"]["limit"]) == (5, 2)
        seen += [entry["metadata"]["n"] for entry in page["data"]]
        last, cursor = cursor, page["pagination"]["next_cursor"]
    assert seen == [4, 3, 2, 1, 0]

    stranger = await app.make_key(await app.make_tenant("Other"))
    for other_key, query in ((key, f"type=invoice.*&cursor={last}"), (stranger, f"type=invoice.sent&cursor={last}")):
        refused = await app.call(other_key, "GET", f"/v1/audit-logs?{query}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_cursor")


async def test_another_tenant_sees_nothing(app: RunningApp, key: str) -> None:
    made = await add(app, key, resource_id="usr_1")
    stranger = await app.make_key(await app.make_tenant("Other"))
    missing = await app.call(stranger, "GET", f"/v1/audit-logs/{made['id']}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "audit_log_not_found")
    found = (await app.call(stranger, "GET", "/v1/audit-logs?user_id=usr_1")).json()
    assert (found["data"], found["pagination"]["total"]) == ([], 0)


@pytest.mark.parametrize("entry_id", ["evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", "evt_1", "%00", "%ff"])
async def test_an_unknown_entry_is_not_found(app: RunningApp, key: str, entry_id: str) -> None:
    answer = await app.call(key, "GET", f"/v1/audit-logs/{entry_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "audit_log_not_found")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["action"]),
        ({"action": "user.disabled"}, ["action"]),
        ({"action": "operation.denied"}, ["action"]),
        ({"action": "User.Suspended"}, ["action"]),
        ({"action": "a..b"}, ["action"]),
        ({"action": "a.b\n"}, ["action"]),
        ({"action": "x" * 101}, ["action"]),
        ({"action": "x", "metadata": {"text": "x" * 16_384}}, ["metadata"]),
        ({"action": "x", "metadata": [], "actor": "", "resource_id": 7}, ["metadata", "actor", "resource_id"]),
        ({"action": "x", "source": "builtin", "result": "denied"}, ["source", "result"]),
    ],
)
async def test_bad_entries_name_every_field(app: RunningApp, key: str, body: Any, fields: list[str]) -> None:
    answer = await app.call(key, "POST", "/v1/audit-logs", body)
    assert answer.status_code == 422, answer.text
    assert sorted(detail["field"] for detail in answer.json()["error"]["details"]) == sorted(fields)
    assert (await app.call(key, "GET", "/v1/audit-logs?actor_type=api_key")).json()["data"] == []


async def test_metadata_of_the_largest_size_is_taken(app: RunningApp, key: str) -> None:
    largest = {"text": "x" * (16_384 - len('{"text":""}'))}
    assert (await add(app, key, metadata=largest))["metadata"] == largest


async def test_retries_at_once_add_one_entry(app: RunningApp, key: str) -> None:
    headers = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(app.call(key, "POST", "/v1/audit-logs", {"action": "invoice.sent"}, headers) for _ in range(16))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await app.call(key, "GET", "/v1/audit-logs?type=invoice.sent")).json()["pagination"]["total"] == 1


async def test_reading_and_writing_are_two_scopes(app: RunningApp, tenant: str, key: str, clock: ManualClock) -> None:
    reader, writer = await app.make_key(tenant, "audit:read"), await app.make_key(tenant, "audit:write")
    assert (await app.call(reader, "GET", "/v1/audit-logs")).status_code == 200
    assert (await app.call(writer, "POST", "/v1/audit-logs", {"action": "x.y"})).status_code == 201
    assert (await app.call(writer, "GET", "/v1/audit-logs")).status_code == 403
    for _ in range(3):
        refused = await app.call(reader, "POST", "/v1/audit-logs", {"action": "x.y"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    denied = (await app.call(key, "GET", "/v1/audit-logs?type=operation.denied")).json()["data"][::-1]
    assert [entry["metadata"] for entry in denied] == [
        {
            "operation": "list_audit_logs",
            "code": "insufficient_scope",
            "missing_scopes": ["audit:read"],
            "denials": 1,
        },
        {
            "operation": "create_audit_log",
            "code": "insufficient_scope",
            "missing_scopes": ["audit:write"],
            "denials": 3,
        },
    ]


async def test_a_request_that_never_authenticated_leaves_no_entry(app: RunningApp, key: str) -> None:
    for credential in (None, "sk_live_nonsense", key[:-1] + ("a" if key[-1] != "a" else "b")):
        assert (await app.call(credential, "GET", "/v1/audit-logs")).status_code == 401
    assert (await app.call(key, "GET", "/v1/audit-logs?result=denied")).json()["data"] == []
