"""The rules of ending other people's sessions, and of what a token is worth at this moment."""

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.schemas import own_user_body
from hellojohn_server.features.roles.schemas import is_builtin
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.errors import SessionNotFound
from hellojohn_server.features.sessions.schemas import (
    AccessStopped,
    Ending,
    ListSessionsQuery,
    RevokeCause,
    Session,
    SessionBody,
    residual_seconds,
    session_body,
)
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.user_sessions.events import session_revoked, tenant_sessions_revoked
from hellojohn_server.features.user_sessions.schemas import (
    ListUserSessionsQuery,
    RevokedSessionBody,
    VerifiedTokenBody,
)
from hellojohn_server.features.users.schemas import body_of
from hellojohn_server.features.users.service import UserService, require_never_upward
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Forbidden, Invalid, Unauthenticated
from hellojohn_server.kit.pagination import Page
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Reader, Transaction


class UserSessionService:
    """Sessions of the caller's tenant."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        clock: Clock,
        audit: AuditLog,
        *,
        access_tokens: AccessTokenService,
        roles: RoleService,
        sessions: SessionService,
        users: UserService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._access_tokens = access_tokens
        self._roles = roles
        self._sessions = sessions
        self._users = users

    async def list_sessions(self, tenant_id: str, query: ListSessionsQuery) -> Page[SessionBody]:
        """Return a page of sessions, newest first. InvalidCursor."""
        now = self._clock.now_ms()
        page = await self._sessions.list_sessions(tenant_id, query, now)
        return Page([session_body(session, now) for session in page.rows], page.pagination)

    async def list_user_sessions(self, tenant_id: str, user_id: str, query: ListUserSessionsQuery) -> Page[SessionBody]:
        """Return a page of a user's sessions, newest first. UserNotFound; InvalidCursor."""
        await self._users.require_user(tenant_id, user_id)
        asked = ListSessionsQuery(
            limit=query.limit,
            cursor=query.cursor,
            user_id=user_id,
            status=query.status,
            impersonated=query.impersonated,
        )
        return await self.list_sessions(tenant_id, asked)

    async def get_session(self, tenant_id: str, session_id: str) -> SessionBody:
        """Return a session, whatever its status. SessionNotFound."""
        return session_body(await self._sessions.require_session(tenant_id, session_id), self._clock.now_ms())

    async def revoke_session(self, context: Context, session_id: str, reason: str | None) -> RevokedSessionBody:
        """End a session. Over already: nothing changes. SessionNotFound.

        That of a user whose role is privileged needs admins:manage, else InsufficientScope.
        """
        user_id = (await self._sessions.require_session(context.tenant_id, session_id)).user_id

        async def guard(tx: Transaction) -> None:
            await self._require_never_upward(tx, context, user_id)

        async def command(tx: Transaction) -> RevokedSessionBody:
            now = self._clock.now_ms()
            ending = Ending(RevokeCause.SESSION_REVOKED, context.principal.id, now)
            ended = await self._sessions.revoke_session(tx, session_id, ending)
            if ended is not None:
                await self._audit.record(tx, context, session_revoked(user_id, session_id, reason))
                stopped = AccessStopped(1, residual_seconds((ended.access_expires_at,), now))
                return _revoked_body(ended, now, stopped)
            over = await self._sessions.get_session(tx, session_id)
            if over is None:
                raise SessionNotFound
            return _revoked_body(over, now, UNSET)

        return await self._db.write(
            context.tenant_id, command, RevokedSessionBody, guard=guard, idempotency=context.idempotency
        )

    async def revoke_every_session(self, context: Context, confirm: str | None, reason: str | None) -> AccessStopped:
        """End every session of the tenant, administrators' and impersonations too. Needs admins:manage.

        Invalid unless `confirm` is the tenant's id.
        """
        context.principal.require(Scope.ADMINS_MANAGE)
        if confirm != context.tenant_id:
            code = FieldCode.REQUIRED if confirm is None else FieldCode.INVALID
            message = "This signs everybody out. Send ?confirm=<the tenant's id> to say that it is meant."
            raise Invalid(details=[FieldError("confirm", code, message)])

        async def command(tx: Transaction) -> AccessStopped:
            ending = Ending(RevokeCause.SESSIONS_REVOKED, context.principal.id, self._clock.now_ms())
            ended = await self._sessions.revoke_every_session(tx, ending)
            if ended.sessions_revoked:
                event = tenant_sessions_revoked(context.tenant_id, ended.sessions_revoked, reason)
                await self._audit.record(tx, context, event)
            return ended.stopped()

        return await self._db.write(context.tenant_id, command, AccessStopped, idempotency=context.idempotency)

    async def verify_token(self, tenant_id: str, token: str) -> VerifiedTokenBody:
        """Say whether an access token of the tenant is good now: signed, not expired, its session and user well."""
        try:
            session, user = await self._access_tokens.verify(tenant_id, token)
        except (Unauthenticated, Forbidden) as refusal:
            return VerifiedTokenBody(valid=False, reason=refusal.code)
        permissions = await self._permissions_of(tenant_id, user.role)
        now = self._clock.now_ms()
        return VerifiedTokenBody(
            valid=True,
            user=own_user_body(body_of(user, now)),
            permissions=permissions,
            session=session_body(session, now),
        )

    async def _permissions_of(self, tenant_id: str, role: str) -> list[str]:
        if is_builtin(role):
            return []

        async def query(reader: Reader) -> list[str]:
            return await self._roles.list_permissions(reader, role)

        return await self._db.read(tenant_id, query)

    async def _require_never_upward(self, tx: Transaction, context: Context, user_id: str) -> None:
        user = (await self._users.lock_users(tx, [user_id])).get(user_id)
        if user is None:
            raise SessionNotFound
        require_never_upward(context.principal, await self._roles.list_privileges_locked(tx, [user.role]))


def _revoked_body(session: Session, now_ms: int, stopped: AccessStopped | UnsetType) -> RevokedSessionBody:
    return RevokedSessionBody(**msgspec.structs.asdict(session_body(session, now_ms)), access_stopped=stopped)
