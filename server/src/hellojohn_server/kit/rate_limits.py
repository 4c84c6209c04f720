"""How often somebody may call: counted in memory, in each process for itself.

A limit holds for every stretch of its time, not only for each minute of the clock: time is cut into slots, a call
counts until its slot is out of reach, and never are more calls admitted within the time than the limit says. A subject
takes the same room however often it calls, and when there is no more, who has been quiet for longest is forgotten.
"""

import math
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import TooManyRequests

CAPACITY: Final = 100_000
"""How many subjects each limit keeps in memory."""

SLOTS: Final = 12
"""Into how many slots the time of a limit is cut: a call counts for that time, and at most one slot more."""

_SECOND_MS: Final = 1000


class Limit(StrEnum):
    """What is limited. docs/limits.md says how often, for whom, and by which setting."""

    BULK = "bulk"
    FORGOT = "forgot"
    KEY_FAILURES = "key_failures"
    NONE = "none"
    READS = "reads"
    REFRESH = "refresh"
    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    WRITES = "writes"


class Rate(msgspec.Struct, frozen=True):
    """So many calls within so many seconds. No calls at all stands for no limit."""

    calls: int
    seconds: int = 60


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Where a subject stands after a call: of `calls`, `remaining` are left, and all of them again at `resets_at`.

    `retry_after` is 0, or in how many seconds the next call is admitted. `resets_at` is in seconds since the epoch.
    """

    calls: int
    remaining: int
    resets_at: int
    retry_after: int = 0


class RateLimited(TooManyRequests):
    """A limit is used up. `standing` goes out as the headers of the answer."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, standing: Standing, message: str | None = None) -> None:
        super().__init__(message)
        self.standing = standing
        self.retry_after = standing.retry_after


class RateLimiter:
    """Counts calls by limit and subject. Belongs to one event loop."""

    def __init__(self, clock: Clock, rates: Mapping[Limit, Rate], capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._counters = {limit: _Counter(rate, capacity) for limit, rate in rates.items() if rate.calls}

    def count(self, limit: Limit, subject: Hashable) -> Standing | None:
        """Count a call of `subject` and return where it stands; None when there is no such limit. RateLimited.

        What is refused is not counted.
        """
        counter = self._counters.get(limit)
        if counter is None:
            return None
        standing = counter.count(subject, self._clock.now_ms())
        if standing.retry_after:
            raise RateLimited(standing)
        return standing

    def require_left(self, limit: Limit, subject: Hashable, message: str | None = None) -> None:
        """Raise RateLimited if `subject` has used up a limit. Counts nothing."""
        counter = self._counters.get(limit)
        standing = None if counter is None else counter.refusal(subject, self._clock.now_ms())
        if standing is not None:
            raise RateLimited(standing, message)

    def held(self, limit: Limit) -> int:
        """Return how many subjects of a limit are in memory."""
        counter = self._counters.get(limit)
        return 0 if counter is None else counter.held()


class _Calls:
    """The calls of one subject: `latest` of them in the slot `slot`, those before in `earlier`, oldest first."""

    __slots__ = ("earlier", "latest", "slot", "total")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.latest = 0
        self.total = 0
        self.earlier: list[tuple[int, int]] = []

    def turn(self, slot: int) -> None:
        """Go on to a slot, and drop what no longer counts. A clock that is put back a little stands still."""
        if self.slot - SLOTS <= slot <= self.slot:
            return
        if slot < self.slot:
            self.earlier = []
        else:
            made = [*self.earlier, (self.slot, self.latest)] if self.latest else self.earlier
            self.earlier = [(at, count) for at, count in made if at >= slot - SLOTS]
        self.slot, self.latest = slot, 0
        self.total = sum(count for _, count in self.earlier)

    @property
    def oldest(self) -> int:
        """The slot of the oldest call."""
        return self.earlier[0][0] if self.earlier else self.slot

    @property
    def newest(self) -> int:
        """The slot of the latest call."""
        return self.slot if self.latest or not self.earlier else self.earlier[-1][0]


class _Counter:
    """One limit: the calls of each of its subjects, those that called last at the end."""

    def __init__(self, rate: Rate, capacity: int) -> None:
        self._rate = rate
        self._slot_ms = rate.seconds * _SECOND_MS // SLOTS
        self._capacity = capacity
        self._held: OrderedDict[Hashable, _Calls] = OrderedDict()

    def held(self) -> int:
        return len(self._held)

    def count(self, subject: Hashable, now_ms: int) -> Standing:
        slot = now_ms // self._slot_ms
        calls = self._held.get(subject)
        if calls is None:
            calls = self._begin(subject, slot)
        elif calls.slot != slot:
            calls.turn(slot)
            self._held.move_to_end(subject)
        allowed = self._rate.calls
        if calls.total >= allowed:
            return self._refused(calls, now_ms)
        calls.latest += 1
        calls.total += 1
        return Standing(allowed, allowed - calls.total, self._second_after(calls.slot))

    def refusal(self, subject: Hashable, now_ms: int) -> Standing | None:
        calls = self._held.get(subject)
        if calls is None:
            return None
        calls.turn(now_ms // self._slot_ms)
        return self._refused(calls, now_ms) if calls.total >= self._rate.calls else None

    def _refused(self, calls: _Calls, now_ms: int) -> Standing:
        wait = math.ceil(((calls.oldest + SLOTS + 1) * self._slot_ms - now_ms) / _SECOND_MS)
        return Standing(self._rate.calls, 0, self._second_after(calls.newest), max(wait, 1))

    def _second_after(self, slot: int) -> int:
        """Return the first whole second at which a call of a slot no longer counts."""
        return -(-(slot + SLOTS + 1) * self._slot_ms // _SECOND_MS)

    def _begin(self, subject: Hashable, slot: int) -> _Calls:
        for _ in range(2):  # so that those who are gone leave sooner than others come
            first = next(iter(self._held), None)
            if first is None or (self._held[first].slot >= slot - SLOTS and len(self._held) < self._capacity):
                break
            del self._held[first]
        calls = self._held[subject] = _Calls(slot)
        return calls
