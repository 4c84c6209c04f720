"""The door in front of the real service, on both stores."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.http.router import routers
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.routing import routes_of
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.http.things import code_in
from tests.support import RunningApp, running_app


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    """The whole service over an empty store."""
    async with running_app(database, clock, ids) as running:
        yield running


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    """A live tenant."""
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    """A key of the tenant that may do everything."""
    return await app.make_key(tenant)


async def entries_of(app: RunningApp, tenant_id: str) -> list[Any]:
    return (await app.services.audit.list_entries(tenant_id, ListAuditQuery(limit=200))).rows


async def denials_of(app: RunningApp, tenant_id: str) -> list[Any]:
    return [entry for entry in await entries_of(app, tenant_id) if entry.result == "denied"]


async def test_the_document_is_valid_and_names_exactly_what_is_served(app: RunningApp) -> None:
    document = (await app.get("/openapi.json")).json()
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    served = {
        (declared.method.value.lower(), declared.path, handler.__name__)
        for owner in routers(app.services)
        for declared, handler in routes_of(owner)
    }
    named = {
        (method, path, operation["operationId"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert named == served
    assert len(served) >= 26


async def test_the_page_names_every_operation(app: RunningApp) -> None:
    page = await app.get("/docs")
    document = (await app.get("/openapi.json")).json()
    for item in document["paths"].values():
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page.text
            assert operation["summary"]


async def test_health_and_readiness_need_no_credential(app: RunningApp) -> None:
    assert (await app.get("/health")).json() == {"status": "ok"}
    assert (await app.get("/ready")).json() == {"status": "ready"}


async def test_a_service_without_its_store_lives_and_is_not_ready(database: Database, app: RunningApp) -> None:
    await database.close()
    assert (await app.get("/health")).status_code == 200
    response = await app.get("/ready")
    assert response.status_code == 503
    assert code_in(response) == "not_ready"
    assert response.headers["retry-after"] == "5"


def mistyped(key: str) -> str:
    """Return a key with one character changed, so that its checksum is wrong."""
    return key[:-1] + ("a" if key[-1] != "a" else "b")


async def test_keys_that_do_not_work_are_refused_and_leave_no_trace(
    app: RunningApp, tenant: str, key: str, clock: ManualClock
) -> None:
    short_lived = await app.make_key(tenant, "users:read", expires_in="1h")
    clock.advance(3601)
    before = len(await entries_of(app, tenant))
    for text, code in [
        ("nonsense", "invalid_token"),
        ("sk_live_short", "invalid_api_key"),
        (mistyped(key), "invalid_api_key"),
        ("pk_live_short", "invalid_publishable_key"),
        ("mk_live_short", "invalid_api_key"),
        (short_lived, "api_key_expired"),
    ]:
        response = await app.call(text, "GET", "/v1/users")
        assert response.status_code == 401
        assert code_in(response) == code
    assert code_in(await app.call(None, "GET", "/v1/users")) == "missing_token"
    assert len(await entries_of(app, tenant)) == before


async def test_refusals_to_a_known_key_are_recorded_once_a_minute(
    app: RunningApp, tenant: str, clock: ManualClock
) -> None:
    reader = await app.make_key(tenant, "users:read")
    publishable = await app.make_key(tenant, key_type=TenantKeyType.PUBLISHABLE)
    body = {"email": "a@example.com"}
    for _ in range(3):
        assert code_in(await app.call(reader, "POST", "/v1/users", body)) == "insufficient_scope"
    assert code_in(await app.call(publishable, "GET", "/v1/users")) == "credential_not_allowed"
    other = {"X-Tenant-ID": app.services.ids.new(IdPrefix.TENANT)}
    assert code_in(await app.call(reader, "GET", "/v1/users", headers=other)) == "tenant_mismatch"
    assert len(await denials_of(app, tenant)) == 3
    clock.advance(60)
    await app.call(reader, "POST", "/v1/users", body)
    assert len(await denials_of(app, tenant)) == 4
    [newest, *_] = await denials_of(app, tenant)
    assert newest.type == "operation.denied"
    assert newest.resource.id == "create_user"


async def test_a_master_key_opens_the_control_plane_only(app: RunningApp, tenant: str, key: str) -> None:
    master = await app.make_master_key()
    assert (await app.call(master, "GET", "/v1/tenants", headers={"X-Tenant-ID": tenant})).status_code == 200
    assert code_in(await app.call(master, "GET", "/v1/users")) == "credential_not_allowed"
    assert code_in(await app.call(key, "GET", "/v1/tenants")) == "credential_not_allowed"
    assert len(await denials_of(app, CONTROL_TENANT_ID)) == 1
    assert len(await denials_of(app, tenant)) == 1


async def test_a_suspended_tenant_says_so_to_its_own_keys(app: RunningApp, tenant: str, key: str) -> None:
    master = await app.make_master_key()
    assert (await app.call(master, "POST", f"/v1/tenants/{tenant}/suspend", {})).status_code == 200
    assert code_in(await app.call(key, "GET", "/v1/users")) == "tenant_suspended"
    assert (await app.call(master, "POST", f"/v1/tenants/{tenant}/resume")).status_code == 200
    assert (await app.call(key, "GET", "/v1/users")).status_code == 200


async def test_a_test_key_opens_a_test_tenant(app: RunningApp) -> None:
    key = await app.make_key(await app.make_tenant(environment=Environment.TEST))
    assert key.startswith("sk_test_")
    assert (await app.call(key, "GET", "/v1/users")).status_code == 200


async def test_a_retry_gets_the_first_answer(app: RunningApp, key: str) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await app.call(key, "POST", "/v1/users", {"email": "a@example.com"}, headers)
    again = await app.call(key, "POST", "/v1/users", {"email": "a@example.com"}, headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await app.call(key, "POST", "/v1/users", {"email": "b@example.com"}, headers)
    assert code_in(other) == "idempotency_key_reused"


NOT_JSON: Final = [b"", b"{", b"\xff", b'\xef\xbb\xbf{"email":"a@example.com"}', b"[" * 3000, b"nul"]
WRONG_JSON: Final = [
    b"[]",
    b"null",
    b'{"zzz":1}',
    b"[" * 3000 + b"]" * 3000,
    b'{"email":"a@example.com","email":"b@example.com","zzz":1}',
    b'{"email":"\\u0000","reason":"\\u0000","name":"\\u0000","query":"\\u0000","action":"\\u0000","user_ids":["\\u0000"]}',
    b'{"email":"\\ud800","reason":"\\ud800","name":"\\ud800","query":"\\ud800","action":"\\ud800","user_ids":["\\ud800"]}',
    b'{"email":1,"reason":1,"name":1,"query":1,"action":1,"user_ids":1,"disabled":"true","zzz":0}',
]
QUERIES: Final = ["?zzz=1", "?limit=1&limit=2", "?limit=x", "?cursor=x&zzz=%00", "?%FF=%FF"]


async def test_bad_input_is_a_clear_refusal_at_every_operation_and_writes_nothing(
    app: RunningApp, tenant: str, key: str
) -> None:
    publishable = await app.make_key(tenant, key_type=TenantKeyType.PUBLISHABLE)
    body = {"email": "somebody@example.com", "password": "correct horse battery"}
    signed_up = (await app.call(publishable, "POST", "/v1/auth/sign-up", body)).json()
    credentials = {
        "accessToken": signed_up["session"]["access_token"],
        "masterKey": await app.make_master_key(),
        "publishableKey": publishable,
        "secretKey": key,
    }
    document = (await app.get("/openapi.json")).json()
    before = (await entries_of(app, tenant), await entries_of(app, CONTROL_TENANT_ID))
    for path, item in document["paths"].items():
        for method, operation in item.items():
            credential = next((credentials[name] for kind in operation["security"] for name in kind), key)
            for sent in _bad_requests(method, path.replace("{tenant_id}", tenant), operation, credential):
                response = await app.send(sent)
                assert 400 <= response.status_code < 500, (method, path, sent.content, response.text)
                code_in(response)
    assert (await entries_of(app, tenant), await entries_of(app, CONTROL_TENANT_ID)) == before


def _bad_requests(method: str, path: str, operation: dict[str, Any], key: str) -> list[httpx.Request]:
    url = "http://localhost:3000" + path
    head = {"Authorization": f"Bearer {key}"}
    json_head = head | {"Content-Type": "application/json"}
    requests = [httpx.Request(method, url + query, headers=head) for query in QUERIES]
    bodies = [*(NOT_JSON if operation.get("requestBody", {}).get("required") else NOT_JSON[1:]), *WRONG_JSON]
    if "application/x-ndjson" in operation.get("requestBody", {}).get("content", {}):
        bodies = [b""]  # what is wrong within a file is said of each row, by the report
    requests += [httpx.Request(method, url, headers=json_head, content=body) for body in bodies]
    if len(bodies) > 1:
        requests.append(httpx.Request(method, url, headers=json_head, content=b'"' + b"x" * 10_000_000 + b'"'))
    if "requestBody" in operation:
        requests.append(httpx.Request(method, url, headers=head | {"Content-Type": "text/plain"}, content=b"{}"))
    return requests


async def test_a_cursor_is_good_for_its_own_query_and_tenant_only(app: RunningApp, key: str) -> None:
    for number in range(3):
        await app.call(key, "POST", "/v1/users", {"email": f"u{number}@example.com"})
    cursor = (await app.call(key, "GET", "/v1/users?limit=1")).json()["pagination"]["next_cursor"]
    assert (await app.call(key, "GET", f"/v1/users?limit=1&cursor={cursor}")).status_code == 200
    stranger = await app.make_key(await app.make_tenant())
    for who, query in [
        (key, f"cursor={cursor[:-2]}AA"),
        (key, "cursor=x"),
        (key, f"cursor={cursor}&disabled=true"),
        (key, f"cursor={cursor}&direction=asc"),
        (stranger, f"cursor={cursor}"),
    ]:
        response = await app.call(who, "GET", f"/v1/users?limit=1&{query}")
        assert response.status_code == 422
        assert code_in(response) == "invalid_cursor"


async def test_every_field_is_judged_at_once(app: RunningApp, key: str) -> None:
    body = {"email": 5, "name": "x" * 500, "phone": "nope", "zzz": 1, "public_metadata": []}
    response = await app.call(key, "POST", "/v1/users", body, {"X-Acting-Admin": "x" * 201})
    fields = {fault["field"] for fault in response.json()["error"]["details"]}
    assert fields == {"email", "name", "phone", "zzz", "public_metadata", "X-Acting-Admin"}


async def test_what_is_stored_comes_back_as_it_was_sent(app: RunningApp, key: str) -> None:
    metadata = {"text": "\\u0000 is six characters; 𝒳 is one", "deep": [[{"a": None}]], "n": 1.5}
    sent = {"email": "a@example.com", "name": "Zoë 𝒳 \u202e", "public_metadata": metadata}
    response = await app.call(key, "POST", "/v1/users", content_of(sent))
    assert response.status_code == 201, response.text
    assert response.json()["public_metadata"] == metadata
    assert response.json()["name"] == sent["name"]


def content_of(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value as it is after a trip through JSON."""
    decoded: dict[str, Any] = json.loads(json.dumps(value))
    return decoded
