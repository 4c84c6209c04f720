"""Ids: their form, their order, and the time in them."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.ids import (
    CONTROL_TENANT_ID,
    IdFactory,
    IdPrefix,
    decode_ulid,
    encode_ulid,
    first_id_at,
    is_id,
    time_of,
)
from tests.conftest import START_MS, ManualClock

values = st.integers(min_value=0, max_value=2**128 - 1)


@given(values)
def test_a_ulid_is_its_number(value: int) -> None:
    text = encode_ulid(value)
    assert len(text) == 26
    assert decode_ulid(text) == value


@given(values, values)
def test_ulids_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (encode_ulid(one) < encode_ulid(other)) is (one < other)


def test_the_vector_of_the_ulid_specification() -> None:
    assert decode_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV") >> 80 == 1_469_922_850_259
    assert time_of("evt_01ARZ3NDEKTSV4RRFFQ69G5FAV") == 1_469_922_850_259


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        "01arz3ndektsv4rrffq69g5fav",
    ],
)
def test_what_is_no_ulid(text: str) -> None:
    with pytest.raises(ValueError, match="not a ULID"):
        decode_ulid(text)
    assert not is_id(f"usr_{text}", IdPrefix.USER)


def test_an_id_has_its_own_prefix() -> None:
    made = "usr_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert is_id(made, IdPrefix.USER)
    assert not is_id(made, IdPrefix.TENANT)
    assert not is_id(made + "\n", IdPrefix.USER)
    assert not is_id(made.replace("_", ""), IdPrefix.USER)
    assert is_id(CONTROL_TENANT_ID, IdPrefix.TENANT)


@pytest.mark.parametrize("entropy", [b"\x00" * 10, b"\xff" * 10])
def test_ids_increase_within_a_millisecond_and_when_the_clock_goes_back(entropy: bytes) -> None:
    clock = ManualClock()
    ids = IdFactory(clock, lambda _: entropy)
    made = [ids.new(IdPrefix.EVENT) for _ in range(100)]
    clock.advance(-60)
    made += [ids.new(IdPrefix.EVENT) for _ in range(100)]
    clock.advance(120)
    made += [ids.new(IdPrefix.EVENT) for _ in range(100)]
    assert made == sorted(set(made))
    assert time_of(made[-100]) == START_MS + 60_000


def test_the_time_of_an_id_is_when_it_was_made() -> None:
    made = IdFactory(ManualClock()).new(IdPrefix.USER)
    assert time_of(made) == START_MS
    assert is_id(made, IdPrefix.USER)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_the_first_id_of_a_moment_is_the_least(at_ms: int, entropy: bytes) -> None:
    made = IdFactory(ManualClock(at_ms), lambda _: entropy).new(IdPrefix.EVENT)
    assert first_id_at(IdPrefix.EVENT, at_ms) <= made
    assert made < first_id_at(IdPrefix.EVENT, at_ms + 1) or at_ms == 2**48 - 1


def test_moments_beyond_what_an_id_can_hold_are_bounded() -> None:
    assert first_id_at(IdPrefix.EVENT, -1) == "evt_" + "0" * 26
    assert first_id_at(IdPrefix.EVENT, 2**60) == first_id_at(IdPrefix.EVENT, 2**48 - 1)


def test_the_system_is_asked_for_random_bytes_once_for_many_ids_and_none_is_used_twice() -> None:
    drawn: list[bytes] = []

    def entropy(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    clock = ManualClock()
    ids = IdFactory(clock, entropy)
    parts: set[str] = set()
    for _ in range(200):
        clock.advance(1)
        parts.add(ids.new(IdPrefix.EVENT)[-16:])
    assert len(parts) == 200
    assert 1 < len(drawn) < 10
