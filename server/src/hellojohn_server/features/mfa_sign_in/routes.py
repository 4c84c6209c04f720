"""The second step of a sign-in, /v1/auth/mfa/verify, and the sign-in that is both steps in one, /v1/auth/passkeys."""

from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    AccountLocked,
    PasswordResetRequired,
)
from hellojohn_server.features.auth.schemas import SignedInBody
from hellojohn_server.features.mfa.errors import (
    InvalidMfaCode,
    InvalidPasskey,
    MfaChallengeInvalid,
    TooManyMfaAttempts,
    WebauthnNotConfigured,
)
from hellojohn_server.features.mfa_sign_in.schemas import (
    PasskeyOptionsBody,
    PasskeySignInBody,
    RequestOptionsBody,
    SignInWithPasskeyBody,
    VerifyMfaBody,
)
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
            WebauthnNotConfigured,
            AccountBanned,
            AccountDisabled,
            AccountLocked,
            PasswordResetRequired,
        ),
        replay=Replay.REFUSED,
        limit=Limit.WRITES,
    )
    async def verify_mfa(self, context: Context, body: VerifyMfaBody) -> Answer[SignedInBody]:
        """Finish a sign-in with a code of a second factor, a backup code, or a passkey.

        The challenge comes with mfa_required, is good once and for ten minutes. Each code is good once; five wrong ones
        within ten minutes are answered as wrong.
        """
        return Answer(await self._mfa.verify(context, body))

    @route(
        Method.POST,
        "/v1/auth/mfa/passkey/options",
        credentials=PUBLISHABLE_KEY,
        errors=(MfaChallengeInvalid, WebauthnNotConfigured),
        replay=Replay.REFUSED,
        limit=Limit.WRITES,
    )
    async def get_passkey_options(self, context: Context, body: PasskeyOptionsBody) -> Answer[RequestOptionsBody]:
        """Get what the browser needs to finish a sign-in with a passkey.

        What it answers goes to mfa/verify as credential.
        """
        return Answer(await self._mfa.passkey_options(context, body))

    @route(
        Method.POST,
        "/v1/auth/passkeys/options",
        credentials=PUBLISHABLE_KEY,
        errors=(WebauthnNotConfigured,),
        replay=Replay.REFUSED,
        limit=Limit.WRITES,
    )
    async def begin_passkey_sign_in(self, context: Context) -> Answer[PasskeySignInBody]:
        """Get what the browser needs to sign somebody in with a passkey alone.

        Any passkey that it keeps for the tenant may answer. The challenge is good once, for five minutes.
        """
        return Answer(await self._mfa.begin_passkey_sign_in(context))

    @route(
        Method.POST,
        "/v1/auth/passkeys/verify",
        credentials=PUBLISHABLE_KEY,
        errors=(
            InvalidPasskey,
            TooManyMfaAttempts,
            WebauthnNotConfigured,
            AccountBanned,
            AccountDisabled,
            AccountLocked,
            PasswordResetRequired,
        ),
        replay=Replay.REFUSED,
        limit=Limit.SIGN_IN,
    )
    async def sign_in_with_passkey(self, context: Context, body: SignInWithPasskeyBody) -> Answer[SignedInBody]:
        """Sign in with a passkey alone.

        The authenticator must have looked who it is, so that it counts as two factors.
        """
        return Answer(await self._mfa.sign_in_with_passkey(context, body))
