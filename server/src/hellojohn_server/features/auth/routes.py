"""Signing up, in and out: /v1/auth. With a publishable key, and to sign out with an access token."""

from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    AccountLocked,
    InvalidCredentials,
    MfaRequired,
    PasswordResetRequired,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
    SessionRevoked,
)
from hellojohn_server.features.auth.schemas import RefreshBody, SignedInBody, SignInBody, SignUpBody
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.organizations.errors import OrganizationNotFound
from hellojohn_server.features.users.errors import EmailAlreadyExists, UsernameAlreadyExists
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import (
    ACCESS_TOKEN,
    PUBLISHABLE_KEY,
    Answer,
    Impersonation,
    Method,
    Replay,
    route,
)


class AuthRoutes:
    """Signing up, in and out."""

    def __init__(self, auth: AuthService) -> None:
        self._auth = auth

    @route(
        Method.POST,
        "/v1/auth/sign-up",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_UP,
        status=201,
        errors=(EmailAlreadyExists, UsernameAlreadyExists, PasswordHashingBusy),
        replay=Replay.REFUSED,
    )
    async def sign_up(self, context: Context, body: SignUpBody) -> Answer[SignedInBody]:
        """Sign up: make a user, and sign in."""
        return Answer(await self._auth.sign_up(context, body))

    @route(
        Method.POST,
        "/v1/auth/sign-in",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.SIGN_IN,
        errors=(
            InvalidCredentials,
            AccountBanned,
            AccountDisabled,
            AccountLocked,
            MfaRequired,
            PasswordHashingBusy,
            PasswordResetRequired,
        ),
        replay=Replay.REFUSED,
    )
    async def sign_in(self, context: Context, body: SignInBody) -> Answer[SignedInBody]:
        """Sign in with a password.

        An unknown address and a wrong password are answered alike, and after the same time. Ten failures with an
        address within ten minutes lock it for fifteen.
        """
        return Answer(await self._auth.sign_in(context, body))

    @route(
        Method.POST,
        "/v1/auth/token/refresh",
        credentials=PUBLISHABLE_KEY,
        limit=Limit.REFRESH,
        errors=(
            RefreshTokenInvalid,
            RefreshTokenExpired,
            RefreshTokenReused,
            SessionRevoked,
            AccountDisabled,
            OrganizationNotFound,
        ),
        replay=Replay.REFUSED,
    )
    async def refresh_tokens(self, context: Context, body: RefreshBody) -> Answer[SignedInBody]:
        """Get a session's next tokens.

        A refresh token is good once. When it comes again somebody else may have it, and the session ends. With an
        organization_id the user is active in that organization from then on, and the access token says so.
        """
        return Answer(await self._auth.refresh(context, body))

    @route(
        Method.POST,
        "/v1/auth/sign-out",
        credentials=ACCESS_TOKEN,
        status=204,
        impersonation=Impersonation.ALWAYS,
        enrolling=True,
    )
    async def sign_out(self, context: Context) -> Answer[None]:
        """End the session of the access token, an impersonation's too."""
        await self._auth.sign_out(context)
        return Answer(None)
