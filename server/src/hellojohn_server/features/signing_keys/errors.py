"""What is refused about signing keys.

Conflict
└── RotationUnderWay    409  the next key is published already and does not sign yet
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict


class RotationUnderWay(Conflict):
    code = ErrorCode.ROTATION_UNDER_WAY
    message = "The next signing key is published already and does not sign yet."
