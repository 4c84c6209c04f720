"""Bulk acts on users: /v1/admin/users/bulk-..."""

from hellojohn_server.features.bulk.schemas import MAX_BODY_BYTES, BulkDisableBody, BulkDisabledBody
from hellojohn_server.features.bulk.service import BulkService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class BulkRoutes:
    """Acts on many users."""

    def __init__(self, bulk: BulkService) -> None:
        self._bulk = bulk

    @route(
        Method.POST,
        "/v1/admin/users/bulk-disable",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_disable_users(self, context: Context, body: BulkDisableBody) -> Answer[BulkDisabledBody]:
        """Disable up to 1,000 users in one transaction.

        Users who cannot be disabled are listed in refused and left alone; the others are disabled.
        """
        return Answer(await self._bulk.disable_users(context, body))
