"""The origins that a tenant allows, on both stores: how they are named, and whose pages may then call."""

from collections.abc import AsyncIterator

import httpx
import pytest

from hellojohn_server.config import Settings
from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.http.application import build_app
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.setting_values import PublicUrl
from hellojohn_server.wiring import http_settings
from tests.features.auth.parts import PASSWORD, Front
from tests.support import PUBLIC_URL, RunningApp

CONFIG = "/v1/admin/config"
SHOP = "https://shop.example.com"
LOCAL = ("http://localhost:5173", "http://127.0.0.1:3001", "https://[::1]:8443", "http://localhost")
NEARLY_LOCAL = ("http://localhost.example.com", "http://127.0.0.1.example.com:80", "http://localhost:5173.example.com")


async def allow(front: Front, *origins: str) -> httpx.Response:
    return await front.admin("PATCH", CONFIG, {"cors": {"allowed_origins": list(origins)}})


async def status_from(front: Front, origin: str | None, key: str | None = None) -> tuple[int, str]:
    """Sign in from a page of an origin, and return the status, and the error code or nothing."""
    headers = {} if origin is None else {"Origin": origin}
    body = {"email": "alice@example.com", "password": PASSWORD}
    answer = await front.app.call(key or front.publishable, "POST", "/v1/auth/sign-in", body, headers)
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


REFUSED = (403, "origin_not_allowed")
SERVED = (200, "")


async def test_pages_of_the_named_origins_may_call_from_the_next_request_on(front: Front) -> None:
    await front.sign_up()
    assert await status_from(front, SHOP) == REFUSED
    answer = await allow(front, SHOP, "https://app.example.com:8443")
    assert answer.json()["cors"] == {"allowed_origins": [SHOP, "https://app.example.com:8443"]}
    assert await status_from(front, SHOP) == SERVED
    assert await status_from(front, "https://app.example.com:8443") == SERVED
    for other in ("https://app.example.com", "http://shop.example.com", f"{SHOP}:444", "https://x.shop.example.com"):
        assert await status_from(front, other) == REFUSED
    assert await status_from(front, None) == SERVED
    assert (await front.admin("PATCH", CONFIG, {"cors": None})).json()["cors"] == {"allowed_origins": []}
    assert await status_from(front, SHOP) == REFUSED


async def test_our_own_pages_may_always_call(front: Front) -> None:
    await front.sign_up()
    assert await status_from(front, PUBLIC_URL) == SERVED


async def test_one_tenants_list_is_not_anothers(app: RunningApp, front: Front) -> None:
    await allow(front, SHOP)
    other = await app.make_tenant("Other")
    key = await app.make_key(other, key_type=TenantKeyType.PUBLISHABLE)
    assert await status_from(front, SHOP, key) == REFUSED


async def test_an_access_token_is_judged_by_its_tenants_list(front: Front) -> None:
    alice = await front.sign_up()
    answer = await front.app.call(alice.access, "GET", "/v1/auth/me", headers={"Origin": SHOP})
    assert answer.json()["error"]["code"] == "origin_not_allowed"
    await allow(front, SHOP)
    answer = await front.app.call(alice.access, "GET", "/v1/auth/me", headers={"Origin": SHOP})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SHOP)


async def test_the_developers_machine_may_call_for_test_tenants_only(app: RunningApp, front: Front) -> None:
    await front.sign_up()
    tenant = await app.make_tenant("Test", Environment.TEST)
    key = await app.make_key(tenant, key_type=TenantKeyType.PUBLISHABLE)
    for origin in LOCAL:
        assert await status_from(front, origin) == REFUSED
        assert await status_from(front, origin, key) == (401, "invalid_credentials")
    for origin in NEARLY_LOCAL:
        assert await status_from(front, origin, key) == REFUSED


@pytest.fixture
async def dev(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    """The same services behind a development server."""
    settings = http_settings(Settings(public_url=PublicUrl(PUBLIC_URL)), dev=True)
    transport = httpx.ASGITransport(app=build_app(front.app.services, settings))  # type: ignore[arg-type] - see RunningApp
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


async def test_a_development_server_lets_the_developers_machine_call_for_every_tenant(
    front: Front, dev: httpx.AsyncClient
) -> None:
    headers = {"Authorization": f"Bearer {front.publishable}"}
    body = {"email": "bob@example.com", "password": PASSWORD}
    here = await dev.post("/v1/auth/sign-up", json=body, headers=headers | {"Origin": LOCAL[0]})
    assert here.status_code == 201
    there = await dev.post("/v1/auth/sign-up", json=body, headers=headers | {"Origin": SHOP})
    assert there.json()["error"]["code"] == "origin_not_allowed"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "shop.example.com",
        "https://*.example.com",
        "https://shop.example.com/",
        "https://shop.example.com/path",
        "https://shop.example.com?x",
        "https://Shop.example.com",
        "https://shop.example.com:443",
        "http://localhost:80",
        "https://shop.example.com:0",
        "https://shop.example.com:65536",
        "https://user@shop.example.com",
        "http://shop.example.com",
        "ftp://shop.example.com",
        "https://bücher.example",
        "https://[::1",
        f"https://{'a' * 250}.com",
    ],
)
async def test_what_browsers_never_send_is_refused(front: Front, origin: str) -> None:
    answer = await allow(front, SHOP, origin)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["error"]["details"]] == ["cors.allowed_origins[1]"]


async def test_an_origin_stands_once_in_a_list_of_fifty_at_most(front: Front) -> None:
    twice = await allow(front, SHOP, SHOP)
    assert [fault["field"] for fault in twice.json()["error"]["details"]] == ["cors.allowed_origins"]
    many = [f"https://shop{number}.example.com" for number in range(51)]
    assert (await allow(front, *many)).status_code == 422
    assert (await allow(front, *many[:50])).status_code == 200


async def test_who_may_change_the_list_must_be_trusted_and_a_change_is_told(front: Front) -> None:
    key = await front.app.make_key(front.tenant_id, "*")
    refused = await front.app.call(key, "PATCH", CONFIG, {"cors": {"allowed_origins": [SHOP]}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    await allow(front, SHOP)
    entry = (await front.entries())[-1]
    assert (entry.type, entry.changes) == ("config.updated", {"cors.allowed_origins": ([], [SHOP])})
