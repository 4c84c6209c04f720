"""What users do about themselves, with an access token: profile, password, sessions, organizations; under /v1/auth."""

from hellojohn_server.features.account.schemas import (
    ChangePasswordBody,
    ListOwnSessionsQuery,
    OwnSessionListBody,
    UpdateMeBody,
)
from hellojohn_server.features.account.service import AccountService
from hellojohn_server.features.auth.errors import AccountLocked, InvalidCredentials, PasswordResetRequired
from hellojohn_server.features.auth.schemas import OwnUserBody
from hellojohn_server.features.organizations.errors import LastOwner, OrganizationNotFound
from hellojohn_server.features.organizations.schemas import BelongingListBody, ListBelongingsQuery
from hellojohn_server.features.sessions.errors import SessionNotFound
from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.features.users.errors import UsernameAlreadyExists
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import ACCESS_TOKEN, Answer, Impersonation, Method, Replay, route


class AccountRoutes:
    """A user's own account."""

    def __init__(self, account: AccountService) -> None:
        self._account = account

    @route(Method.GET, "/v1/auth/me", credentials=ACCESS_TOKEN, impersonation=Impersonation.ALLOWED)
    async def get_me(self, context: Context) -> Answer[OwnUserBody]:
        """Get the user of the access token."""
        user = await self._account.get_me(context)
        return Answer(user, version=user.version)

    @route(
        Method.PATCH,
        "/v1/auth/me",
        credentials=ACCESS_TOKEN,
        errors=(UsernameAlreadyExists,),
        if_match=True,
        impersonation=Impersonation.ALLOWED,
    )
    async def update_me(self, context: Context, body: UpdateMeBody) -> Answer[OwnUserBody]:
        """Change one's own profile.

        Fields that are absent stay as they are; null clears one.
        """
        user = await self._account.update_me(context, body)
        return Answer(user, version=user.version)

    @route(
        Method.POST,
        "/v1/auth/password/change",
        credentials=ACCESS_TOKEN,
        errors=(InvalidCredentials, AccountLocked, PasswordHashingBusy, PasswordResetRequired),
        replay=Replay.REFUSED,
    )
    async def change_password(self, context: Context, body: ChangePasswordBody) -> Answer[AccessStopped]:
        """Change one's own password, and end every other session.

        The session of the access token goes on. A wrong current password counts as a failed sign-in does.
        """
        return Answer(await self._account.change_password(context, body))

    @route(
        Method.GET,
        "/v1/auth/sessions",
        credentials=ACCESS_TOKEN,
        errors=(InvalidCursor,),
        impersonation=Impersonation.ALLOWED,
    )
    async def list_own_sessions(self, context: Context, query: ListOwnSessionsQuery) -> Answer[OwnSessionListBody]:
        """List one's own active sessions, newest first."""
        page = await self._account.list_sessions(context, query)
        return Answer(OwnSessionListBody(page.rows, page.pagination))

    @route(
        Method.DELETE,
        "/v1/auth/sessions/{session_id}",
        credentials=ACCESS_TOKEN,
        status=204,
        errors=(SessionNotFound,),
    )
    async def revoke_own_session(self, context: Context, session_id: str) -> Answer[None]:
        """End a session of one's own."""
        await self._account.revoke_session(context, session_id)
        return Answer(None)

    @route(
        Method.GET,
        "/v1/auth/organizations",
        credentials=ACCESS_TOKEN,
        errors=(InvalidCursor,),
        impersonation=Impersonation.ALLOWED,
    )
    async def list_own_organizations(self, context: Context, query: ListBelongingsQuery) -> Answer[BelongingListBody]:
        """List one's own organizations, and as what one is a member."""
        page = await self._account.list_organizations(context, query)
        return Answer(BelongingListBody(page.rows, page.pagination))

    @route(
        Method.DELETE,
        "/v1/auth/organizations/{organization_id}",
        credentials=ACCESS_TOKEN,
        status=204,
        errors=(LastOwner, OrganizationNotFound),
    )
    async def leave_organization(self, context: Context, organization_id: str) -> Answer[None]:
        """Leave an organization. The last owner stays."""
        await self._account.leave_organization(context, organization_id)
        return Answer(None)
