"""Who may enter: credentials, their kind, their tenant, their scopes; and what is recorded of refusals."""

import pytest

from hellojohn_server.kit.error_codes import ErrorCode
from tests.http.things import ADMIN, TENANT, Door, code_in, key_of


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_token"),
        ("", "invalid_token"),
        ("Bearer", "invalid_token"),
        ("Bearer ", "invalid_token"),
        ("Basic c2s6eA==", "invalid_token"),
        ("Bearer a b", "invalid_token"),
        ("Bearer a,b", "invalid_token"),
        ("Bearer nobody", "invalid_token"),
        (key_of("secret_key", "*"), "invalid_token"),
    ],
)
async def test_without_a_good_credential_nobody_enters(door: Door, header: str | None, code: str) -> None:
    response = await door.call("GET", "/v1/things", headers={} if header is None else {"authorization": header})
    assert response.status_code == 401
    assert code_in(response) == code
    assert response.headers["www-authenticate"].startswith('Bearer realm="hellojohn"')
    assert ("error=" in response.headers["www-authenticate"]) == (code != "missing_token")
    assert door.denied == []
    assert door.things.contexts == []


async def test_the_scheme_is_read_without_case(door: Door) -> None:
    token = key_of("secret_key", "*")
    assert (await door.call("GET", "/v1/things", headers={"authorization": f"bEARER  {token}"})).status_code == 200


async def test_two_credentials_are_none(door: Door) -> None:
    headers = [("authorization", ADMIN["authorization"]), ("authorization", ADMIN["authorization"])]
    response = await door.call("GET", "/v1/things", headers=headers)
    assert response.status_code == 401
    assert code_in(response) == "invalid_token"


@pytest.mark.parametrize("kind", ["publishable_key", "master_key", "access_token"])
async def test_the_wrong_kind_of_credential_is_refused_and_recorded(door: Door, kind: str) -> None:
    response = await door.call("GET", "/v1/things", headers={"authorization": f"Bearer {key_of(kind, '*')}"})
    assert response.status_code == 403
    assert code_in(response) == "credential_not_allowed"
    assert "a secret key" in response.json()["error"]["message"]
    [(context, operation, error)] = door.denied
    assert operation == "list_things"
    assert error.code is ErrorCode.CREDENTIAL_NOT_ALLOWED
    assert context.request_id == response.headers["x-request-id"]


async def test_a_tenant_that_is_named_must_be_the_credentials_own(door: Door) -> None:
    assert (await door.call("GET", "/v1/things", headers=ADMIN | {"x-tenant-id": TENANT})).status_code == 200
    for other in ("tnt_01HABCDEF000000000000OTHER", "", TENANT.lower()):
        response = await door.call("GET", "/v1/things", headers=ADMIN | {"x-tenant-id": other, "user-agent": "spy"})
        assert response.status_code == 403
        assert code_in(response) == "tenant_mismatch"
    assert len(door.denied) == 3
    assert door.denied[0][0].user_agent == "spy"
    twice = [*ADMIN.items(), ("x-tenant-id", TENANT), ("x-tenant-id", TENANT)]
    assert code_in(await door.call("GET", "/v1/things", headers=twice)) == "tenant_mismatch"


async def test_a_master_key_has_no_tenant_and_the_header_says_nothing_to_it(door: Door) -> None:
    headers = {"authorization": f"Bearer {key_of('master_key')}", "x-tenant-id": "tnt_whatever"}
    response = await door.call("GET", "/v1/masters", headers=headers)
    assert response.json()["said"] == "tnt_" + "0" * 26
    assert code_in(await door.call("GET", "/v1/masters")) == "credential_not_allowed"


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (("users:read",), 200),
        (("users:*",), 200),
        (("*",), 200),
        (("users:write",), 403),
        (("audit:*",), 403),
        ((), 403),
    ],
)
async def test_the_base_scope_is_needed(door: Door, scopes: tuple[str, ...], status: int) -> None:
    response = await door.call(
        "GET", "/v1/things", headers={"authorization": f"Bearer {key_of('secret_key', *scopes)}"}
    )
    assert response.status_code == status
    if status == 403:
        assert code_in(response) == "insufficient_scope"
        assert response.json()["error"]["details"] == [
            {"field": "scope", "code": "missing_scope", "message": "Needs the scope users:read."}
        ]
        assert 'scope="users:read"' in response.headers["www-authenticate"]
    assert len(door.denied) == (status == 403)


async def test_a_refusal_by_the_service_is_recorded_too(door: Door) -> None:
    response = await door.call("POST", "/v1/things/a/upward")
    assert response.status_code == 403
    [(context, operation, error)] = door.denied
    assert operation == "promote_thing"
    assert error.details[0].message == "Needs the scope admins:manage."
    assert context.ip_address == "192.0.2.1"


async def test_a_scope_is_asked_for_before_the_request_is_looked_at(door: Door) -> None:
    headers = {"authorization": f"Bearer {key_of('secret_key')}", "content-type": "text/plain", "idempotency-key": ""}
    response = await door.call("POST", "/v1/things?zzz=1", headers=headers, content=b"{")
    assert response.status_code == 403


async def test_faults_of_a_request_are_no_denials(door: Door) -> None:
    assert (await door.post(b"{")).status_code == 400
    assert (await door.post(b"{}")).status_code == 422
    assert door.denied == []
