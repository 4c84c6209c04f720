"""Changing one's own address: /v1/auth/me/email. The link is used at /v1/auth/email/verify."""

from hellojohn_server.features.auth.errors import AccountLocked, InvalidCredentials, PasswordResetRequired
from hellojohn_server.features.email_changes.schemas import ChangeEmailBody, EmailChangeBody
from hellojohn_server.features.email_changes.service import EmailChangeService
from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import ACCESS_TOKEN, Answer, Method, Replay, route


class EmailChangeRoutes:
    """A user's own address."""

    def __init__(self, changes: EmailChangeService) -> None:
        self._changes = changes

    @route(
        Method.POST,
        "/v1/auth/me/email",
        credentials=ACCESS_TOKEN,
        status=202,
        errors=(InvalidCredentials, AccountLocked, MailNotConfigured, PasswordHashingBusy, PasswordResetRequired),
        replay=Replay.REFUSED,
    )
    async def change_email(self, context: Context, body: ChangeEmailBody) -> Answer[EmailChangeBody]:
        """Ask for another e-mail address.

        The address changes when the link that is mailed to the new one is used, within 24 hours. The answer is the same
        whether or not somebody has it. A wrong current password counts as a failed sign-in does.
        """
        return Answer(await self._changes.request_change(context, body))
