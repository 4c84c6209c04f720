"""Listing and searching over HTTP on both stores: as the page shows it, and what the request boundary refuses."""

from typing import Any

import pytest

from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.text import fold
from hellojohn_server.storage.database import Exempt
from tests.conftest import ManualClock
from tests.features.search.people import JOIN
from tests.support import RunningApp

ORGANIZATION = "org_01HABCDEF777666"


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def make(app: RunningApp, key: str, email: str, **values: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", "/v1/users", {"email": email, **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(app: RunningApp, key: str, **body: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", "/v1/admin/users/search", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def emails(app: RunningApp, key: str, path: str) -> list[str]:
    answer = await app.call(key, "GET", path)
    assert answer.status_code == 200, answer.text
    return [user["email"] for user in answer.json()["data"]]


async def test_the_calls_of_the_page(app: RunningApp, key: str, tenant: str) -> None:
    alice = await make(app, key, "alice@example.com", name="Alice Smith")
    await make(app, key, "bob@example.com", name="Bob Smith")

    async def join(tx: Any) -> None:
        await tx.execute(JOIN, organization_id=ORGANIZATION, user_id=alice["id"])

    await app.services.database.write(tenant, join, type(None), exempt=Exempt.HOUSEKEEPING)
    listed = await app.call(key, "GET", "/v1/users?limit=50", headers={"X-Tenant-ID": tenant})
    assert [user["email"] for user in listed.json()["data"]] == ["bob@example.com", "alice@example.com"]
    assert listed.json()["pagination"] == {
        "total": 2, "total_is_exact": True, "limit": 50, "has_more": False, "next_cursor": None
    }  # fmt: skip
    assert await emails(app, key, "/v1/users?order_by=email") == ["alice@example.com", "bob@example.com"]
    assert await emails(app, key, "/v1/users?order_by=email&direction=desc") == ["bob@example.com", "alice@example.com"]

    filters = {"mfa_enrolled": False, "disabled": False, "organization_id": ORGANIZATION}
    filters |= {"created_after": "2024-01-01T00:00:00Z"}
    found = await ask(app, key, query="alice", filters=filters, limit=25)
    assert (found["data"], found["pagination"]["total"]) == ([alice], 1)
    assert (await ask(app, key, query="smith", filters={**filters, "mfa_enrolled": True}))["data"] == []
    assert (await ask(app, key, query="smith", filters={**filters, "organization_id": "org_of_nobody"}))["data"] == []


async def test_one_tenant_does_not_find_anothers_users(app: RunningApp, key: str) -> None:
    user = await make(app, key, "alice@example.com")
    other = await app.make_key(await app.make_tenant())
    assert await emails(app, other, "/v1/users") == []
    assert await emails(app, other, "/v1/users?email=alice@example.com") == []
    assert (await ask(app, other, query=user["id"]))["pagination"]["total"] == 0


async def test_it_needs_the_scope_to_read_users(app: RunningApp, tenant: str) -> None:
    reader, writer = [await app.make_key(tenant, scope) for scope in (Scope.USERS_READ, Scope.USERS_WRITE)]
    for method, path, body in (("GET", "/v1/users", None), ("POST", "/v1/admin/users/search", {})):
        assert (await app.call(reader, method, path, body)).status_code == 200
        refused = await app.call(writer, method, path, body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")


async def test_a_change_is_found_by_the_next_call(app: RunningApp, key: str, clock: ManualClock) -> None:
    user = await make(app, key, "ana@example.com", name="Ana Lima")
    path = f"/v1/users/{user['id']}"
    assert (await ask(app, key, query="lima"))["data"] == [user]
    assert (await app.call(key, "PATCH", path, {"name": "Ana Östberg", "disabled": True})).status_code == 200
    assert (await ask(app, key, query="lima"))["data"] == []
    assert [each["id"] for each in (await ask(app, key, query="OSTBERG ös"))["data"]] == [user["id"]]
    assert await emails(app, key, "/v1/users?status=disabled") == [user["email"]]
    assert await emails(app, key, "/v1/users?disabled=false") == []
    clock.advance(60)
    assert (await app.call(key, "PATCH", path, {"email": "maria@example.com"})).status_code == 200
    assert await emails(app, key, "/v1/users?email=ana@example.com") == []
    assert await emails(app, key, "/v1/users?email=MARIA@example.com") == ["maria@example.com"]


async def test_totals_follow_every_change(app: RunningApp, key: str) -> None:
    users = [await make(app, key, f"user{number}@example.com", email_verified=number < 2) for number in range(5)]

    async def total(query: str = "") -> tuple[int, bool]:
        pagination = (await app.call(key, "GET", f"/v1/users?limit=1{query}")).json()["pagination"]
        return pagination["total"], pagination["total_is_exact"]

    assert await total() == (5, True)
    assert (await total("&email_verified=true"), await total("&email_verified=false")) == ((2, True), (3, True))
    await app.call(key, "POST", f"/v1/users/{users[0]['id']}/disable")
    await app.call(key, "PATCH", f"/v1/users/{users[1]['id']}", {"role": "admin"})
    assert (await total("&disabled=true"), await total("&disabled=false")) == ((1, True), (4, True))
    assert (await total("&role=admin"), await total("&role=member")) == ((1, True), (4, True))
    assert await total("&role=member&disabled=true") == (1, True)


@pytest.mark.parametrize("path", ["/v1/users", "/v1/users?order_by=name&direction=desc", "/v1/users?status=active"])
async def test_pages_over_http(app: RunningApp, key: str, path: str) -> None:
    made = [await make(app, key, f"u{number}@example.com", name=f"N{number % 3}") for number in range(7)]
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        separator = "&" if "?" in path else "?"
        page = (await app.call(key, "GET", f"{path}{separator}limit=2{cursor}")).json()
        assert page["pagination"]["total"] == 7
        seen += [user["id"] for user in page["data"]]
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert (page["pagination"]["has_more"], page["pagination"]["next_cursor"]) == (False, None)
    assert sorted(seen) == sorted(user["id"] for user in made)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("limit=abc", ["limit"]),
        ("limit=", ["limit"]),
        ("order_by=password_hash", ["order_by"]),
        ("direction=up", ["direction"]),
        ("status=gone", ["status"]),
        ("disabled=maybe", ["disabled"]),
        ("created_after=yesterday", ["created_after"]),
        ("created_after=2024-01-01T00:00:00", ["created_after"]),
        ("offset=20", ["offset"]),
        ("limit=1&limit=2", ["limit"]),
        ("limit=0&status=gone&offset=1", ["limit", "offset", "status"]),
        ("role=", ["role"]),
        ("email=a%00b", ["email"]),
    ],
)
async def test_a_parameter_that_is_not_valid_is_named(app: RunningApp, key: str, query: str, fields: list[str]) -> None:
    answer = await app.call(key, "GET", f"/v1/users?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in error["details"]) == fields


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"query": "x" * 201}, ["query"]),
        ({"query": 7}, ["query"]),
        ({"query": "%"}, ["query"]),
        ({"query": "\u200d\u200d\u200d"}, ["query"]),
        ({"query": " ".join(f"w{number}" for number in range(17))}, ["query"]),
        ({"query": "a\x00b"}, ["query"]),
        ({"filters": {"disabled": "yes"}}, ["filters.disabled"]),
        ({"filters": {"password": "x"}}, ["filters.password"]),
        ({"filters": []}, ["filters"]),
        ({"filters": {"last_active_after": 5}}, ["filters.last_active_after"]),
        ({"sort": {"field": "id"}}, ["sort.field"]),
        ({"sort": "email"}, ["sort"]),
        ({"limit": 1000}, ["limit"]),
        ({"limit": "25"}, ["limit"]),
        ({"query": "%", "limit": 0, "offset": 3}, ["limit", "offset", "query"]),
    ],
)
async def test_a_field_that_is_not_valid_is_named(
    app: RunningApp, key: str, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await app.call(key, "POST", "/v1/admin/users/search", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in error["details"]) == fields


async def test_a_cursor_that_is_not_of_the_query_is_refused(app: RunningApp, key: str) -> None:
    for number in range(3):
        await make(app, key, f"u{number}@example.com")
    cursor = (await app.call(key, "GET", "/v1/users?limit=1")).json()["pagination"]["next_cursor"]
    other = await app.make_key(await app.make_tenant())
    for caller, path in (
        (key, f"/v1/users?limit=1&order_by=name&cursor={cursor}"),
        (key, f"/v1/users?limit=1&disabled=true&cursor={cursor}"),
        (key, f"/v1/users?limit=1&cursor={cursor[:-1]}"),
        (key, f"/v1/users?limit=1&cursor={'A' * 60}"),
        (other, f"/v1/users?limit=1&cursor={cursor}"),
    ):
        answer = await app.call(caller, "GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_cursor")
        assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["cursor"]
    answer = await app.call(key, "POST", "/v1/admin/users/search", {"limit": 1, "cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_cursor")


async def test_search_ignores_an_idempotency_key_and_takes_no_body(app: RunningApp, key: str) -> None:
    user = await make(app, key, "alice@example.com")
    for query, found in (("alice", [user]), ("bob", [])):
        answer = await app.call(
            key, "POST", "/v1/admin/users/search", {"query": query}, headers={"Idempotency-Key": "the-same"}
        )
        assert (answer.status_code, answer.json()["data"]) == (200, found)
    assert (await app.call(key, "POST", "/v1/admin/users/search")).json()["data"] == [user]
    null = {"query": None, "filters": {"role": None, "disabled": None}, "cursor": None}
    assert (await ask(app, key, **null))["data"] == [user]


async def test_names_of_many_scripts_are_found_and_sorted_alike(app: RunningApp, key: str) -> None:
    names = ["Zoë", "ábel", "Ирина", "李小龙", "علي", "Straße", "strasse", "İnci", "inci", "😀 Emoji"]
    for number, name in enumerate(names):
        await make(app, key, f"u{number}@example.com", name=name)
    listed = (await app.call(key, "GET", "/v1/users?order_by=name")).json()["data"]
    assert [fold(user["name"]) for user in listed] == sorted((fold(name) for name in names), key=str.encode)
    for query, expected in (
        ("STRASSE", 2),
        ("ınci", 0),
        ("inci", 2),
        ("İNC", 2),
        ("ирин", 1),
        ("小龙", 0),
        ("李小", 1),
    ):
        assert (query, (await ask(app, key, query=query))["pagination"]["total"]) == (query, expected)
