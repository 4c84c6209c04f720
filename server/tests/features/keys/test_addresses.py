"""Keys tied to addresses, on both stores: where they work, what is seen of their use elsewhere, and whom they make."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from hellojohn_server.features.keys.schemas import CreateKeyBody
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.tenants.parts import Parts, key_context
from tests.support import RunningApp, running_app

NETWORKS = ["203.0.113.0/24", "2001:db8::/32"]


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    """The app behind a proxy at 127.0.0.1, which every request comes from."""
    environ = {"HELLOJOHN_TRUSTED_PROXIES": "127.0.0.1"}
    async with running_app(database, clock, ids, environ) as running:
        yield running


@pytest.fixture
async def key(app: RunningApp) -> str:
    return await app.make_key(await app.make_tenant())


async def make(app: RunningApp, key: str, address: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = await send(app, key, "POST", "/v1/api-keys", {"name": "made", **fields}, address)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def send(
    app: RunningApp, key: str, method: str, path: str, body: Any = None, address: str | None = None
) -> httpx.Response:
    headers = {} if address is None else {"X-Forwarded-For": address}
    return await app.call(key, method, path, body, headers)


async def denied(app: RunningApp, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await app.call(key, "GET", "/v1/audit-logs?type=operation.denied")).json()["data"]
    return found[::-1]


async def test_a_key_shows_its_addresses_in_one_form(app: RunningApp, key: str) -> None:
    given = ["2001:DB8::/32", "203.0.113.7", "::ffff:203.0.113.7", "203.0.113.0/24", "203.0.113.7/32"]
    made = await make(app, key, allowed_ips=given)
    assert made["allowed_ips"] == ["203.0.113.0/24", "203.0.113.7", "2001:db8::/32"]
    read = await app.call(key, "GET", f"/v1/api-keys/{made['id']}")
    listed = (await app.call(key, "GET", "/v1/api-keys")).json()["data"]
    assert read.json() == listed[0]
    assert listed[0]["allowed_ips"] == made["allowed_ips"]
    assert listed[1]["allowed_ips"] == []
    log = await app.call(key, "GET", "/v1/audit-logs?type=api_key.created")
    assert log.json()["data"][0]["changes"]["allowed_ips"] == [None, made["allowed_ips"]]
    assert "allowed_ips" not in log.json()["data"][1]["changes"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.0", 200),
        ("203.0.113.255", 200),
        ("::ffff:203.0.113.9", 200),
        ("[2001:db8:ffff::1]:443", 200),
        ("203.0.112.255", 403),
        ("203.0.114.0", 403),
        ("2001:db9::", 403),
        ("127.0.0.1", 403),
        (None, 403),
        ("203.0.113.9, 198.51.100.1", 403),
        ("unknown", 403),
    ],
)
async def test_a_key_works_from_its_addresses_only(app: RunningApp, key: str, address: str | None, status: int) -> None:
    made = await make(app, key, allowed_ips=NETWORKS)
    answer = await send(app, made["key"], "GET", "/v1/users", address=address)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "address_not_allowed"
    assert (await send(app, key, "GET", "/v1/users", address=address)).status_code == 200


async def test_a_leaked_key_used_elsewhere_is_in_the_audit_log(app: RunningApp, key: str) -> None:
    made = await make(app, key, scopes=["users:read"], allowed_ips=["203.0.113.7"])
    for path in ("/v1/users", "/v1/api-keys"):  # the address is judged before the scope
        refused = await send(app, made["key"], "GET", path, address="198.51.100.66")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "address_not_allowed")
    entries = await denied(app, key)
    assert [entry["metadata"]["operation"] for entry in entries] == ["list_users", "list_api_keys"]
    for entry in entries:
        assert (entry["actor"]["id"], entry["ip_address"]) == (made["id"], "198.51.100.66")
        assert entry["metadata"]["code"] == "address_not_allowed"
    assert (await send(app, made["key"], "GET", "/v1/users", address="203.0.113.7")).status_code == 200
    assert len(await denied(app, key)) == 2


async def test_nothing_is_done_from_elsewhere(app: RunningApp, key: str) -> None:
    made = await make(app, key, allowed_ips=["203.0.113.7"])
    body = {"email": "alice@example.com"}
    answers = await asyncio.gather(
        *(send(app, made["key"], "POST", "/v1/users", body, "198.51.100.66") for _ in range(16))
    )
    assert {answer.status_code for answer in answers} == {403}
    assert (await app.call(key, "GET", "/v1/users")).json()["data"] == []


@pytest.mark.parametrize(
    ("wanted", "made", "wider"),
    [
        (None, ["203.0.113.0/24", "2001:db8::/32"], []),
        (["203.0.113.0/24"], ["203.0.113.0/24"], []),
        (["203.0.113.128/25", "203.0.113.1"], ["203.0.113.1", "203.0.113.128/25"], []),
        (["::ffff:203.0.113.1"], ["203.0.113.1"], []),
        (["2001:db8:1::/48"], ["2001:db8:1::/48"], []),
        (["203.0.112.0/23"], None, [0]),
        (["203.0.113.1", "0.0.0.0/0", "203.0.114.1"], None, [1, 2]),
        (["2001:db8::/31", "::/0", "2001:db8::1"], None, [0, 1]),
    ],
)
async def test_a_key_is_made_for_its_makers_addresses_or_fewer(
    app: RunningApp, key: str, wanted: list[str] | None, made: list[str] | None, wider: list[int]
) -> None:
    maker = await make(app, key, allowed_ips=NETWORKS)
    body = {"name": "x"} if wanted is None else {"name": "x", "allowed_ips": wanted}
    answer = await send(app, maker["key"], "POST", "/v1/api-keys", body, "203.0.113.7")
    if made is not None:
        assert (answer.status_code, answer.json()["allowed_ips"]) == (201, made)
        return
    assert answer.status_code == 422
    found = [(detail["field"], detail["code"]) for detail in answer.json()["error"]["details"]]
    assert found == [(f"allowed_ips[{index}]", "out_of_range") for index in wider]
    assert (await app.call(key, "GET", "/v1/api-keys")).json()["pagination"]["total"] == 2


async def test_all_that_is_wider_than_the_maker_is_said_at_once(app: RunningApp, key: str) -> None:
    maker = await make(app, key, allowed_ips=NETWORKS, expires_in="1d")
    body = {"name": "x", "allowed_ips": ["0.0.0.0/0"], "expires_in": "2d"}
    answer = await send(app, maker["key"], "POST", "/v1/api-keys", body, "203.0.113.7")
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["expires_in", "allowed_ips[0]"]


async def test_a_publishable_key_is_used_from_anywhere(app: RunningApp, key: str) -> None:
    maker = await make(app, key, allowed_ips=NETWORKS)
    made = await make(app, maker["key"], "203.0.113.7", type="publishable")
    assert made["allowed_ips"] == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"allowed_ips": []}, ["allowed_ips"]),
        ({"allowed_ips": "203.0.113.7"}, ["allowed_ips"]),
        ({"allowed_ips": ["203.0.113.7", "203.0.113.7/24", "here", 7]}, [f"allowed_ips[{n}]" for n in (1, 2, 3)]),
        ({"allowed_ips": ["here"], "expires_in": "11y"}, ["allowed_ips[0]", "expires_in"]),
        ({"allowed_ips": ["here"], "scopes": ["users:fly"]}, ["allowed_ips[0]", "scopes[0]"]),
        ({"allowed_ips": ["203.0.113.7"] * 101}, ["allowed_ips"]),
        ({"allowed_ips": ["203.0.113.7"], "type": "publishable"}, ["allowed_ips"]),
        ({"allowed_ips": ["x"], "scopes": ["*"], "type": "publishable"}, ["allowed_ips", "allowed_ips[0]", "scopes"]),
        ({"allowed_ips": ["1" * 51]}, ["allowed_ips[0]"]),
    ],
)
async def test_bad_addresses_are_named_each(app: RunningApp, key: str, body: Any, fields: list[str]) -> None:
    answer = await app.call(key, "POST", "/v1/api-keys", {"name": "x", **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in error["details"]) == fields


async def test_a_hundred_addresses_are_taken(app: RunningApp, key: str) -> None:
    made = await make(app, key, allowed_ips=[f"203.0.113.{number}" for number in range(100)])
    assert len(made["allowed_ips"]) == 100
    assert (await send(app, made["key"], "GET", "/v1/users", address="203.0.113.99")).status_code == 200
    assert (await send(app, made["key"], "GET", "/v1/users", address="203.0.113.100")).status_code == 403


async def test_without_the_request_boundary_bad_addresses_are_named_too(
    database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    parts = Parts(database, ids, clock)
    body = CreateKeyBody(name="x", allowed_ips=["203.0.113.7", "here", "203.0.113.7/24"])
    with pytest.raises(Invalid) as refused:
        await parts.keys.create_key(key_context("tnt_x"), "tnt_x", body)
    assert [(detail.field, detail.code) for detail in refused.value.details] == [
        (f"allowed_ips[{index}]", FieldCode.INVALID) for index in (1, 2)
    ]


async def test_a_key_asks_about_itself(app: RunningApp, key: str) -> None:
    for fields in ({"scopes": ["users:read"]}, {"scopes": ["audit:write"], "allowed_ips": ["203.0.113.7"]}):
        made = await make(app, key, **fields)
        answer = await send(app, made.pop("key"), "GET", "/v1/api-keys/current", address="203.0.113.7")
        assert (answer.status_code, answer.json()) == (200, made)


async def test_only_a_secret_key_asks_about_itself(app: RunningApp, key: str) -> None:
    publishable = await make(app, key, type="publishable")
    for other in (publishable["key"], await app.make_master_key()):
        refused = await app.call(other, "GET", "/v1/api-keys/current")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "credential_not_allowed")
    tied = await make(app, key, allowed_ips=["203.0.113.7"])
    refused = await send(app, tied["key"], "GET", "/v1/api-keys/current", address="198.51.100.66")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "address_not_allowed")


async def test_current_is_no_id(app: RunningApp, key: str) -> None:
    document = (await app.get("/openapi.json")).json()
    assert {"/v1/api-keys/current", "/v1/api-keys/{key_id}"} <= set(document["paths"])
    answer = await app.call(key, "DELETE", "/v1/api-keys/current")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (await app.call(key, "GET", "/v1/api-keys/currents")).json()["error"]["code"] == "api_key_not_found"


def test_a_body_without_addresses_means_none_are_given() -> None:
    assert msgspec.json.decode(b'{"name":"x"}', type=CreateKeyBody).allowed_ips is None
