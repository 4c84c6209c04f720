"""Why sessions end, and what ending them answers."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class RevokeCause(StrEnum):
    """What ended a session before its time."""

    USER_DISABLED = "user_disabled"


class Session(msgspec.Struct, frozen=True):
    """A row of sessions that has not been revoked. Times in milliseconds."""

    id: str
    user_id: str
    created_at: int
    expires_at: int
    access_expires_at: int


class AccessStopped(msgspec.Struct, frozen=True):
    """What an act on a user ended.

    `residual_seconds` is the longest time that a token already given out still passes a verifier which checks
    signatures only; our own endpoints and followers of the revocation feed refuse it at once.
    """

    sessions_revoked: int
    residual_seconds: int


def residual_seconds(access_expires_at: Iterable[int], now_ms: int) -> int:
    """Return the seconds until the last of these moments, rounded up; 0 when all have passed or there is none."""
    return max(0, -(-(max(access_expires_at, default=now_ms) - now_ms) // 1000))
