"""New passwords by mail: forced by an administrator, asked for by whoever forgot theirs, and set by the link."""

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid, LinkUsed
from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.password_reset.schemas import (
    AcceptedBody,
    ForceResetBody,
    ForgotPasswordBody,
    ResetForcedBody,
    ResetPasswordBody,
)
from hellojohn_server.features.password_reset.service import PasswordResetService
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLISHABLE_KEY, Answer, Method, Replay, route
from hellojohn_server.kit.scopes import Scope


class PasswordResetRoutes:
    """Resets of passwords."""

    def __init__(self, resets: PasswordResetService) -> None:
        self._resets = resets

    @route(
        Method.POST,
        "/v1/users/{user_id}/password-reset",
        scope=Scope.USERS_WRITE,
        status=202,
        errors=(MailNotConfigured, UserDeleted, UserNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def force_password_reset(
        self, context: Context, user_id: str, body: ForceResetBody
    ) -> Answer[ResetForcedBody]:
        """Have a user choose another password.

        Mails a link that is good once, for an hour. Unless require is false the old password opens nothing from now on
        and is not accepted as the new one. Sessions go on unless revoke_sessions is true.
        """
        return Answer(await self._resets.force_reset(context, user_id, body))

    @route(
        Method.POST,
        "/v1/auth/password/forgot",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        status=202,
        replay=Replay.REFUSED,
    )
    async def forgot_password(self, context: Context, body: ForgotPasswordBody) -> Answer[AcceptedBody]:
        """Ask for a link to choose a new password.

        The answer is the same, and takes as long, whether or not anybody has the address. The link is good once, for an
        hour, until a newer one is asked for.
        """
        return Answer(await self._resets.forgot_password(context, body))

    @route(
        Method.POST,
        "/v1/auth/password/reset",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        status=204,
        errors=(LinkExpired, LinkInvalid, LinkUsed, PasswordHashingBusy),
        replay=Replay.REFUSED,
    )
    async def reset_password(self, context: Context, body: ResetPasswordBody) -> Answer[None]:
        """Set a new password with the secret of a link.

        Ends every session of the user and a lock, and verifies the address; a ban and a disable stay. It does not sign
        in: signing in asks for what else the account needs.
        """
        await self._resets.reset_password(context, body)
        return Answer(None)

    @route(
        Method.POST,
        "/v1/auth/invitation/accept",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        status=204,
        errors=(LinkExpired, LinkInvalid, LinkUsed, PasswordHashingBusy),
        replay=Replay.REFUSED,
    )
    async def accept_invitation(self, context: Context, body: ResetPasswordBody) -> Answer[None]:
        """Set the first password with the secret of an invitation's link.

        Verifies the address. It does not sign in.
        """
        await self._resets.accept_invitation(context, body)
        return Answer(None)
