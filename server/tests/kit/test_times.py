"""Times and durations as they travel."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.times import (
    format_optional_time,
    format_seconds,
    format_time,
    parse_duration,
    say_duration,
    say_time,
    to_ms,
)

LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z"""


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_705_748_400_007, "2024-01-20T11:00:00.007Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (LAST_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_with_milliseconds(at_ms: int, text: str) -> None:
    assert format_time(at_ms) == text
    assert to_ms(datetime.fromisoformat(text)) == at_ms


def test_whole_seconds_have_no_fraction() -> None:
    assert format_seconds(1_705_748_400) == "2024-01-20T11:00:00Z"
    assert format_seconds(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("lasting_ms", "said"),
    [
        (1, "1 minute"),
        (60_000, "1 minute"),
        (60_001, "2 minutes"),
        (3_599_001, "1 hour"),
        (5_400_000, "90 minutes"),
        (86_400_000, "24 hours"),
    ],
)
def test_durations_are_said_in_hours_or_minutes_rounded_up(lasting_ms: int, said: str) -> None:
    assert say_duration(lasting_ms) == said


def test_times_are_said_to_the_minute() -> None:
    assert say_time(1_705_748_459_999) == "2024-01-20 11:00 UTC"


@given(st.integers(0, LAST_MS))
def test_times_go_there_and_back(at_ms: int) -> None:
    assert to_ms(datetime.fromisoformat(format_time(at_ms))) == at_ms


@given(st.integers(0, LAST_MS), st.integers(0, LAST_MS))
def test_texts_sort_as_times_do(one: int, other: int) -> None:
    assert (format_time(one) < format_time(other)) is (one < other)


def test_no_time_is_null() -> None:
    assert format_optional_time(None) is None
    assert format_optional_time(0) == "1970-01-01T00:00:00.000Z"


def test_offsets_are_converted_and_fractions_rounded_down() -> None:
    there = datetime(2024, 1, 20, 12, 0, 0, 7_999, tzinfo=timezone(timedelta(hours=1)))
    assert to_ms(there) == 1_705_748_400_007
    before = datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC)
    assert to_ms(before) == -1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("15m", 900),
        ("1h", 3600),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("999999999y", 999_999_999 * 31_536_000),
        ("0h", None),
        ("01h", None),
        ("-1h", None),
        ("1", None),
        ("h", None),
        ("1H", None),
        ("1.5h", None),
        ("1h30m", None),
        (" 1h", None),
        ("1h\n", None),
        ("٣h", None),
        ("1000000000s", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert parse_duration(text) == seconds
