"""Everything the SDK raises.

HelloJohnError
|- MissingCredential          the client was not given the kind of key that the call needs
|- ApiConnectionError         no answer came, or it broke off
|  `- ApiTimeoutError
|- UnexpectedAnswer           an answer that is no answer of the API
`- ApiError                   the API refused: one class for each status
|- BadRequestError               400
|- AuthenticationError           401
|- PermissionDeniedError         403
|- NotFoundError                 404
|- RequestTimeoutError           408
|- ConflictError                 409
|- PreconditionFailedError       412
|- PayloadTooLargeError          413
|- UnsupportedMediaTypeError     415
|- UnprocessableEntityError      422
|- RateLimitError                429
`- ServerError                   5xx
`- ServiceUnavailableError    503
"""

from typing import Any, Final

import msgspec

UNKNOWN_CODE: Final = "unknown"
"""The code of an error that does not say one: it comes from something between the client and the API."""


class FieldError(msgspec.Struct, frozen=True):
    """One bad field: its path (`filters.role`, `user_ids[3]`), what is wrong with it, and what to do."""

    field: str
    code: str
    message: str


class HelloJohnError(Exception):
    """Everything that the SDK raises."""


class MissingCredential(HelloJohnError):
    """The call takes a kind of key or token that the client was not given."""


class ApiConnectionError(HelloJohnError):
    """No answer came, or it broke off. With `was_sent` false the API has not seen the request."""

    def __init__(self, message: str, *, was_sent: bool) -> None:
        self.was_sent = was_sent
        super().__init__(message)


class ApiTimeoutError(ApiConnectionError):
    """It took longer than `timeout`."""


class UnexpectedAnswer(HelloJohnError):
    """What came back is no answer of the API, such as a page of a proxy, or an answer of another version."""

    def __init__(self, message: str, *, status: int, request_id: str | None, body: bytes) -> None:
        self.status = status
        self.request_id = request_id
        self.body = body
        super().__init__(message)


class ApiError(HelloJohnError):
    """The API refused. Branch on `code` (docs/errors.md); the message is for people and may change.

    `details` are the bad fields of a 422. `body` is the whole body: with `mfa_required` it has more than the error's
    text. `retry_after` is how many seconds the API asks to wait, if it does. Quote `request_id` when you ask for help.
    """

    def __init__(  # noqa: PLR0913 - what an error says, each by name
        self,
        message: str,
        *,
        code: str,
        status: int,
        request_id: str | None,
        details: tuple[FieldError, ...] = (),
        body: Any = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.details = details
        self.body = body
        self.retry_after = retry_after
        fields = "".join(f"\n  {each.field}: {each.message}" for each in details)
        super().__init__(f"{message} ({status} {code}, request {request_id or 'without an id'}){fields}")


class BadRequestError(ApiError):
    """400: the request cannot be read."""


class AuthenticationError(ApiError):
    """401: no credential, or one that is not good (any more)."""


class PermissionDeniedError(ApiError):
    """403: the credential is good, and does not open this."""


class NotFoundError(ApiError):
    """404: there is no such thing."""


class RequestTimeoutError(ApiError):
    """408: the body did not come in time."""


class ConflictError(ApiError):
    """409: things are not so that this can be done."""


class PreconditionFailedError(ApiError):
    """412: the object has another version by now than `if_match` names."""


class PayloadTooLargeError(ApiError):
    """413: the body is too large."""


class UnsupportedMediaTypeError(ApiError):
    """415: the file is of a type that is not taken."""


class UnprocessableEntityError(ApiError):
    """422: some fields are wrong; `details` lists them."""


class RateLimitError(ApiError):
    """429: too many calls. `retry_after` says how many seconds to wait."""


class ServerError(ApiError):
    """5xx: the API failed."""


class ServiceUnavailableError(ServerError):
    """503: the API cannot do it now."""


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: RequestTimeoutError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    503: ServiceUnavailableError,
}
_FIRST_SERVER_ERROR: Final = 500


class _ErrorObject(msgspec.Struct, frozen=True):
    code: str
    message: str
    request_id: str | None = None
    details: tuple[FieldError, ...] = ()


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _ErrorObject


def error_of(status: int, body: bytes, *, request_id: str | None, retry_after: float | None) -> ApiError:
    """Return the error that an answer stands for, also when its body is not the API's."""
    kind = _BY_STATUS.get(status, ServerError if status >= _FIRST_SERVER_ERROR else ApiError)
    try:
        told = msgspec.json.decode(body, type=_ErrorBody).error
        whole = msgspec.json.decode(body)
    except msgspec.DecodeError:
        told = _ErrorObject(UNKNOWN_CODE, "The answer does not say what is wrong.")
        whole = body.decode("utf-8", "replace")
    return kind(
        told.message,
        code=told.code,
        status=status,
        request_id=told.request_id or request_id,
        details=told.details,
        body=whole,
        retry_after=retry_after,
    )
