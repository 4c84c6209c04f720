"""Counting calls: how many are admitted in any stretch of time, what is said about it, and how much is remembered."""

import random
from collections import Counter

import pytest

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.rate_limits import SLOTS, Limit, Rate, RateLimited, RateLimiter, Standing
from tests.conftest import START_MS, ManualClock

SIGN_IN = Limit.SIGN_IN


def make_limiter(clock: ManualClock, calls: int = 3, seconds: int = 60, capacity: int = 1000) -> RateLimiter:
    return RateLimiter(clock, {SIGN_IN: Rate(calls, seconds)}, capacity)


def is_admitted(limiter: RateLimiter, subject: str = "a") -> bool:
    try:
        limiter.count(SIGN_IN, subject)
    except RateLimited:
        return False
    return True


def refusal_of(limiter: RateLimiter, subject: str = "a") -> Standing:
    with pytest.raises(RateLimited) as raised:
        limiter.count(SIGN_IN, subject)
    assert raised.value.code is ErrorCode.RATE_LIMITED
    assert raised.value.retry_after == raised.value.standing.retry_after
    return raised.value.standing


def test_a_subject_may_call_as_often_as_the_limit_says_and_others_are_none_of_its_business(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    standings = [limiter.count(SIGN_IN, "a") for _ in range(3)]
    assert [standing and (standing.calls, standing.remaining, standing.retry_after) for standing in standings] == [
        (3, 2, 0),
        (3, 1, 0),
        (3, 0, 0),
    ]
    assert not is_admitted(limiter)
    assert is_admitted(limiter, "b")


def test_a_refusal_says_when_to_come_back_and_then_one_may(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    limiter.count(SIGN_IN, "a")
    clock.advance(30)
    limiter.count(SIGN_IN, "a")
    limiter.count(SIGN_IN, "a")
    refused = refusal_of(limiter)
    assert refused.remaining == 0
    assert 30 <= refused.retry_after <= 30 + 60 // SLOTS
    assert refused.resets_at > START_MS // 1000 + 60
    clock.advance(refused.retry_after - 1)
    assert not is_admitted(limiter)
    clock.advance(1)
    assert is_admitted(limiter)
    assert not is_admitted(limiter)


def test_all_calls_are_left_again_at_the_time_that_is_said(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    for _ in range(3):
        standing = limiter.count(SIGN_IN, "a")
    assert standing is not None
    assert refusal_of(limiter).resets_at == standing.resets_at
    clock.set(standing.resets_at * 1000 - 1000)
    assert not is_admitted(limiter)
    clock.set(standing.resets_at * 1000)
    assert [is_admitted(limiter) for _ in range(4)] == [True, True, True, False]


def test_what_is_refused_does_not_count(clock: ManualClock) -> None:
    limiter = make_limiter(clock, calls=1)
    assert is_admitted(limiter)
    for _ in range(20):
        clock.advance(3)
        assert not is_admitted(limiter)
    clock.advance(5)
    assert is_admitted(limiter)


@pytest.mark.parametrize("seed", range(5))
def test_no_stretch_of_the_time_has_more_calls_than_the_limit_and_none_is_withheld(
    clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    limiter = make_limiter(clock, calls=10)
    admitted: list[int] = []
    slot_ms = 60_000 // SLOTS
    for _ in range(3000):
        clock.advance(chance.choice((0, 0, 0.3, 1, 7, 70 * chance.random())))
        now = clock.now_ms()
        if is_admitted(limiter):
            admitted.append(now)
            assert sum(at > now - 60_000 for at in admitted[-20:]) <= 10
        else:
            assert sum(at > now - 60_000 - slot_ms for at in admitted[-20:]) >= 10


def test_a_clock_that_is_put_back_neither_shuts_out_nor_forgets(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    assert all(is_admitted(limiter) for _ in range(3))
    clock.advance(-20)
    assert not is_admitted(limiter)
    clock.advance(-86_400)
    assert is_admitted(limiter)


def test_one_may_ask_without_being_counted(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    for _ in range(9):
        limiter.require_left(SIGN_IN, "a")
    assert all(is_admitted(limiter) for _ in range(3))
    with pytest.raises(RateLimited, match="Too many of these") as raised:
        limiter.require_left(SIGN_IN, "a", "Too many of these.")
    assert raised.value.standing == refusal_of(limiter)
    clock.advance(65)
    limiter.require_left(SIGN_IN, "a")


def test_a_limit_of_no_calls_and_one_that_is_not_named_are_none(clock: ManualClock) -> None:
    limiter = make_limiter(clock, calls=0)
    assert [limiter.count(limit, "a") for limit in (SIGN_IN, Limit.READS)] == [None, None]
    limiter.require_left(SIGN_IN, "a")
    assert limiter.held(SIGN_IN) == 0


def test_those_who_are_gone_leave_as_others_come(clock: ManualClock) -> None:
    limiter = make_limiter(clock)
    for number in range(500):
        limiter.count(SIGN_IN, f"early {number}")
    clock.advance(66)
    for number in range(300):
        limiter.count(SIGN_IN, f"late {number}")
    assert limiter.held(SIGN_IN) == 300


def test_no_more_are_remembered_than_there_is_room_for_and_who_still_calls_is_kept(clock: ManualClock) -> None:
    limiter = make_limiter(clock, calls=60, capacity=200)
    admitted: Counter[str] = Counter()
    for number in range(1000):
        if number % 50 == 0:
            clock.advance(2.5)
            admitted["caller"] += is_admitted(limiter, "caller")
        limiter.count(SIGN_IN, f"stranger {number}")
        assert limiter.held(SIGN_IN) <= 200
    standing = limiter.count(SIGN_IN, "caller")
    assert standing is not None
    assert standing.remaining == 60 - admitted["caller"] - 1
