"""What the HTTP door itself refuses, beside the errors of kit.

ApiError
├── Forbidden
│   └── OriginNotAllowed  403  a page of an origin that the tenant does not allow
├── RequestTimeout        408  the body did not arrive in time
├── TooManyHeaders        431
├── BadRequest
│   └── InvalidHost       400  a development server is called by a name that is not its own
└── Unavailable
    ├── DeadlineExceeded  503  the answer took too long
    ├── NotReady          503  the store does not answer (/ready)
    └── ServerBusy        503  too many requests are running
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import ApiError, BadRequest, Forbidden, Unavailable


class InvalidHost(BadRequest):
    code = ErrorCode.INVALID_HOST
    message = "The Host header names another server than this one."


class RequestTimeout(ApiError):
    status = 408
    code = ErrorCode.REQUEST_TIMEOUT
    message = "The body did not arrive in time. Send the request again."


class OriginNotAllowed(Forbidden):
    is_denial = False
    code = ErrorCode.ORIGIN_NOT_ALLOWED
    message = "The tenant does not allow pages of this origin. Name it in `cors.allowed_origins` of its settings."


class TooManyHeaders(ApiError):
    status = 431
    code = ErrorCode.TOO_MANY_HEADERS
    message = "The request has more headers than any client needs."


class DeadlineExceeded(Unavailable):
    code = ErrorCode.DEADLINE_EXCEEDED
    message = (
        "This took longer than a request may. A change may or may not have been made, never by half: retry it with the "
        "same Idempotency-Key."
    )
    retry_after = 5


class ServerBusy(Unavailable):
    code = ErrorCode.SERVER_BUSY
    message = "More requests are running than the server takes at once. Nothing was done."


class NotReady(Unavailable):
    code = ErrorCode.NOT_READY
    message = "The service is up, but its store does not answer."
    retry_after = 5
