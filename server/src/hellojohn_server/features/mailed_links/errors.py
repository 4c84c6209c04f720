"""What sending a link again is refused for.

Conflict
├── EmailAlreadyVerified   409
└── UserNotPending         409  the user was never invited, or has signed in
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict


class EmailAlreadyVerified(Conflict):
    code = ErrorCode.EMAIL_ALREADY_VERIFIED
    message = "The user's e-mail address is verified already."


class UserNotPending(Conflict):
    code = ErrorCode.USER_NOT_PENDING
    message = "The user is not waiting for an invitation: there was none, or the user has signed in since."
