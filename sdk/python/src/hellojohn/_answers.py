"""What came back: read as the type that is expected, or raised as the error that it is."""

from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

import httpx2
import msgspec

from hellojohn._retries import retry_after_of
from hellojohn.errors import ApiConnectionError, ApiError, ApiTimeoutError, UnexpectedAnswer, error_of

T = TypeVar("T")

NO_CONTENT: Final = 204
_FIRST_REFUSAL: Final = 300
_REQUEST_ID: Final = "x-request-id"
_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Received(msgspec.Struct, frozen=True):
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The id of the request; None when the answer is not the API's."""
        return self.headers.get(_REQUEST_ID)


def is_refusal(status: int) -> bool:
    """Whether an answer of this status is an error. There is nothing to be redirected to."""
    return status >= _FIRST_REFUSAL


def refusal_of(received: Received) -> ApiError:
    """Return the error that an answer stands for."""
    retry_after = retry_after_of(received.headers.get("retry-after"))
    return error_of(received.status, received.body, request_id=received.request_id, retry_after=retry_after)


def value_of(received: Received, expected: type[T]) -> T:
    """Return the body as a value of a type; UnexpectedAnswer when it is none."""
    try:
        return decoder_of(expected).decode(received.body)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(
            f"The answer is not what was expected: {error}",
            status=received.status,
            request_id=received.request_id,
            body=received.body,
        ) from error


def failure_of(error: httpx2.TransportError | httpx2.DecodingError) -> ApiConnectionError:
    """Return our error for one of the transport's."""
    was_sent = not isinstance(error, _NEVER_SENT)
    text = str(error) or type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return ApiTimeoutError(f"No answer in time: {text}", was_sent=was_sent)
    return ApiConnectionError(f"The API was not reached: {text}" if not was_sent else text, was_sent=was_sent)


def late() -> ApiTimeoutError:
    """Return the error for an answer that comes, but too slowly."""
    return ApiTimeoutError("No whole answer in time", was_sent=True)


def decoder_of(expected: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type, compiled once."""
    return cast("msgspec.json.Decoder[T]", _compiled(cast("Hashable", expected)))


@cache
def _compiled(expected: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(expected)
