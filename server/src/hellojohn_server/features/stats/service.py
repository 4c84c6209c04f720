"""How a tenant's figures are put together."""

from collections.abc import Mapping
from typing import Final

from hellojohn_server.features.organizations.schemas import ListOrganizationsQuery
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.sessions.schemas import ListSessionsQuery
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.stats import repository
from hellojohn_server.features.stats.schemas import (
    MfaStats,
    OrganizationStats,
    SessionStats,
    SignInStats,
    StatsBody,
    UserStats,
    WindowStats,
)
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.day_counters import DAY_MS, DayCounter, day_facet
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Database, Reader

_WEEK: Final = 7
_MONTH: Final = 30
_ROLE: Final = "role:"
_PLAIN: Final = ("total", "disabled", "email_verified", "mfa_enrolled")


class StatsService:
    """Figures about one tenant at a time."""

    def __init__(
        self, db: Database, clock: Clock, *, sessions: SessionService, organizations: OrganizationService
    ) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._organizations = organizations

    async def get_stats(self, tenant_id: str) -> StatsBody:
        """Return the tenant's figures as they are now: what is counted is looked up, and nothing is counted anew.

        Sessions and organizations are counted along their indexes, to COUNT_CAP at most.
        """
        now = self._clock.now_ms()
        facets = [*_PLAIN, *(day_facet(kind, now - day * DAY_MS) for kind in DayCounter for day in range(_MONTH))]

        async def query(reader: Reader) -> dict[str, int]:
            return await repository.list_counters(reader, facets)

        counters = await self._db.read(tenant_id, query)
        sessions = (await self._sessions.list_sessions(tenant_id, ListSessionsQuery(limit=1), now)).pagination
        organizations = (
            await self._organizations.list_organizations(tenant_id, ListOrganizationsQuery(limit=1))
        ).pagination
        plain = {name: counters.get(name, 0) for name in _PLAIN}
        roles = {facet.removeprefix(_ROLE): users for facet, users in counters.items() if facet.startswith(_ROLE)}
        return StatsBody(
            as_of=format_time(now),
            users=UserStats(
                total=plain["total"],
                disabled=plain["disabled"],
                email_verified=plain["email_verified"],
                by_role={role: users for role, users in sorted(roles.items()) if users},
                new=_window(counters, DayCounter.CREATED, now),
                active=_window(counters, DayCounter.ACTIVE, now),
            ),
            mfa=MfaStats(plain["mfa_enrolled"]),
            sessions=SessionStats(sessions.total, sessions.total_is_exact),
            organizations=OrganizationStats(organizations.total, organizations.total_is_exact),
            sign_ins=SignInStats(
                _window(counters, DayCounter.SIGNED_IN, now), _window(counters, DayCounter.SIGN_IN_FAILED, now)
            ),
        )


def _window(counters: Mapping[str, int], kind: DayCounter, now_ms: int) -> WindowStats:
    days = [counters.get(day_facet(kind, now_ms - day * DAY_MS), 0) for day in range(_MONTH)]
    return WindowStats(sum(days[:_WEEK]), sum(days))
