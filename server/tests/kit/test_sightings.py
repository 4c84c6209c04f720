"""Sightings: what is worth noting, the newest of each subject, and no more of them than there is room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.sightings import APART_MS, SightingKind, Sightings

KEY, USER = SightingKind.API_KEY, SightingKind.USER
NOW = 1_790_000_000_000


def test_what_was_seen_is_drained_once_by_kind_and_tenant() -> None:
    sightings = Sightings()
    sightings.note(KEY, "tnt_1", "key_1", None, NOW)
    sightings.note(KEY, "tnt_1", "key_2", None, NOW + 1)
    sightings.note(KEY, "tnt_2", "key_1", None, NOW + 2)
    sightings.note(USER, "tnt_1", "usr_1", None, NOW + 3)
    assert sightings.drain() == {
        (KEY, "tnt_1"): {"key_1": NOW, "key_2": NOW + 1},
        (KEY, "tnt_2"): {"key_1": NOW + 2},
        (USER, "tnt_1"): {"usr_1": NOW + 3},
    }
    assert sightings.drain() == {}


@pytest.mark.parametrize("kind", SightingKind)
@pytest.mark.parametrize(("beyond", "noted"), [(-1, False), (0, True), (1, True)])
def test_what_the_store_knows_well_enough_is_not_noted(kind: SightingKind, beyond: int, noted: bool) -> None:
    sightings = Sightings()
    sightings.note(kind, "tnt_1", "x_1", NOW - APART_MS[kind] - beyond, NOW)
    assert bool(sightings.drain()) is noted


def test_a_clock_that_goes_back_is_not_noted() -> None:
    sightings = Sightings()
    sightings.note(KEY, "tnt_1", "key_1", NOW + 5, NOW)
    assert sightings.drain() == {}


def test_when_it_is_full_only_those_it_holds_are_kept_up() -> None:
    sightings = Sightings(capacity=2)
    for number in range(4):
        sightings.note(KEY, f"tnt_{number % 2}", f"key_{number}", None, NOW)
    sightings.note(KEY, "tnt_0", "key_0", None, NOW + 9)
    assert sightings.drain() == {(KEY, "tnt_0"): {"key_0": NOW + 9}, (KEY, "tnt_1"): {"key_1": NOW}}
    sightings.note(KEY, "tnt_3", "key_3", None, NOW)
    assert sightings.drain() == {(KEY, "tnt_3"): {"key_3": NOW}}


def test_what_is_put_back_makes_nothing_older() -> None:
    sightings = Sightings()
    sightings.note(KEY, "tnt_1", "key_1", None, NOW + 5)
    sightings.put_back(KEY, "tnt_1", {"key_1": NOW, "key_2": NOW})
    assert sightings.drain() == {(KEY, "tnt_1"): {"key_1": NOW + 5, "key_2": NOW}}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 1000)), max_size=50))
def test_the_newest_of_each_is_held(noted: list[tuple[str, int]]) -> None:
    sightings = Sightings()
    for subject, at in noted:
        sightings.note(USER, "tnt_1", subject, None, at)
    newest = {subject: max(at for other, at in noted if other == subject) for subject, _ in noted}
    assert sightings.drain() == ({(USER, "tnt_1"): newest} if newest else {})
