"""The one source of time. Everything that needs the time is given a Clock; tests give a clock they can turn."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day in whole milliseconds since 1970-01-01T00:00:00Z."""

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000
