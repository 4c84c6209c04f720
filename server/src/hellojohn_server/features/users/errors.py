"""What a call on users can be refused for.

NotFound
└── UserNotFound                404  no such user in this tenant
Conflict
├── UserBanned                  409
├── UserDeleted                 409  the user is in the recycle bin
├── UserDisabled                409
├── LastSuperAdmin              409  nobody would be left to administer the administrators
├── EmailAlreadyExists          409  another user has the address
├── EmailInRecycleBin           409  a user in the recycle bin has it
├── EmailBanned                 409  a banned user has it
├── UsernameAlreadyExists       409
└── ExternalIdAlreadyExists     409
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class UserNotFound(NotFound):
    code = ErrorCode.USER_NOT_FOUND
    message = "There is no such user."


class UserBanned(Conflict):
    code = ErrorCode.USER_BANNED
    message = "The user is banned. Lift the ban first."


class UserDeleted(Conflict):
    code = ErrorCode.USER_DELETED
    message = "The user is in the recycle bin. Restore the user first."


class UserDisabled(Conflict):
    code = ErrorCode.USER_DISABLED
    message = "The user is disabled. Enable the user first."


class LastSuperAdmin(Conflict):
    code = ErrorCode.LAST_SUPER_ADMIN
    message = "This is the last active super_admin. Give another user that role first."


class EmailAlreadyExists(Conflict):
    code = ErrorCode.EMAIL_ALREADY_EXISTS
    message = "Another user has this e-mail address."


class EmailInRecycleBin(Conflict):
    code = ErrorCode.EMAIL_IN_RECYCLE_BIN
    message = "A user in the recycle bin has this e-mail address. Restore or erase that user."


class EmailBanned(Conflict):
    code = ErrorCode.EMAIL_BANNED
    message = "A banned user has this e-mail address."


class UsernameAlreadyExists(Conflict):
    code = ErrorCode.USERNAME_ALREADY_EXISTS
    message = "Another user has this username. Upper and lower case count as the same."


class ExternalIdAlreadyExists(Conflict):
    code = ErrorCode.EXTERNAL_ID_ALREADY_EXISTS
    message = "Another user has this external_id."
