"""What is refused about the feed.

Unavailable
└── TooManyStreams    503  as many streams as this process takes are open
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Unavailable


class TooManyStreams(Unavailable):
    code = ErrorCode.TOO_MANY_STREAMS
    message = "As many streams are open as the server takes, or as one tenant may have. Ask without `Accept`, or later."
    retry_after = 5
