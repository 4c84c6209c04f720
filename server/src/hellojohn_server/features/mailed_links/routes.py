"""Links mailed again, and the verification of addresses."""

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid, LinkUsed
from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.mailed_links.errors import EmailAlreadyVerified, UserNotPending
from hellojohn_server.features.mailed_links.schemas import LinkQueuedBody, VerifyEmailBody
from hellojohn_server.features.mailed_links.service import MailedLinkService
from hellojohn_server.features.user_access.schemas import ReasonBody
from hellojohn_server.features.users.errors import EmailAlreadyExists, UserDeleted, UserNotFound
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLISHABLE_KEY, Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope


class MailedLinkRoutes:
    """Links that are mailed."""

    def __init__(self, links: MailedLinkService) -> None:
        self._links = links

    @route(
        Method.POST,
        "/v1/users/{user_id}/resend-verification",
        scope=Scope.USERS_WRITE,
        status=202,
        errors=(EmailAlreadyVerified, MailNotConfigured, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def resend_verification(self, context: Context, user_id: str, body: ReasonBody) -> Answer[LinkQueuedBody]:
        """Mail a user a link that verifies the address.

        Good once, for 24 hours; it takes the place of one that was mailed before.
        """
        return Answer(await self._links.resend_verification(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/resend-invitation",
        scope=Scope.USERS_WRITE,
        status=202,
        errors=(MailNotConfigured, UserDeleted, UserNotFound, UserNotPending),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def resend_invitation(self, context: Context, user_id: str, body: ReasonBody) -> Answer[LinkQueuedBody]:
        """Mail an invited user another link.

        Good once, for seven days; it takes the place of the one that was mailed before.
        """
        return Answer(await self._links.resend_invitation(context, user_id, body))

    @route(
        Method.POST,
        "/v1/auth/email/verify",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        status=204,
        errors=(EmailAlreadyExists, LinkExpired, LinkInvalid, LinkUsed),
        replay=Replay.REFUSED,
    )
    async def verify_email(self, context: Context, body: VerifyEmailBody) -> Answer[None]:
        """Verify an e-mail address with the secret of a link.

        The link of a change of address makes the address the user's.
        """
        await self._links.verify_email(context, body)
        return Answer(None)
