"""The rules of what users do about themselves. In an impersonation it is done on the user's behalf, and said so."""

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.account import repository
from hellojohn_server.features.account.events import own_session_revoked, user_password_changed
from hellojohn_server.features.account.schemas import (
    ChangePasswordBody,
    ListOwnSessionsQuery,
    OwnSessionBody,
    UpdateMeBody,
    own_session_body,
)
from hellojohn_server.features.action_tokens.service import delete_links
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.errors import InvalidCredentials, PasswordResetRequired
from hellojohn_server.features.auth.schemas import OwnUserBody, own_user_body, session_of_caller
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.organizations.errors import MemberNotFound, OrganizationNotFound
from hellojohn_server.features.organizations.schemas import BelongingBody, ListBelongingsQuery
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.sessions.errors import SessionNotFound
from hellojohn_server.features.sessions.schemas import AccessStopped, Ending, ListSessionsQuery, RevokeCause
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.users.schemas import UpdateUserBody
from hellojohn_server.features.users.service import UserService
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import NewPasswordBy
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.pagination import Page
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Transaction


class AccountService:
    """The user of the access token that was presented."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        clock: Clock,
        audit: AuditLog,
        access_tokens: AccessTokenService,
        *,
        auth: AuthService,
        users: UserService,
        sessions: SessionService,
        passwords: NewPasswords,
        organizations: OrganizationService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._access_tokens = access_tokens
        self._auth = auth
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._organizations = organizations

    async def get_me(self, context: Context) -> OwnUserBody:
        """Return the user, as the user sees it."""
        return own_user_body(await self._users.get_user(context.tenant_id, session_of_caller(context).user_id))

    async def update_me(self, context: Context, body: UpdateMeBody) -> OwnUserBody:
        """Change the user's own profile. VersionMismatch; UsernameAlreadyExists."""
        change = UpdateUserBody(name=body.name, username=body.username, phone=body.phone, avatar_url=body.avatar_url)
        return own_user_body(
            await self._users.update_user(context, session_of_caller(context).user_id, change, is_own=True)
        )

    async def change_password(self, context: Context, body: ChangePasswordBody) -> AccessStopped:
        """Change the user's password, end every other session of the user, and tell the user by mail.

        InvalidCredentials for a wrong one, which counts as a failed sign-in does (the right one forgets those before);
        AccountLocked; PasswordResetRequired, when the old one is good for nothing; Invalid for the same password again.
        Of several at once with one password one succeeds. When the user's access was stopped meanwhile nothing is
        changed: SessionRevoked, AccountDisabled.
        """
        if body.new_password == body.current_password:
            message = "Must be another password than the current one."
            raise Invalid(details=[FieldError("new_password", FieldCode.INVALID, message)])
        session = session_of_caller(context)
        verified_hash = await self._auth.verify_password(context, session.user_id, body.current_password)
        about = (context.principal.name,)
        password_hash = await self._passwords.hash(context.tenant_id, body.new_password, about, field="new_password")

        async def command(tx: Transaction) -> AccessStopped:
            now = self._clock.now_ms()
            changed = await repository.update_password(tx, session.user_id, verified_hash, password_hash, now)
            if changed is None:
                raise InvalidCredentials
            await self._access_tokens.require_session_stands(tx, session.id)
            if changed.is_reset_required:
                raise PasswordResetRequired
            await self._auth.forget_failures(tx, changed.email_key)
            await delete_links(tx, [session.user_id])
            ending = Ending(RevokeCause.PASSWORD_CHANGED, context.principal.id, now)
            ended = await self._sessions.revoke_other_sessions(tx, session.user_id, session.id, ending)
            await self._audit.record(tx, context, user_password_changed(session.user_id, ended.sessions_revoked))
            await self._users.tell_new_password(tx, session.user_id, changed.email, NewPasswordBy.OLD_PASSWORD)
            return ended.stopped()

        return await self._db.write(context.tenant_id, command, AccessStopped)

    async def list_sessions(self, context: Context, query: ListOwnSessionsQuery) -> Page[OwnSessionBody]:
        """Return a page of the user's own active sessions, newest first; impersonations are not among them."""
        session = session_of_caller(context)
        asked = ListSessionsQuery(limit=query.limit, cursor=query.cursor, user_id=session.user_id, impersonated=False)
        page = await self._sessions.list_sessions(context.tenant_id, asked, self._clock.now_ms())
        return Page([own_session_body(row, session.id) for row in page.rows], page.pagination)

    async def revoke_session(self, context: Context, session_id: str) -> None:
        """End a session of the user's own. Over already: nothing changes. SessionNotFound for anybody else's."""
        caller = session_of_caller(context)
        found = await self._sessions.require_session(context.tenant_id, session_id)
        if found.user_id != caller.user_id or found.is_impersonation:
            raise SessionNotFound

        async def command(tx: Transaction) -> None:
            ending = Ending(RevokeCause.SESSION_REVOKED, context.principal.id, self._clock.now_ms())
            if await self._sessions.revoke_session(tx, session_id, ending) is not None:
                await self._audit.record(tx, context, own_session_revoked(caller.user_id, session_id))

        await self._db.write(context.tenant_id, command, type(None), idempotency=context.idempotency)

    async def list_organizations(self, context: Context, query: ListBelongingsQuery) -> Page[BelongingBody]:
        """Return a page of the user's own organizations. InvalidCursor."""
        return await self._organizations.list_belongings(context.tenant_id, session_of_caller(context).user_id, query)

    async def leave_organization(self, context: Context, organization_id: str) -> None:
        """End the user's own membership. OrganizationNotFound, also where the user is no member; LastOwner."""
        try:
            await self._organizations.remove_member(context, organization_id, session_of_caller(context).user_id)
        except MemberNotFound as stranger:
            raise OrganizationNotFound from stranger
