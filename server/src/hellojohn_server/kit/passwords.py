"""Hashing passwords: argon2id (RFC 9106) with OWASP's parameters, in a few threads, never more than a few waiting.

All that works here releases the GIL, so a hash costs the event loop nothing but the switch. More threads than cores
only make each hash slower; a longer queue only makes the last in it wait for an answer that its caller has given up on.
Tenants have turns, and none has more than half of the room: one whose hashes are slow makes nobody else wait for them.
"""

import asyncio
import os
import secrets
import threading
import time
import unicodedata
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
import msgspec

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Unavailable
from hellojohn_server.kit.password_check import check_password
from hellojohn_server.kit.password_hashes import Argon2Hash, ParsedHash, PasswordHashError, parse_password_hash

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 1024
"""The longest password, in bytes of UTF-8."""
SALT_BYTES: Final = 16
DIGEST_BYTES: Final = 32
"""RFC 9106, section 4: a salt of 128 bits, a tag of 256."""
WAITING_PER_THREAD: Final = 64
"""Half of it for one owner: so many hashes of our own take about half a second."""
SPAN_SECONDS: Final = 300.0
"""The slowest verification is kept for the rest of the span that it is in, and for the next one."""
_KIND: Final = argon2.Type.ID
_VERSION: Final = 19

_T = TypeVar("_T")


class Cost(msgspec.Struct, frozen=True):
    """What a hash of ours costs. The OWASP Password Storage Cheat Sheet asks for no less than the defaults."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


RECOMMENDED: Final = Cost()


class PasswordHashingBusy(Unavailable):
    code = ErrorCode.PASSWORD_HASHING_BUSY
    message = "Too many passwords are being hashed just now. Try again shortly."
    retry_after = 1


class Verification(msgspec.Struct, frozen=True):
    """`needs_upgrade`: the password matches, and `hash` would now make another kind of hash of it."""

    matches: bool
    needs_upgrade: bool


class _Slowest:
    """The longest time that was noted in the span that `now` is in or in the one before. For several threads."""

    def __init__(self) -> None:
        self._span: int = 0
        self._longest = self._before = 0.0
        self._noting = threading.Lock()

    def note(self, took: float, now: float) -> None:
        with self._noting:
            self._turn_to(now)
            self._longest = max(self._longest, took)

    def get(self, now: float) -> float:
        """Return the time; 0.0 when nothing was noted."""
        with self._noting:
            self._turn_to(now)
            return max(self._longest, self._before)

    def _turn_to(self, now: float) -> None:
        span = int(now // SPAN_SECONDS)
        if span > self._span:
            self._before = self._longest if span == self._span + 1 else 0.0
            self._span, self._longest = span, 0.0


class _Turns:
    """Work that waits, taken by turns of those it is for, and of each in the order it came. For several threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self._moving = threading.Lock()

    def put(self, owner: str, work: Callable[[], None]) -> None:
        with self._moving:
            self._waiting.setdefault(owner, deque()).append(work)

    def run_next(self) -> None:
        """Do the work whose turn it is; to be called as often as something was put."""
        with self._moving:
            owner = next(iter(self._waiting))
            works = self._waiting.pop(owner)
            work = works.popleft()
            if works:
                self._waiting[owner] = works
        work()


class PasswordHasher:
    """Hashes and verifies in `threads` threads (by default one for each core); refuses when `waiting` more are queued.

    An owner is whom the work is for, a tenant: those who wait have turns, and one has at most half of the room.
    `seconds` is the clock that measures verifications; `cost` is for tests, which make thousands of hashes.
    """

    def __init__(
        self,
        threads: int | None = None,
        waiting: int | None = None,
        seconds: Callable[[], float] = time.perf_counter,
        cost: Cost = RECOMMENDED,
    ) -> None:
        count = threads or os.cpu_count() or 1
        self._capacity = count + (count * WAITING_PER_THREAD if waiting is None else waiting)
        self._share = max(1, self._capacity // 2)
        self._taken = Counter[str]()
        self._turns = _Turns()
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="password")
        self._cost = cost
        self._argon2 = argon2.PasswordHasher(
            cost.passes, cost.memory_kib, cost.lanes, DIGEST_BYTES, SALT_BYTES, type=_KIND
        )
        self._of_nobody = _hash_of_nobody(cost)
        self._seconds = seconds
        self._slowest = _Slowest()

    @property
    def capacity(self) -> int:
        """How many passwords may be at work or waiting at once."""
        return self._capacity

    @property
    def running_or_waiting(self) -> int:
        return self._taken.total()

    @property
    def slowest_seconds(self) -> float:
        """How long the slowest verification of the last minutes took, without its time in the queue; 0.0 without any.

        It is forgotten five to ten minutes after it was made: at the end of the span of five minutes after its own.
        """
        return self._slowest.get(self._seconds())

    async def hash(self, password: str, *, owner: str) -> str:
        """Return the PHC string of `password` with a new salt; PasswordHashingBusy without room, or room for `owner`.

        A caller that goes away leaves its hash running, and its place taken until that ends.
        """
        return await self._in_thread(owner, lambda: self._argon2.hash(prepare_password(password)))

    async def verify(self, password: str, stored: str | None, *, owner: str) -> Verification:
        """Return whether `stored` is a hash of `password`; PasswordHashingBusy without room, or room for `owner`.

        `stored` may be of any form that parse_password_hash understands. None (no such user, or none with a password)
        and a text that it refuses match nothing, and are as much work as a hash of our own. Another system may have
        hashed the password as it was typed: where that differs from the prepared form, it is tried second.
        A caller that goes away leaves its verification running, and its place taken until that ends.
        """
        return await self._in_thread(owner, lambda: self._measure_verification(password, stored))

    async def _in_thread(self, owner: str, work: Callable[[], _T]) -> _T:
        if self._taken.total() >= self._capacity or self._taken[owner] >= self._share:
            raise PasswordHashingBusy
        done = Future[_T]()
        self._turns.put(owner, lambda: _settle(done, work))
        self._executor.submit(self._turns.run_next)
        self._taken[owner] += 1
        waited_for = asyncio.wrap_future(done)
        waited_for.add_done_callback(lambda _: self._release(owner))
        return await asyncio.shield(waited_for)

    def _release(self, owner: str) -> None:
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]

    def _measure_verification(self, password: str, stored: str | None) -> Verification:
        started = self._seconds()
        try:
            return self._verify(password, stored)
        finally:
            ended = self._seconds()
            self._slowest.note(ended - started, ended)

    def _verify(self, password: str, stored: str | None) -> Verification:
        parsed = _parse(stored)
        prepared = prepare_password(password)
        for form in dict.fromkeys((prepared, password)):
            matches = check_password(form, self._of_nobody if parsed is None else parsed)
            if matches and parsed is not None:
                return Verification(matches=True, needs_upgrade=form != prepared or not _is_of(self._cost, parsed))
        return Verification(matches=False, needs_upgrade=False)

    def close(self) -> None:
        """Finish what is at work or waiting, and end the threads; what comes later is a RuntimeError."""
        self._executor.shutdown()


def prepare_password(password: str) -> str:
    """Return `password` as it is hashed: NFKC (NIST SP 800-63B, 5.1.1.2), so that two keyboards give one password."""
    return unicodedata.normalize("NFKC", password)


def _settle(done: Future[_T], work: Callable[[], _T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        done.set_exception(error)
    else:
        done.set_result(result)


def _parse(stored: str | None) -> ParsedHash | None:
    if stored is None:
        return None
    try:
        return parse_password_hash(stored)
    except PasswordHashError:
        return None


def _is_of(cost: Cost, parsed: ParsedHash) -> bool:
    """Return whether `parsed` is as a hasher of that cost makes them."""
    if not isinstance(parsed, Argon2Hash) or (parsed.kind, parsed.version) != (_KIND, _VERSION):
        return False
    found = Cost(parsed.memory_kib, parsed.passes, parsed.lanes)
    return (found, len(parsed.salt), len(parsed.digest)) == (cost, SALT_BYTES, DIGEST_BYTES)


def _hash_of_nobody(cost: Cost) -> Argon2Hash:
    """Return what costs as much to check as a hash of our own, and is the hash of no password anyone could find."""
    salt, digest = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(DIGEST_BYTES)
    return Argon2Hash(_KIND, _VERSION, cost.memory_kib, cost.passes, cost.lanes, salt, digest)
