"""What the door counts: whom for which limit, what every answer says of it, and wrong credentials."""

from typing import Final

import httpx
import pytest

from hellojohn_server.http.call import Call
from hellojohn_server.http.limits import CallLimits
from hellojohn_server.kit.errors import AddressNotAllowed
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.rate_limits import Limit, Rate, RateLimited, RateLimiter
from hellojohn_server.kit.routing import PUBLIC, PUBLISHABLE_KEY, Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope
from tests.conftest import ManualClock
from tests.http.things import Door, Echo, code_in, key_of

RATES: Final = {
    Limit.KEY_FAILURES: Rate(3),
    Limit.READS: Rate(4),
    Limit.SIGN_UP: Rate(2),
    Limit.WRITES: Rate(2),
}
HERE: Final = ("192.0.2.1", 1)
THERE: Final = ("198.51.100.7", 1)


@pytest.fixture
def limited(ids: IdFactory, clock: ManualClock) -> Door:
    """A door with few calls left for everybody."""
    return Door(ids, limiter=RateLimiter(clock, RATES))


def standing_in(response: httpx.Response) -> tuple[int, int] | None:
    """Return limit and remaining calls in the headers of an answer, or None."""
    if "x-ratelimit-limit" not in response.headers:
        return None
    assert int(response.headers["x-ratelimit-reset"]) > 1_700_000_000
    return int(response.headers["x-ratelimit-limit"]), int(response.headers["x-ratelimit-remaining"])


async def test_every_answer_says_what_is_left_and_then_there_is_a_time_to_wait(
    limited: Door, clock: ManualClock
) -> None:
    answers = [await limited.call("GET", "/v1/things") for _ in range(5)]
    assert [standing_in(answer) for answer in answers] == [(4, 3), (4, 2), (4, 1), (4, 0), (4, 0)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert code_in(answers[-1]) == "rate_limited"
    assert len(limited.things.contexts) == 4
    clock.advance(int(answers[-1].headers["retry-after"]))
    assert (await limited.call("GET", "/v1/things")).status_code == 200


async def test_reads_and_writes_are_apart_and_refusals_and_replays_count(limited: Door) -> None:
    refused = await limited.post(b'{"nonsense": 1}')
    assert (refused.status_code, standing_in(refused)) == (422, (2, 1))
    replayed = await limited.post(b'{"name": "again"}', idempotency_key="k")
    assert (replayed.status_code, standing_in(replayed)) == (201, (2, 0))
    assert (await limited.post(b'{"name": "again"}', idempotency_key="k")).status_code == 429
    assert (await limited.call("DELETE", "/v1/things/a")).status_code == 429
    assert (await limited.call("HEAD", "/v1/things/a")).headers["x-ratelimit-remaining"] == "3"
    assert standing_in(await limited.post(b"{}", "/v1/search")) == (4, 2)


async def test_who_may_not_enter_is_counted_and_in_the_end_no_longer_written_down(limited: Door) -> None:
    headers = {"authorization": f"Bearer {key_of('secret_key', 'audit:read')}"}
    answers = [await limited.call("GET", "/v1/things", headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 429, 429]
    assert len(limited.denied) == 4


async def test_visitors_are_counted_by_address_and_ipv6_by_its_network(limited: Door) -> None:
    headers = {"authorization": f"Bearer {key_of('publishable_key')}"}

    async def sign_up(address: str) -> int:
        return (await limited.call("POST", "/v1/sign-up", headers=headers, client=(address, 1))).status_code

    assert [await sign_up("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert await sign_up("192.0.2.2") == 200
    assert [await sign_up(f"2001:db8:0:1::{end}") for end in ("1", "ffff", "7:0:7")] == [200, 200, 429]
    assert await sign_up("2001:db8:0:2::1") == 200


class Strangers:
    """What anybody may ask, what visitors may do, and a key that is tied to an address."""

    @route(Method.GET, "/v1/public", credentials=PUBLIC, limit=Limit.READS)
    async def ask(self) -> Answer[Echo]:
        """Answer anybody."""
        return Answer(Echo())

    @route(Method.GET, "/v1/open", credentials=PUBLIC, limit=Limit.NONE)
    async def ask_on(self) -> Answer[Echo]:
        """Answer anybody, always."""
        return Answer(Echo())

    @route(Method.POST, "/v1/visit", credentials=PUBLISHABLE_KEY, limit=Limit.WRITES, replay=Replay.REFUSED)
    async def visit(self) -> Answer[Echo]:
        """Let a visitor do something."""
        return Answer(Echo())

    @route(Method.GET, "/v1/tied", scope=Scope.USERS_READ)
    async def be_elsewhere(self) -> Answer[Echo]:
        """Refuse the address."""
        raise AddressNotAllowed


@pytest.fixture
def strangers(ids: IdFactory, clock: ManualClock) -> Door:
    return Door(ids, owners=[Strangers()], limiter=RateLimiter(clock, RATES))


async def test_what_anybody_may_ask_is_counted_by_address_unless_it_says_otherwise(strangers: Door) -> None:
    answers = [await strangers.call("GET", "/v1/public", headers={}, client=HERE) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert (await strangers.call("GET", "/v1/public", headers={}, client=THERE)).status_code == 200
    always = [await strangers.call("GET", "/v1/open", headers={}, client=HERE) for _ in range(9)]
    assert {(answer.status_code, standing_in(answer)) for answer in always} == {(200, None)}


async def test_a_publishable_key_never_counts_all_visitors_as_one(strangers: Door) -> None:
    headers = {"authorization": f"Bearer {key_of('publishable_key')}"}
    here = [(await strangers.call("POST", "/v1/visit", headers=headers, client=HERE)).status_code for _ in range(3)]
    assert here == [200, 200, 429]
    assert (await strangers.call("POST", "/v1/visit", headers=headers, client=THERE)).status_code == 200


async def knock(door: Door, credential: str, client: tuple[str, int] = HERE) -> int:
    headers = {"authorization": f"Bearer {credential}"}
    return (await door.call("GET", "/v1/things", headers=headers, client=client)).status_code


async def test_wrong_credentials_are_limited_by_address(limited: Door, clock: ManualClock) -> None:
    answer = await limited.call("GET", "/v1/things", headers={"authorization": "Bearer nonsense"})
    assert (answer.status_code, standing_in(answer)) == (401, (3, 2))
    assert [await knock(limited, f"nonsense{number}") for number in range(4)] == [401, 401, 429, 429]
    assert await knock(limited, "nonsense", THERE) == 401
    refused = await limited.call("GET", "/v1/things")
    assert code_in(refused) == "rate_limited"
    assert "wrong credential" in refused.json()["error"]["message"]
    clock.advance(int(refused.headers["retry-after"]))
    assert await knock(limited, "nonsense") == 401


async def test_who_was_right_before_is_not_shut_out_by_a_neighbour(limited: Door) -> None:
    good = key_of("secret_key", "*")
    assert await knock(limited, good) == 200
    assert [await knock(limited, f"nonsense{number}") for number in range(4)] == [401, 401, 401, 429]
    assert await knock(limited, good) == 200
    assert await knock(limited, key_of("secret_key", "users:read")) == 429


async def test_a_missing_credential_and_a_header_that_is_none_are_no_wrong_ones(limited: Door) -> None:
    for headers in ({}, {"authorization": "Basic YTpi"}):
        answers = [await limited.call("GET", "/v1/things", headers=headers) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {401}
    assert await knock(limited, "nonsense") == 401


async def test_a_key_in_the_wrong_place_is_a_wrong_credential_there(strangers: Door) -> None:
    answers = [await strangers.call("GET", "/v1/tied") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert standing_in(answers[-1]) == (3, 0)
    assert len(strangers.denied) == 3


def test_no_more_right_credentials_are_remembered_than_there_is_room_for(clock: ManualClock) -> None:
    limits = CallLimits(RateLimiter(clock, {Limit.KEY_FAILURES: Rate(1)}), remembered=10)
    call = Call({"headers": [], "method": "GET"}, "req_1", {})
    for number in range(100):
        limits.note_right(call, f"key {number}")
    limits.note_wrong(call, "nonsense")
    let_in = [number for number in range(100) if _is_let_in(limits, call, f"key {number}")]
    assert set(range(90, 100)) <= set(let_in) <= set(range(80, 100))


def _is_let_in(limits: CallLimits, call: Call, credential: str) -> bool:
    try:
        limits.require_credible(call, credential)
    except RateLimited:
        return False
    return True


async def test_a_route_that_strangers_may_call_names_its_limit() -> None:
    with pytest.raises(ValueError, match="name the limit"):
        route(Method.GET, "/v1/x", credentials=PUBLIC)
    with pytest.raises(ValueError, match="name the limit"):
        route(Method.POST, "/v1/x", credentials=frozenset({CredentialKind.PUBLISHABLE_KEY}))
    with pytest.raises(ValueError, match="counted by a service"):
        route(Method.POST, "/v1/x", scope=Scope.USERS_READ, limit=Limit.FORGOT)
