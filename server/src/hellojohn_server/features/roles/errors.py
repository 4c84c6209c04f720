"""What a call on roles can be refused for.

NotFound
└── RoleNotFound         404  no such role in this tenant
Conflict
├── RoleAlreadyExists    409  another role has the name
├── RoleBuiltIn          409  the role is the same in every tenant
├── RoleInUse            409  somebody has the role, or is invited with it
└── RoleLimitReached     409  the tenant has as many roles as it can have
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class RoleNotFound(NotFound):
    code = ErrorCode.ROLE_NOT_FOUND
    message = "There is no such role."


class RoleAlreadyExists(Conflict):
    code = ErrorCode.ROLE_ALREADY_EXISTS
    message = "There is a role of this name already, for users or for members of organizations."


class RoleBuiltIn(Conflict):
    code = ErrorCode.ROLE_BUILT_IN
    message = "This role is built in: it is neither changed nor deleted. Make a role of your own."


class RoleInUse(Conflict):
    code = ErrorCode.ROLE_IN_USE
    message = (
        "Somebody has this role. Give them another first: GET /v1/users?role=<name> lists its users, and with "
        "&status=deleted those in the recycle bin; GET /v1/organizations/<id>/members?role=<name> lists members. "
        "Or mfa.roles of the settings names it: GET /v1/admin/config."
    )


class RoleLimitReached(Conflict):
    code = ErrorCode.ROLE_LIMIT_REACHED
    message = "The tenant has as many roles of its own as it can have. Delete one that nobody has."
