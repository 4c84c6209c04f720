"""Calls from pages of other origins: what a preflight is told, whose call is served, and what a page can read."""

from typing import Final

import httpx
import pytest

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope
from tests.http.things import ADMIN, Door, Echo, code_in, key_of

FRIEND: Final = "https://friend.test"
STRANGER: Final = "https://stranger.test:8443"
VISITOR: Final = {"authorization": f"Bearer {key_of('publishable_key')}"}
USER: Final = {"authorization": f"Bearer {key_of('access_token')}"}
MIXED: Final = frozenset({CredentialKind.ACCESS_TOKEN, CredentialKind.PUBLISHABLE_KEY, CredentialKind.SECRET_KEY})


class PageRoutes:
    """Paths for pages, for servers, and for both."""

    def __init__(self) -> None:
        self.calls = 0

    @route(Method.GET, "/v1/me", credentials=frozenset({CredentialKind.ACCESS_TOKEN}))
    async def get_me(self) -> Answer[Echo]:
        """Take a user's own token."""
        self.calls += 1
        return Answer(Echo(), version=1)

    @route(Method.DELETE, "/v1/me", scope=Scope.USERS_WRITE)
    async def delete_me(self) -> Answer[Echo]:
        """Take secret keys only, at a path that pages call otherwise."""
        return Answer(Echo())

    @route(Method.POST, "/v1/both", credentials=MIXED, scope=Scope.USERS_READ, limit=Limit.WRITES)
    async def do_both(self) -> Answer[Echo]:
        """Take any of them."""
        self.calls += 1
        return Answer(Echo())

    @route(Method.GET, "/v1/servers", scope=Scope.USERS_READ)
    async def serve_servers(self) -> Answer[Echo]:
        """Take secret keys only."""
        return Answer(Echo())


@pytest.fixture
def pages() -> PageRoutes:
    return PageRoutes()


@pytest.fixture
def front(ids: IdFactory, pages: PageRoutes) -> Door:
    return Door(ids, owners=[pages])


def cors_in(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def preflight(door: Door, path: str, method: str, origin: str = STRANGER) -> dict[str, str]:
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "x-evil"}
    response = await door.call("OPTIONS", path, headers=headers)
    assert response.status_code == 204
    assert response.headers["allow"]
    return cors_in(response)


async def test_a_preflight_says_to_any_origin_what_a_path_takes_from_pages(front: Door) -> None:
    told = await preflight(front, "/v1/me", "GET")
    assert told.pop("access-control-expose-headers")
    assert told == {
        "access-control-allow-origin": STRANGER,
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": (
            "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID, X-Tenant-ID"
        ),
        "access-control-max-age": "7200",
    }
    assert (await preflight(front, "/v1/me", "HEAD")) != {}
    assert (await preflight(front, "/v1/both", "POST"))["access-control-allow-methods"] == "POST"


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/servers", "GET"), ("/v1/me", "DELETE"), ("/v1/me", "get"), ("/v1/me", "PUT"), ("/openapi.json", "GET")],
)
async def test_what_is_not_for_pages_is_not_told_to_them(front: Door, path: str, method: str) -> None:
    assert await preflight(front, path, method) == {}


@pytest.mark.parametrize("origin", ["null", "*", "", "chrome-extension://abc", "https://a b", "https://x.test/", "é"])
async def test_what_is_no_origin_of_a_page_is_told_nothing(front: Door, origin: str) -> None:
    headers = [(b"origin", origin.encode()), (b"access-control-request-method", b"GET")]
    assert cors_in(await front.call("OPTIONS", "/v1/me", headers=headers)) == {}
    called = await front.call("GET", "/v1/me", headers=[*_raw(USER), (b"origin", origin.encode())])
    assert (code_in(called), cors_in(called)) == ("origin_not_allowed", {})


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def test_options_without_a_page_behind_it_have_no_such_headers(front: Door) -> None:
    for headers in ({}, {"origin": STRANGER}, {"access-control-request-method": "GET"}):
        assert cors_in(await front.call("OPTIONS", "/v1/me", headers=headers)) == {}


async def test_a_page_that_is_allowed_is_served_and_reads_the_answer(front: Door, pages: PageRoutes) -> None:
    answer = await front.call("GET", "/v1/me", headers=USER | {"origin": FRIEND})
    assert answer.status_code == 200
    assert cors_in(answer)["access-control-allow-origin"] == FRIEND
    exposed = cors_in(answer)["access-control-expose-headers"].lower().split(", ")
    assert {"etag", "retry-after", "x-request-id", "x-ratelimit-remaining"} <= set(exposed)
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    assert (await front.call("POST", "/v1/both", headers=VISITOR | {"origin": FRIEND})).status_code == 200
    assert pages.calls == 2


async def test_another_page_is_refused_before_anything_is_done_and_can_read_why(front: Door, pages: PageRoutes) -> None:
    for path, method, headers in (("/v1/me", "GET", USER), ("/v1/both", "POST", VISITOR)):
        answer = await front.call(method, path, headers=headers | {"origin": STRANGER})
        assert (answer.status_code, code_in(answer)) == (403, "origin_not_allowed")
        assert cors_in(answer)["access-control-allow-origin"] == STRANGER
    assert pages.calls == 0
    assert front.denied == []


async def test_two_origins_are_none(front: Door, pages: PageRoutes) -> None:
    headers = [*USER.items(), ("origin", FRIEND), ("origin", FRIEND)]
    answer = await front.call("GET", "/v1/me", headers=headers)
    assert (code_in(answer), cors_in(answer), pages.calls) == ("origin_not_allowed", {}, 0)


async def test_who_comes_from_no_page_is_not_asked(front: Door) -> None:
    answer = await front.call("GET", "/v1/me", headers=USER)
    assert (answer.status_code, cors_in(answer)) == (200, {})
    assert "vary" not in answer.headers


async def test_other_refusals_can_be_read_too(front: Door) -> None:
    for headers, code in (({}, "missing_token"), ({"authorization": "Bearer nonsense"}, "invalid_token")):
        answer = await front.call("GET", "/v1/me", headers=headers | {"origin": STRANGER})
        assert code_in(answer) == code
        assert cors_in(answer)["access-control-allow-origin"] == STRANGER


async def test_a_secret_key_is_of_no_use_to_a_page(front: Door) -> None:
    for path, method in (("/v1/servers", "GET"), ("/v1/both", "POST"), ("/v1/me", "DELETE"), ("/v1/me", "GET")):
        answer = await front.call(method, path, headers=ADMIN | {"origin": FRIEND})
        assert answer.status_code == (403 if (path, method) == ("/v1/me", "GET") else 200)
        assert cors_in(answer) == {}
