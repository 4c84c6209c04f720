"""Impersonation: /v1/admin/users/impersonate."""

from hellojohn_server.features.impersonation.errors import ImpersonationDisabled
from hellojohn_server.features.impersonation.schemas import ImpersonateBody, ImpersonationBody
from hellojohn_server.features.impersonation.service import ImpersonationService
from hellojohn_server.features.users.errors import UserBanned, UserDeleted, UserDisabled, UserNotFound
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class ImpersonationRoutes:
    """Acting in a user's place."""

    def __init__(self, impersonation: ImpersonationService) -> None:
        self._impersonation = impersonation

    @route(
        Method.POST,
        "/v1/admin/users/impersonate",
        scope=Scope.USERS_IMPERSONATE,
        errors=(ImpersonationDisabled, UserBanned, UserDeleted, UserDisabled, UserNotFound),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def impersonate_user(self, context: Context, body: ImpersonateBody) -> Answer[ImpersonationBody]:
        """Act in a user's place.

        The answer has an access token of the user's, marked as an impersonation, for an hour if expires_in does not say
        otherwise. It opens few operations, cannot be refreshed, and ends with the key that made it.
        """
        return Answer(await self._impersonation.impersonate_user(context, body))
