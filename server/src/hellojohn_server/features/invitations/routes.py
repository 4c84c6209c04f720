"""Invitations: /v1/organizations/{organization_id}/invitations, and what is done with a link under /v1/auth."""

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid
from hellojohn_server.features.auth.schemas import SignedInBody
from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.invitations.errors import (
    InvitationAlreadyExists,
    InvitationElsewhere,
    InvitationLimitReached,
    InvitationNotFound,
    InvitationPageMissing,
)
from hellojohn_server.features.invitations.schemas import (
    AcceptInvitationBody,
    CreateInvitationBody,
    InvitationBody,
    InvitationListBody,
    InvitationReasonBody,
    ListInvitationsQuery,
    SignUpInvitedBody,
)
from hellojohn_server.features.invitations.service import InvitationService
from hellojohn_server.features.organizations.errors import AlreadyMember, OrganizationNotFound
from hellojohn_server.features.organizations.schemas import BelongingBody
from hellojohn_server.features.users.errors import EmailAlreadyExists, UsernameAlreadyExists
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import ACCESS_TOKEN, PUBLISHABLE_KEY, Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope


class InvitationRoutes:
    """Invitations into organizations."""

    def __init__(self, invitations: InvitationService) -> None:
        self._invitations = invitations

    @route(
        Method.GET,
        "/v1/organizations/{organization_id}/invitations",
        scope=Scope.ORGANIZATIONS_READ,
        errors=(OrganizationNotFound, InvalidCursor),
    )
    async def list_invitations(
        self, context: Context, organization_id: str, query: ListInvitationsQuery
    ) -> Answer[InvitationListBody]:
        """List the open invitations to an organization, the oldest first."""
        page = await self._invitations.list_invitations(context.tenant_id, organization_id, query)
        return Answer(InvitationListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/organizations/{organization_id}/invitations",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=201,
        errors=(
            InvitationAlreadyExists,
            InvitationLimitReached,
            InvitationPageMissing,
            MailNotConfigured,
            OrganizationNotFound,
        ),
    )
    async def create_invitation(
        self, context: Context, organization_id: str, body: CreateInvitationBody
    ) -> Answer[InvitationBody]:
        """Invite somebody into an organization by mail.

        The link is good once, for seven days. The answer is the same whether or not anybody has the address.
        """
        return Answer(await self._invitations.create_invitation(context, organization_id, body))

    @route(
        Method.POST,
        "/v1/organizations/{organization_id}/invitations/{invitation_id}/resend",
        scope=Scope.ORGANIZATIONS_WRITE,
        errors=(InvitationNotFound, InvitationPageMissing, MailNotConfigured, OrganizationNotFound),
    )
    async def resend_organization_invitation(
        self, context: Context, organization_id: str, invitation_id: str, body: InvitationReasonBody
    ) -> Answer[InvitationBody]:
        """Mail an invitation again.

        The new link is good for seven days, the one before no more.
        """
        return Answer(await self._invitations.resend_invitation(context, organization_id, invitation_id, body.reason))

    @route(
        Method.DELETE,
        "/v1/organizations/{organization_id}/invitations/{invitation_id}",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=204,
        errors=(InvitationNotFound, OrganizationNotFound),
    )
    async def revoke_invitation(
        self, context: Context, organization_id: str, invitation_id: str, body: InvitationReasonBody
    ) -> Answer[None]:
        """Revoke an invitation: its link is good no more."""
        await self._invitations.revoke_invitation(context, organization_id, invitation_id, body.reason)
        return Answer(None)

    @route(
        Method.POST,
        "/v1/auth/organization-invitations/accept",
        credentials=ACCESS_TOKEN,
        errors=(AlreadyMember, InvitationElsewhere, LinkExpired, LinkInvalid),
        replay=Replay.REFUSED,
    )
    async def join_organization(self, context: Context, body: AcceptInvitationBody) -> Answer[BelongingBody]:
        """Join an organization by a mailed link.

        For a user whose verified address is the one that the link was mailed to.
        """
        return Answer(await self._invitations.accept_invitation(context, body))

    @route(
        Method.POST,
        "/v1/auth/organization-invitations/sign-up",
        credentials=PUBLISHABLE_KEY,
        status=201,
        errors=(EmailAlreadyExists, LinkExpired, LinkInvalid, PasswordHashingBusy, UsernameAlreadyExists),
        replay=Replay.REFUSED,
        limit=Limit.SIGN_UP,
    )
    async def sign_up_invited(self, context: Context, body: SignUpInvitedBody) -> Answer[SignedInBody]:
        """Sign up by a mailed link, and join the organization.

        The address is the one that the link was mailed to, and verified thereby. Who has an account signs in, and
        accepts.
        """
        return Answer(await self._invitations.sign_up(context, body))
