"""What beginning an impersonation is refused for, beside what the user's state is (features/users/errors.py).

Forbidden
└── ImpersonationDisabled    403  the tenant's settings allow none
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Forbidden


class ImpersonationDisabled(Forbidden):
    code = ErrorCode.IMPERSONATION_DISABLED
    message = "The tenant's settings do not allow impersonation."
