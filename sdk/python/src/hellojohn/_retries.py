"""Whether a call that failed is sent again, and when."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from hellojohn._calls import Prepared, Repeat
from hellojohn.errors import ApiConnectionError, ApiError, HelloJohnError

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 8.0
LONGEST_ASKED_SECONDS: Final = 60.0
_JITTER: Final = 0.25
_TOO_MANY: Final = 429
_TEMPORARY: Final = frozenset({408, _TOO_MANY})
_FIRST_SERVER_ERROR: Final = 500
_NOT_EXECUTED: Final = frozenset({"password_hashing_busy", "server_busy"})
"""Refusals with a 503 that came before anything was done."""
_LASTING: Final = frozenset({"mail_not_configured"})
"""Refusals with a 503 that only an administrator of the server ends."""


def seconds_before_retry(failure: HelloJohnError, prepared: Prepared, attempt: int) -> float | None:
    """Return how long to wait before sending again after the attempt of this number (from 0); None: do not.

    What asks to wait for more than a minute is not sent again: that is for the caller to decide.
    """
    if attempt >= prepared.max_retries or not _may_be_repeated(failure, prepared.repeat):
        return None
    asked = failure.retry_after if isinstance(failure, ApiError) else None
    if asked is not None:
        return asked if asked <= LONGEST_ASKED_SECONDS else None
    longest = min(FIRST_SECONDS * 2.0**attempt, LONGEST_SECONDS)
    return longest * random.uniform(1 - _JITTER, 1)  # noqa: S311 - to spread callers, not to be unguessable


def _may_be_repeated(failure: HelloJohnError, repeat: Repeat) -> bool:
    match failure:
        case ApiConnectionError():
            return not failure.was_sent or repeat is not Repeat.NEVER
        case ApiError() if failure.code in _LASTING:
            return False
        case ApiError() if failure.status == _TOO_MANY or failure.code in _NOT_EXECUTED:
            return True
        case ApiError():
            is_temporary = failure.status in _TEMPORARY or failure.status >= _FIRST_SERVER_ERROR
            return is_temporary and repeat is not Repeat.NEVER
        case _:
            return False


def retry_after_of(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110 section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
