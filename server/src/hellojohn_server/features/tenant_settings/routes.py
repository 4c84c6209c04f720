"""A tenant's settings: /v1/admin/config."""

from hellojohn_server.features.tenant_settings.schemas import ConfigBody, UpdateConfigBody
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class TenantSettingsRoutes:
    """A tenant's own settings."""

    def __init__(self, settings: TenantSettingsService) -> None:
        self._settings = settings

    @route(Method.GET, "/v1/admin/config", scope=Scope.CONFIG_READ)
    async def get_config(self, context: Context) -> Answer[ConfigBody]:
        """Get the tenant's settings."""
        config = await self._settings.get_config(context.tenant_id)
        return Answer(config, version=config.version)

    @route(
        Method.PATCH,
        "/v1/admin/config",
        scope=Scope.CONFIG_WRITE,
        if_match=True,
        max_body_bytes=2_097_152,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def update_config(self, context: Context, body: UpdateConfigBody) -> Answer[ConfigBody]:
        """Change the tenant's settings.

        What is absent stays as it is; null puts a setting back to its default. Settings of impersonation, of the lock,
        of mail, of URLs and of CORS need admins:manage.
        """
        config = await self._settings.update_config(context, body)
        return Answer(config, version=config.version)
