"""Exporting users: /v1/admin/users/export."""

from hellojohn_server.features.users.schemas import UserBody
from hellojohn_server.features.users_export.schemas import ExportUsersQuery
from hellojohn_server.features.users_export.service import UsersExportService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Content, Method, Parts, route
from hellojohn_server.kit.scopes import Scope


class UsersExportRoutes:
    """Exporting users."""

    def __init__(self, exports: UsersExportService) -> None:
        self._exports = exports

    @route(
        Method.GET,
        "/v1/admin/users/export",
        scope=Scope.USERS_EXPORT,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
        limit=Limit.BULK,
        contents=(Content.NDJSON, Content.CSV),
    )
    async def export_users(self, context: Context, query: ExportUsersQuery) -> Answer[UserBody]:
        """Export users.

        Every user whom the filters select, newest first, as lines of JSON or of CSV: the fields are those of a user.
        Never a password hash. It is made while it goes out, and what changes meanwhile is in it or not; but whoever
        matches throughout is in it, and once. An answer that breaks off is not complete: its last chunk is missing.
        """
        parts = await self._exports.export_users(context, query)
        return Answer(Parts(parts, query.format.content, f"users.{query.format.value}"))
