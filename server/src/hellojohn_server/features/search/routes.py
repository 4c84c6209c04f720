"""Finding users: GET /v1/users and POST /v1/admin/users/search."""

from hellojohn_server.features.search.schemas import ListUsersQuery, SearchUsersRequest, UserListBody
from hellojohn_server.features.search.service import UserSearch
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope


class SearchRoutes:
    """Finding users."""

    def __init__(self, search: UserSearch) -> None:
        self._search = search

    @route(Method.GET, "/v1/users", scope=Scope.USERS_READ, errors=(InvalidCursor,))
    async def list_users(self, context: Context, query: ListUsersQuery) -> Answer[UserListBody]:
        """List users.

        The newest first, unless another order is asked for. Users in the recycle bin are only in status=deleted.
        """
        page = await self._search.list_users(context.tenant_id, query)
        return Answer(UserListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/admin/users/search",
        scope=Scope.USERS_READ,
        errors=(InvalidCursor,),
        replay=Replay.IGNORED,
        max_body_bytes=16_384,
    )
    async def search_users(self, context: Context, body: SearchUsersRequest) -> Answer[UserListBody]:
        """Search users.

        Every word of the query must occur in name, e-mail, username, phone or id, without regard to case and accents: a
        word of three characters and more anywhere, a shorter one at the start of a word. The filters hold besides.
        """
        page = await self._search.search_users(context.tenant_id, body)
        return Answer(UserListBody(page.rows, page.pagination))
