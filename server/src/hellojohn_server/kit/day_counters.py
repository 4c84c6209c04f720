"""The names of counters that count by the day, in UTC."""

from enum import StrEnum
from typing import Final

DAY_MS: Final = 86_400_000


class DayCounter(StrEnum):
    """What is counted by the day: users, by when they were made and when they were last active, and sign-ins."""

    ACTIVE = "active"
    CREATED = "created"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_IN = "signed_in"


def day_facet(kind: DayCounter, at_ms: int) -> str:
    """Return the name of the counter of the day that a time is in."""
    return f"{kind.value}:{at_ms // DAY_MS}"
