"""Figures about the caller's tenant: /v1/admin/stats."""

from hellojohn_server.features.stats.schemas import StatsBody
from hellojohn_server.features.stats.service import StatsService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class StatsRoutes:
    """Figures."""

    def __init__(self, stats: StatsService) -> None:
        self._stats = stats

    @route(Method.GET, "/v1/admin/stats", scope=Scope.USERS_READ)
    async def get_stats(self, context: Context) -> Answer[StatsBody]:
        """Get the tenant's figures: users, second factors, sessions, organizations, sign-ins.

        From counters that are kept with every change. Days are those of UTC, today included.
        """
        return Answer(await self._stats.get_stats(context.tenant_id))
