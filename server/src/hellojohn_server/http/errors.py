"""What the HTTP door itself refuses, beside the errors of kit.

ApiError
├── RequestTimeout    408  the body did not arrive in time
├── BadRequest
│   └── InvalidHost   400  a development server is called by a name that is not its own
└── Unavailable
    └── NotReady      503  the store does not answer (/ready)
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import ApiError, BadRequest, Unavailable


class InvalidHost(BadRequest):
    code = ErrorCode.INVALID_HOST
    message = "The Host header names another server than this one."


class RequestTimeout(ApiError):
    status = 408
    code = ErrorCode.REQUEST_TIMEOUT
    message = "The body did not arrive in time. Send the request again."


class NotReady(Unavailable):
    code = ErrorCode.NOT_READY
    message = "The service is up, but its store does not answer."
    retry_after = 5
