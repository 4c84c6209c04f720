"""The second step of a sign-in: /v1/auth/mfa/verify."""

from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    AccountLocked,
    PasswordResetRequired,
)
from hellojohn_server.features.auth.schemas import SignedInBody
from hellojohn_server.features.mfa.errors import InvalidMfaCode, MfaChallengeInvalid, TooManyMfaAttempts
from hellojohn_server.features.mfa_sign_in.schemas import VerifyMfaBody
from hellojohn_server.features.mfa_sign_in.service import MfaSignInService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLISHABLE_KEY, Answer, Method, Replay, route


class MfaSignInRoutes:
    """The second step of a sign-in."""

    def __init__(self, mfa: MfaSignInService) -> None:
        self._mfa = mfa

    @route(
        Method.POST,
        "/v1/auth/mfa/verify",
        credentials=PUBLISHABLE_KEY,
        errors=(
            InvalidMfaCode,
            MfaChallengeInvalid,
            TooManyMfaAttempts,
            AccountBanned,
            AccountDisabled,
            AccountLocked,
            PasswordResetRequired,
        ),
        replay=Replay.REFUSED,
        limit=Limit.WRITES,
    )
    async def verify_mfa(self, context: Context, body: VerifyMfaBody) -> Answer[SignedInBody]:
        """Finish a sign-in with a code of a second factor, or a backup code.

        The challenge comes with mfa_required, is good once and for ten minutes. Each code is good once; five wrong ones
        within ten minutes are answered as wrong.
        """
        return Answer(await self._mfa.verify(context, body))
