"""What a call on organizations can be refused for.

NotFound
├── OrganizationNotFound    404  no such organization in this tenant; for a user: none that the user is a member of
└── MemberNotFound          404  the user is no member of the organization
Conflict
├── AlreadyMember           409  the user is a member of the organization
├── LastOwner               409  the organization would be left without an owner
└── SlugAlreadyExists       409  another organization has the slug
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class OrganizationNotFound(NotFound):
    code = ErrorCode.ORGANIZATION_NOT_FOUND
    message = "There is no such organization."


class MemberNotFound(NotFound):
    code = ErrorCode.MEMBER_NOT_FOUND
    message = "The user is no member of this organization."


class AlreadyMember(Conflict):
    code = ErrorCode.ALREADY_MEMBER
    message = "The user is a member of this organization already. Change the member's role with PATCH."


class LastOwner(Conflict):
    code = ErrorCode.LAST_OWNER
    message = "This is the last owner of the organization. Make another member an owner first."


class SlugAlreadyExists(Conflict):
    code = ErrorCode.SLUG_ALREADY_EXISTS
    message = "Another organization has this slug."
