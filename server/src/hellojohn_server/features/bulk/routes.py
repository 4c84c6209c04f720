"""Bulk acts on users: /v1/admin/users/bulk-..."""

from hellojohn_server.features.bulk.schemas import (
    MAX_BODY_BYTES,
    BulkActBody,
    BulkBanBody,
    BulkBannedBody,
    BulkDeletedBody,
    BulkDisableBody,
    BulkDisabledBody,
    BulkEnabledBody,
    BulkForceResetBody,
    BulkResetsForcedBody,
    BulkRestoredBody,
    BulkSessionsRevokedBody,
    BulkUnbannedBody,
)
from hellojohn_server.features.bulk.service import BulkService
from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
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
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_disable_users(self, context: Context, body: BulkDisableBody) -> Answer[BulkDisabledBody]:
        """Disable up to 1,000 users in one transaction.

        Users who cannot be disabled are listed in refused and left alone; the others are disabled.
        """
        return Answer(await self._bulk.disable_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-enable",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_enable_users(self, context: Context, body: BulkActBody) -> Answer[BulkEnabledBody]:
        """Enable up to 1,000 users in one transaction."""
        return Answer(await self._bulk.enable_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-ban",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_ban_users(self, context: Context, body: BulkBanBody) -> Answer[BulkBannedBody]:
        """Ban up to 1,000 users in one transaction."""
        return Answer(await self._bulk.ban_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-unban",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_unban_users(self, context: Context, body: BulkActBody) -> Answer[BulkUnbannedBody]:
        """Lift the bans of up to 1,000 users in one transaction."""
        return Answer(await self._bulk.unban_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-delete",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_delete_users(self, context: Context, body: BulkActBody) -> Answer[BulkDeletedBody]:
        """Move up to 1,000 users to the recycle bin in one transaction."""
        return Answer(await self._bulk.delete_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-restore",
        scope=Scope.USERS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_restore_users(self, context: Context, body: BulkActBody) -> Answer[BulkRestoredBody]:
        """Restore up to 1,000 users from the recycle bin in one transaction."""
        return Answer(await self._bulk.restore_users(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-revoke-sessions",
        scope=Scope.SESSIONS_WRITE,
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_revoke_sessions(self, context: Context, body: BulkActBody) -> Answer[BulkSessionsRevokedBody]:
        """End every session of up to 1,000 users in one transaction."""
        return Answer(await self._bulk.revoke_sessions(context, body))

    @route(
        Method.POST,
        "/v1/admin/users/bulk-password-reset",
        scope=Scope.USERS_WRITE,
        status=202,
        errors=(MailNotConfigured,),
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def bulk_force_password_reset(
        self, context: Context, body: BulkForceResetBody
    ) -> Answer[BulkResetsForcedBody]:
        """Have up to 1,000 users choose other passwords, in one transaction.

        Each is mailed a link. Unless require is false the old passwords open nothing from now on.
        """
        return Answer(await self._bulk.force_password_resets(context, body))
