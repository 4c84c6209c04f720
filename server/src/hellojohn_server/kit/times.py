"""Times and durations as they travel: RFC 3339 in UTC with milliseconds, and durations such as "15m" "1h" "7d".

Inside the program a time is an int of milliseconds since 1970-01-01T00:00:00Z, a duration an int of seconds.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final

import msgspec

Timestamp = Annotated[
    str,
    msgspec.Meta(description="RFC 3339 in UTC, with milliseconds", extra_json_schema={"format": "date-time"}),
]
SecondTimestamp = Annotated[
    str,
    msgspec.Meta(description="RFC 3339 in UTC, in whole seconds", extra_json_schema={"format": "date-time"}),
]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with an offset or Z")]
DURATION_PATTERN: Final = r"^[1-9][0-9]{0,8}[smhdwy]$(?!\n)"
Duration = Annotated[
    str,
    msgspec.Meta(pattern=DURATION_PATTERN, description="a whole number and a unit: s m h d w y (365 days), as in 1h"),
]

END_OF_TIME_MS: Final = 2**53
"""Later than any time that is stored: for a range without an end."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES: Final = 1440
_MINUTE_MS: Final = 60_000
# The parts of a time of day, written once: a page of users has some sixty times to show.
_MINUTES: Final = [f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_SECONDS: Final = [f"{second:02d}." for second in range(60)]
_MILLISECONDS: Final = [f"{millisecond:03d}Z" for millisecond in range(1000)]
_MILLISECOND: Final = timedelta(milliseconds=1)
_DURATION: Final = re.compile(DURATION_PATTERN)
_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def format_time(at_ms: int) -> str:
    """Return `at_ms` as RFC 3339 (section 5.6) in UTC with milliseconds: 2024-01-20T11:00:00.000Z."""
    minute, in_minute = divmod(at_ms, _MINUTE_MS)
    day = minute // _DAY_MINUTES
    text = _date_of(day) + _MINUTES[minute - day * _DAY_MINUTES]
    return text + _SECONDS[in_minute // 1000] + _MILLISECONDS[in_minute % 1000]


def format_seconds(at_seconds: int) -> str:
    """Return `at_seconds` since the epoch as RFC 3339 in UTC without a fraction: 2024-01-20T11:00:00Z."""
    return f"{format_time(at_seconds * 1000)[: -len('.000Z')]}Z"


@lru_cache(maxsize=4096)
def _date_of(day: int) -> str:
    """Return the date `day` days after the epoch."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def say_time(at_ms: int) -> str:
    """Return `at_ms` as people read it in a mail, to the minute: 2024-01-20 11:00 UTC."""
    return f"{format_time(at_ms)[: len('2024-01-20T11:00')].replace('T', ' ')} UTC"


def say_duration(lasting_ms: int) -> str:
    """Return how long something lasts as people read it, rounded up to a minute: 1 hour, 90 minutes."""
    count, unit = -(-lasting_ms // _MINUTE_MS), "minute"
    if count and count % 60 == 0:
        count, unit = count // 60, "hour"
    return f"{count} {unit}{'' if count == 1 else 's'}"


def format_optional_time(at_ms: int | None) -> str | None:
    """Return format_time(at_ms), or None when there is no time."""
    return None if at_ms is None else format_time(at_ms)


def to_ms(moment: datetime) -> int:
    """Return an aware datetime as milliseconds since the epoch, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def duration_seconds(text: str) -> int:
    """Return the seconds in a duration that was checked before; ValueError when it is none."""
    seconds = parse_duration(text)
    if seconds is None:
        raise ValueError(f"not a duration: {text!r}")
    return seconds


def parse_duration(text: str) -> int | None:
    """Return the seconds in "15m" "1h" "7d" "2w" "1y" (a year has 365 days), or None when it is not a duration."""
    if not _DURATION.match(text):
        return None
    return int(text[:-1]) * _UNIT_SECONDS[text[-1]]
