"""What is refused about audit entries.

NotFound
└── AuditLogNotFound    404
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import NotFound


class AuditLogNotFound(NotFound):
    code = ErrorCode.AUDIT_LOG_NOT_FOUND
    message = "There is no such audit entry."
