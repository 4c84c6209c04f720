"""Signing in by a mailed link: /v1/auth/magic-link."""

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid, LinkUsed
from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    AccountLocked,
    MfaRequired,
    PasswordResetRequired,
)
from hellojohn_server.features.auth.schemas import SignedInBody
from hellojohn_server.features.magic_links.schemas import RequestMagicLinkBody, VerifyMagicLinkBody
from hellojohn_server.features.magic_links.service import MagicLinkService
from hellojohn_server.features.password_reset.schemas import AcceptedBody
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLISHABLE_KEY, Answer, Method, Replay, route


class MagicLinkRoutes:
    """Links that sign in."""

    def __init__(self, links: MagicLinkService) -> None:
        self._links = links

    @route(
        Method.POST,
        "/v1/auth/magic-link",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        status=202,
        replay=Replay.REFUSED,
    )
    async def request_magic_link(self, context: Context, body: RequestMagicLinkBody) -> Answer[AcceptedBody]:
        """Ask for a link to sign in with.

        It opens the application's own page (urls.magic_link_url in the settings); without one, none is mailed. The
        answer is the same, and takes as long, whether or not anybody has the address. Good once, for 15 minutes.
        """
        return Answer(await self._links.request_link(context, body))

    @route(
        Method.POST,
        "/v1/auth/magic-link/verify",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        errors=(
            LinkExpired,
            LinkInvalid,
            LinkUsed,
            AccountBanned,
            AccountDisabled,
            AccountLocked,
            MfaRequired,
            PasswordResetRequired,
        ),
        replay=Replay.REFUSED,
    )
    async def verify_magic_link(self, context: Context, body: VerifyMagicLinkBody) -> Answer[SignedInBody]:
        """Sign in with the secret of a link.

        Verifies the address. Whoever has a second factor is asked for it, as after a password.
        """
        return Answer(await self._links.verify_link(context, body))
