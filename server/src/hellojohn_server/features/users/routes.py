"""Users: /v1/users, one user at a time. Lists and search are declared in features/search."""

from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.users.errors import (
    EmailAlreadyExists,
    EmailBanned,
    EmailInRecycleBin,
    ExternalIdAlreadyExists,
    LastSuperAdmin,
    UserDeleted,
    UsernameAlreadyExists,
    UserNotFound,
)
from hellojohn_server.features.users.schemas import (
    AccessBody,
    ChangedUserBody,
    CreateUserBody,
    UpdateUserBody,
    UserBody,
)
from hellojohn_server.features.users.service import UserService
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope

_TAKEN = (EmailAlreadyExists, EmailBanned, EmailInRecycleBin, ExternalIdAlreadyExists, UsernameAlreadyExists)


class UserRoutes:
    """Users."""

    def __init__(self, users: UserService) -> None:
        self._users = users

    @route(
        Method.POST,
        "/v1/users",
        scope=Scope.USERS_WRITE,
        status=201,
        errors=(*_TAKEN, MailNotConfigured, PasswordHashingBusy),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def create_user(self, context: Context, body: CreateUserBody) -> Answer[UserBody]:
        """Create a user.

        With a password, with a hash that another system made, or without either: then send_invitation mails a link that
        sets the first password. A privileged role needs admins:manage.
        """
        made = await self._users.create_user(context, body)
        return Answer(made, version=made.version, location=f"/v1/users/{made.id}")

    @route(Method.GET, "/v1/users/{user_id}", scope=Scope.USERS_READ, errors=(UserNotFound,))
    async def get_user(self, context: Context, user_id: str) -> Answer[UserBody]:
        """Get a user, also one in the recycle bin."""
        user = await self._users.get_user(context.tenant_id, user_id)
        return Answer(user, version=user.version)

    @route(
        Method.PATCH,
        "/v1/users/{user_id}",
        scope=Scope.USERS_WRITE,
        errors=(*_TAKEN, LastSuperAdmin, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE, Scope.USERS_CREDENTIALS),
    )
    async def update_user(self, context: Context, user_id: str, body: UpdateUserBody) -> Answer[ChangedUserBody]:
        """Change a user.

        Fields that are absent stay as they are; null clears one that may be null. Metadata is merged. A new e-mail
        address needs users:credentials; a user whose role is privileged, or a privileged new role, admins:manage.
        """
        user = await self._users.update_user(context, user_id, body)
        return Answer(user, version=user.version)

    @route(Method.GET, "/v1/users/{user_id}/access", scope=Scope.USERS_READ, errors=(UserNotFound,))
    async def get_user_access(self, context: Context, user_id: str) -> Answer[AccessBody]:
        """Say whether a user can sign in now, and what prevents it."""
        return Answer(await self._users.get_access(context.tenant_id, user_id))
