"""Exporting a person: /v1/admin/users/{user_id}/export."""

from hellojohn_server.features.user_export.schemas import UserExportBody
from hellojohn_server.features.user_export.service import UserExportService
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, Parts, route
from hellojohn_server.kit.scopes import Scope


class UserExportRoutes:
    """Exporting a person."""

    def __init__(self, exports: UserExportService) -> None:
        self._exports = exports

    @route(
        Method.GET,
        "/v1/admin/users/{user_id}/export",
        scope=Scope.USERS_EXPORT,
        errors=(UserNotFound,),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def export_user(self, context: Context, user_id: str) -> Answer[UserExportBody]:
        """Get everything held about one person, as one document.

        Also of a user in the recycle bin. Never a password hash, a secret of a factor, a code or a token. It is made
        while it goes out: an answer that breaks off is not complete, and no JSON.
        """
        return Answer(Parts(await self._exports.export_user(context, user_id)))
