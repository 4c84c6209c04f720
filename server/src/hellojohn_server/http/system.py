"""The operations of the service itself: whether it lives, and whether it can work."""

from typing import Literal

import msgspec

from hellojohn_server.http.errors import NotReady
from hellojohn_server.kit.errors import Unavailable
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Answer, Method, route
from hellojohn_server.storage.database import Database


class HealthBody(msgspec.Struct, frozen=True):
    """The process lives."""

    status: Literal["ok"] = "ok"


class ReadyBody(msgspec.Struct, frozen=True):
    """The process can work."""

    status: Literal["ready"] = "ready"


class SystemRoutes:
    """/health and /ready."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @route(Method.GET, "/health", credentials=PUBLIC, limit=Limit.NONE)
    async def check_health(self) -> Answer[HealthBody]:
        """Say that the process lives.

        Answers 200 as long as requests are served at all, whatever the store does. For a supervisor that restarts.
        """
        return Answer(HealthBody())

    @route(Method.GET, "/ready", credentials=PUBLIC, errors=(NotReady,), limit=Limit.NONE)
    async def check_readiness(self) -> Answer[ReadyBody]:
        """Say whether requests can be served.

        Asks the control store. For a load balancer that sends requests elsewhere meanwhile.
        """
        try:
            await self._database.check()
        except Unavailable as error:
            raise NotReady from error
        return Answer(ReadyBody())
