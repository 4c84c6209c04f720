"""The revocation feed: /v1/revocations."""

from hellojohn_server.features.revocations.errors import TooManyStreams
from hellojohn_server.features.revocations.schemas import ListRevocationsQuery, RevocationListBody
from hellojohn_server.features.revocations.service import RevocationFeed, RevocationService
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Content, Events, Method, Parts, route
from hellojohn_server.kit.scopes import Scope


class RevocationRoutes:
    """The revocation feed."""

    def __init__(self, revocations: RevocationService, feed: RevocationFeed) -> None:
        self._revocations = revocations
        self._feed = feed

    @route(
        Method.GET,
        "/v1/revocations",
        scope=Scope.REVOCATIONS_READ,
        errors=(InvalidCursor, TooManyStreams),
        contents=(Content.JSON, Content.EVENT_STREAM),
    )
    async def list_revocations(
        self, context: Context, query: ListRevocationsQuery, events: Events | None
    ) -> Answer[RevocationListBody]:
        """List what verifiers are to refuse.

        Without `since` all that cannot be forgotten yet, else what came after that cursor. An entry may come twice;
        none is ever left out, in whatever order changes are committed. With `Accept: text/event-stream` the same as
        Server-Sent Events, which go on: `revocation` for each entry, and a `heartbeat` every second. `Last-Event-ID` is
        `since` then.
        """
        if events is not None:
            stream = self._feed.stream(context, events.last_id or query.since)
            return Answer(Parts(stream, Content.EVENT_STREAM))
        return Answer(await self._revocations.list_revocations(context.tenant_id, query))
