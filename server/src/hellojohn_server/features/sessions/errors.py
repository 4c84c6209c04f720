"""What is refused about sessions.

NotFound
└── SessionNotFound    404  no such session in this tenant
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import NotFound


class SessionNotFound(NotFound):
    code = ErrorCode.SESSION_NOT_FOUND
    message = "There is no such session."
