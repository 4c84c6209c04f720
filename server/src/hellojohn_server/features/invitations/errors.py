"""What a call on invitations can be refused for, beside what its link is (features/action_tokens/errors.py).

NotFound
└── InvitationNotFound          404  no such invitation that is open still
Conflict
├── InvitationAlreadyExists     409  the address is invited to the organization already
├── InvitationElsewhere         409  it went to another address than the user's, or that is not verified
├── InvitationLimitReached      409  the organization has as many open invitations as it can have
└── InvitationPageMissing       409  the tenant has named no page that the link could open
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class InvitationNotFound(NotFound):
    code = ErrorCode.INVITATION_NOT_FOUND
    message = "There is no such invitation, or it was accepted, revoked or has expired."


class InvitationAlreadyExists(Conflict):
    code = ErrorCode.INVITATION_ALREADY_EXISTS
    message = "This address is invited to the organization already. Send the invitation again, or revoke it first."


class InvitationElsewhere(Conflict):
    code = ErrorCode.INVITATION_ELSEWHERE
    message = "The invitation went to another address than yours, or yours is not verified."


class InvitationLimitReached(Conflict):
    code = ErrorCode.INVITATION_LIMIT_REACHED
    message = "The organization has as many open invitations as it can have. Revoke one, or wait until one expires."


class InvitationPageMissing(Conflict):
    code = ErrorCode.INVITATION_PAGE_MISSING
    message = (
        "There is no page for such a link to open: only your application can ask who it is and take the session. "
        "Set urls.organization_invitation_url in the tenant's settings first."
    )
