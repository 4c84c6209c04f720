"""Why a link that was mailed is of no use.

Unauthenticated: LinkRefused
├── LinkExpired   401  its time is over
├── LinkInvalid   401  mistyped, of another tenant or for another purpose; replaced, or what it was for has changed
└── LinkUsed      401  it was used before
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Unauthenticated


class LinkRefused(Unauthenticated):
    """The caller may call; the link proves nothing."""

    is_denial = False
    code = ErrorCode.LINK_INVALID


class LinkExpired(LinkRefused):
    code = ErrorCode.LINK_EXPIRED
    message = "This link has expired. Ask for a new one."


class LinkInvalid(LinkRefused):
    code = ErrorCode.LINK_INVALID
    message = "This link is not valid, or not any more. Open the newest one that was mailed, or ask for another."


class LinkUsed(LinkRefused):
    code = ErrorCode.LINK_USED
    message = "This link was used before. Ask for a new one if you still need it."
