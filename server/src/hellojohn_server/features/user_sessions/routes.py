"""Sessions for administrators: /v1/sessions, and those of one user."""

from hellojohn_server.features.sessions.errors import SessionNotFound
from hellojohn_server.features.sessions.schemas import (
    AccessStopped,
    ListSessionsQuery,
    SessionBody,
    SessionListBody,
)
from hellojohn_server.features.user_sessions.schemas import (
    ListUserSessionsQuery,
    RevokedSessionBody,
    RevokeEverySessionQuery,
    RevokeSessionBody,
    VerifiedTokenBody,
    VerifyTokenBody,
)
from hellojohn_server.features.user_sessions.service import UserSessionService
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope


class UserSessionRoutes:
    """Sessions."""

    def __init__(self, sessions: UserSessionService) -> None:
        self._sessions = sessions

    @route(Method.GET, "/v1/sessions", scope=Scope.SESSIONS_READ, errors=(InvalidCursor,))
    async def list_sessions(self, context: Context, query: ListSessionsQuery) -> Answer[SessionListBody]:
        """List sessions, newest first; the active ones unless a status is asked for."""
        page = await self._sessions.list_sessions(context.tenant_id, query)
        return Answer(SessionListBody(page.rows, page.pagination))

    @route(
        Method.DELETE,
        "/v1/sessions",
        scope=Scope.SESSIONS_WRITE,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def revoke_every_session(
        self, context: Context, query: RevokeEverySessionQuery, body: RevokeSessionBody
    ) -> Answer[AccessStopped]:
        """Sign everybody out: end every session of the tenant.

        Needs `?confirm=<the tenant's id>`, and always admins:manage: administrators are signed out too.
        """
        return Answer(await self._sessions.revoke_every_session(context, query.confirm, body.reason))

    @route(
        Method.POST,
        "/v1/sessions/verify",
        scope=Scope.SESSIONS_READ,
        replay=Replay.IGNORED,
        max_body_bytes=16_384,
    )
    async def verify_token(self, context: Context, body: VerifyTokenBody) -> Answer[VerifiedTokenBody]:
        """Say whether an access token is good at this moment.

        Always 200. What is asked is more than the signature: whether its session still stands, and its user.
        """
        return Answer(await self._sessions.verify_token(context.tenant_id, body.token))

    @route(Method.GET, "/v1/sessions/{session_id}", scope=Scope.SESSIONS_READ, errors=(SessionNotFound,))
    async def get_session(self, context: Context, session_id: str) -> Answer[SessionBody]:
        """Get a session, whatever its status."""
        return Answer(await self._sessions.get_session(context.tenant_id, session_id))

    @route(
        Method.DELETE,
        "/v1/sessions/{session_id}",
        scope=Scope.SESSIONS_WRITE,
        errors=(SessionNotFound,),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def revoke_session(
        self, context: Context, session_id: str, body: RevokeSessionBody
    ) -> Answer[RevokedSessionBody]:
        """End a session: its tokens are refused from the next request on."""
        return Answer(await self._sessions.revoke_session(context, session_id, body.reason))

    @route(
        Method.GET,
        "/v1/users/{user_id}/sessions",
        scope=Scope.SESSIONS_READ,
        errors=(UserNotFound, InvalidCursor),
    )
    async def list_user_sessions(
        self, context: Context, user_id: str, query: ListUserSessionsQuery
    ) -> Answer[SessionListBody]:
        """List a user's sessions, newest first; the active ones unless a status is asked for."""
        page = await self._sessions.list_user_sessions(context.tenant_id, user_id, query)
        return Answer(SessionListBody(page.rows, page.pagination))
