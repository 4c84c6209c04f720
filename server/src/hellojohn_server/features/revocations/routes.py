"""The revocation feed: /v1/revocations."""

from hellojohn_server.features.revocations.schemas import ListRevocationsQuery, RevocationListBody
from hellojohn_server.features.revocations.service import RevocationService
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class RevocationRoutes:
    """The revocation feed."""

    def __init__(self, revocations: RevocationService) -> None:
        self._revocations = revocations

    @route(Method.GET, "/v1/revocations", scope=Scope.REVOCATIONS_READ, errors=(InvalidCursor,))
    async def list_revocations(self, context: Context, query: ListRevocationsQuery) -> Answer[RevocationListBody]:
        """List what verifiers are to refuse.

        Without `since` all that cannot be forgotten yet, else what came after that cursor. An entry may come twice;
        none is ever left out, in whatever order changes are committed.
        """
        return Answer(await self._revocations.list_revocations(context.tenant_id, query))
