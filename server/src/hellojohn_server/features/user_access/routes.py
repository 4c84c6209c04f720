"""Acts on one user's access: /v1/users/{user_id}/... Many at once are in features/bulk."""

from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.features.user_access.schemas import (
    BanUserBody,
    DeleteUserQuery,
    DisableUserBody,
    ReasonBody,
    SetPasswordBody,
)
from hellojohn_server.features.user_access.service import UserAccess
from hellojohn_server.features.users.errors import LastSuperAdmin, UserDeleted, UserNotFound
from hellojohn_server.features.users.schemas import ChangedUserBody
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class UserAccessRoutes:
    """Acts on one user's access."""

    def __init__(self, access: UserAccess) -> None:
        self._access = access

    @route(
        Method.POST,
        "/v1/users/{user_id}/disable",
        scope=Scope.USERS_WRITE,
        errors=(LastSuperAdmin, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def disable_user(self, context: Context, user_id: str, body: DisableUserBody) -> Answer[ChangedUserBody]:
        """Disable a user.

        No sign-in until the user is enabled again. Sessions end, or with revoke_sessions false rest until then.
        """
        return _changed(await self._access.disable_user(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/enable",
        scope=Scope.USERS_WRITE,
        errors=(UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def enable_user(self, context: Context, user_id: str, body: ReasonBody) -> Answer[ChangedUserBody]:
        """Enable a user who was disabled."""
        return _changed(await self._access.enable_user(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/ban",
        scope=Scope.USERS_WRITE,
        errors=(LastSuperAdmin, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def ban_user(self, context: Context, user_id: str, body: BanUserBody) -> Answer[ChangedUserBody]:
        """Ban a user.

        No sign-in until the end of the ban, or for good, and nobody else takes the address. Sessions end. For a user
        under a ban the ban is changed.
        """
        return _changed(await self._access.ban_user(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/unban",
        scope=Scope.USERS_WRITE,
        errors=(UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def unban_user(self, context: Context, user_id: str, body: ReasonBody) -> Answer[ChangedUserBody]:
        """Lift a ban.

        The user may sign in again; sessions stay ended.
        """
        return _changed(await self._access.unban_user(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/unlock",
        scope=Scope.USERS_WRITE,
        errors=(UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def unlock_user(self, context: Context, user_id: str, body: ReasonBody) -> Answer[ChangedUserBody]:
        """Lift a lock.

        Failed sign-ins with the user's address are forgotten, also where they have not led to a lock.
        """
        return _changed(await self._access.unlock_user(context, user_id, body))

    @route(
        Method.DELETE,
        "/v1/users/{user_id}",
        scope=Scope.USERS_WRITE,
        errors=(LastSuperAdmin, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE, Scope.USERS_ERASE),
    )
    async def delete_user(
        self, context: Context, user_id: str, query: DeleteUserQuery, body: ReasonBody
    ) -> Answer[ChangedUserBody | None]:
        """Move a user to the recycle bin, or erase the user.

        In the bin for 30 days, then erased. Sessions end. With permanent=true everything held about the user is
        destroyed at once, for which users:erase is needed, and no reason is kept.
        """
        if query.permanent:
            await self._access.erase_user(context, user_id)
            return Answer(None)
        deleted = await self._access.delete_user(context, user_id, body)
        return Answer(deleted, version=deleted.version)

    @route(
        Method.POST,
        "/v1/users/{user_id}/restore",
        scope=Scope.USERS_WRITE,
        errors=(UserNotFound,),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def restore_user(self, context: Context, user_id: str, body: ReasonBody) -> Answer[ChangedUserBody]:
        """Restore a user from the recycle bin.

        What kept the user out before, such as a ban that has not ended, still does; sessions stay ended.
        """
        return _changed(await self._access.restore_user(context, user_id, body))

    @route(
        Method.DELETE,
        "/v1/users/{user_id}/sessions",
        scope=Scope.SESSIONS_WRITE,
        errors=(UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def revoke_user_sessions(self, context: Context, user_id: str, body: ReasonBody) -> Answer[AccessStopped]:
        """End every session of a user.

        The user may sign in again.
        """
        return Answer(await self._access.revoke_sessions(context, user_id, body))

    @route(
        Method.PUT,
        "/v1/users/{user_id}/password",
        scope=Scope.USERS_CREDENTIALS,
        errors=(PasswordHashingBusy, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def set_user_password(self, context: Context, user_id: str, body: SetPasswordBody) -> Answer[ChangedUserBody]:
        """Set a user's password.

        A password, or the hash of one that another system made. The user is not told.
        """
        return _changed(await self._access.set_password(context, user_id, body))


def _changed(user: ChangedUserBody) -> Answer[ChangedUserBody]:
    return Answer(user, version=user.version)
