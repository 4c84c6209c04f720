"""Prefixed ULIDs (usr_01H...): 48 bits of milliseconds and 80 random bits in Crockford's base 32.

Ids made by one IdFactory increase strictly, also within a millisecond, so that keys are inserted in order.
"""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from hellojohn_server.kit.clock import Clock

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUE: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_RANDOM_BITS: Final = 80
_RANDOM_BYTES: Final = _RANDOM_BITS // 8
_RANDOM_SHIFTS: Final = tuple(range(_RANDOM_BITS - 10, -1, -10))
_TIME_LENGTH: Final = 10
_DRAWN_AT_ONCE: Final = 64
_ULID_PATTERN: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_ULID: Final = re.compile(_ULID_PATTERN)


class IdPrefix(StrEnum):
    """What an id names; its text is the prefix, without the underscore."""

    EMAIL = "eml"
    EVENT = "evt"
    FACTOR = "fac"
    IMPORT = "imp"
    INVITATION = "inv"
    JOB = "job"
    KEY = "key"
    LINK = "lnk"
    ORGANIZATION = "org"
    PLAN = "plan"
    REQUEST = "req"
    ROLE = "role"
    SESSION = "ses"
    TENANT = "tnt"
    TOKEN = "tok"
    USER = "usr"


_FORMS: Final = {prefix: re.compile(f"{prefix.value}_{_ULID_PATTERN}") for prefix in IdPrefix}

IMPERSONATION_SUFFIX: Final = "_impersonate"
"""What the id of an impersonation's session ends in."""

CONTROL_TENANT_ID: Final = "tnt_" + "0" * 26
"""The scope of the control store: no tenant has this id, and a master key carries it in its tenant part."""


class IdFactory:
    """Makes ids. Not for use from several threads at once: each event loop (or command) has its own."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._entropy = entropy
        self._last = 0
        self._ms = -1
        self._head = ""
        self._random: list[int] = []

    def new(self, prefix: IdPrefix) -> str:
        """Return a new id, greater than every id this factory made before."""
        if not self._random:
            self._random = self._draw()
        random = self._random.pop()
        value = (self._clock.now_ms() << _RANDOM_BITS) | random
        if value >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
            value = self._last + 1
        self._last = value
        at_ms = value >> _RANDOM_BITS
        if at_ms != self._ms:
            self._ms, self._head = at_ms, encode_ulid(value)[:_TIME_LENGTH]
        return f"{prefix.value}_{self._head}{_encode_random(value)}"

    def _draw(self) -> list[int]:
        """Return random parts for the next ids: the system is asked once for many, as each time costs a system call."""
        drawn = self._entropy(_RANDOM_BYTES * _DRAWN_AT_ONCE)
        return [
            int.from_bytes(drawn[start : start + _RANDOM_BYTES], "big") for start in range(0, len(drawn), _RANDOM_BYTES)
        ]


def _encode_random(value: int) -> str:
    """Return the last 16 characters of a ULID, its random part."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _RANDOM_SHIFTS])


def encode_ulid(value: int) -> str:
    """Return a 128-bit number as the 26 characters of a ULID."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def decode_ulid(text: str) -> int:
    """Return the 128-bit number of a ULID's 26 characters; ValueError when it is none."""
    if not _ULID.fullmatch(text):
        raise ValueError("not a ULID")
    value = 0
    for letter in text:
        value = value << 5 | _VALUE[letter]
    return value


def is_id(text: str, prefix: IdPrefix) -> bool:
    """Say whether `text` has the form of an id with this prefix. It says nothing of whether such an object exists."""
    return _FORMS[prefix].fullmatch(text) is not None


def is_session_id(text: str) -> bool:
    """Say whether `text` has the form of a session's id, an impersonation's included."""
    return is_id(text.removesuffix(IMPERSONATION_SUFFIX), IdPrefix.SESSION)


def time_of(made_id: str) -> int:
    """Return when an id was made, in milliseconds since the epoch: the first ten characters of its ULID."""
    return _time_in(made_id[-26:-16])


@lru_cache(maxsize=256)
def _time_in(head: str) -> int:
    """Return the number in the first characters of a ULID: of many made together they are the same."""
    value = 0
    for letter in head:
        value = value << 5 | _VALUE[letter]
    return value


def first_id_at(prefix: IdPrefix, at_ms: int) -> str:
    """Return the least id of this prefix that can have been made at `at_ms` (for ranges over ids in time order)."""
    bounded = min(max(at_ms, 0), (1 << 48) - 1)
    return f"{prefix.value}_{encode_ulid(bounded << _RANDOM_BITS)}"
