"""Second factors: one's own at /v1/auth/mfa, and those of users at /v1/users/{user_id}/mfa."""

from hellojohn_server.features.auth.errors import AccountLocked, InvalidCredentials
from hellojohn_server.features.mfa.errors import (
    InvalidMfaCode,
    InvalidPasskey,
    MfaAlreadyConfirmed,
    MfaFactorLimit,
    MfaFactorNotFound,
    NoMfaFactor,
    ReauthenticationRequired,
    TooManyMfaAttempts,
    WebauthnNotConfigured,
)
from hellojohn_server.features.user_access.schemas import ReasonBody
from hellojohn_server.features.user_factors.schemas import (
    BackupCodesBody,
    ConfirmBody,
    ConfirmedFactorBody,
    ConfirmOwnBody,
    EnrollmentBody,
    EnrollOwnBody,
    EnrollUserBody,
    FactorListBody,
    ProofBody,
)
from hellojohn_server.features.user_factors.service import OwnFactorService, UserFactorService
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.kit.passwords import PasswordHashingBusy
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import ACCESS_TOKEN, Answer, Impersonation, Method, Replay, route
from hellojohn_server.kit.scopes import Scope

_PROOF = (
    ReauthenticationRequired,
    InvalidCredentials,
    AccountLocked,
    PasswordHashingBusy,
    InvalidMfaCode,
    InvalidPasskey,
    TooManyMfaAttempts,
    WebauthnNotConfigured,
)


class OwnFactorRoutes:
    """One's own second factors."""

    def __init__(self, factors: OwnFactorService) -> None:
        self._factors = factors

    @route(
        Method.GET,
        "/v1/auth/mfa/factors",
        credentials=ACCESS_TOKEN,
        impersonation=Impersonation.ALLOWED,
        enrolling=True,
    )
    async def list_own_factors(self, context: Context) -> Answer[FactorListBody]:
        """List one's own second factors, the oldest first."""
        return Answer(await self._factors.list_factors(context))

    @route(
        Method.POST,
        "/v1/auth/mfa/factors",
        credentials=ACCESS_TOKEN,
        status=201,
        errors=(*_PROOF, MfaFactorLimit),
        replay=Replay.REFUSED,
        enrolling=True,
    )
    async def begin_own_factor(self, context: Context, body: EnrollOwnBody) -> Answer[EnrollmentBody]:
        """Begin a second factor.

        The answer has what an authenticator app needs, shown once. It protects nothing until it is confirmed. Who has a
        second factor already sends the password, a code or a passkey with it.
        """
        return Answer(await self._factors.begin_enrollment(context, body))

    @route(
        Method.POST,
        "/v1/auth/mfa/factors/{factor_id}/confirm",
        credentials=ACCESS_TOKEN,
        errors=(InvalidMfaCode, MfaAlreadyConfirmed, MfaFactorNotFound, TooManyMfaAttempts, WebauthnNotConfigured),
        replay=Replay.REFUSED,
        enrolling=True,
    )
    async def confirm_own_factor(
        self, context: Context, factor_id: str, body: ConfirmOwnBody
    ) -> Answer[ConfirmedFactorBody]:
        """Confirm a second factor with the code that it shows, or the passkey that the browser made.

        With the first one come ten backup codes, shown once. Access tokens from before are stale: refresh.
        """
        return Answer(await self._factors.confirm_factor(context, factor_id, body))

    @route(
        Method.DELETE,
        "/v1/auth/mfa/factors/{factor_id}",
        credentials=ACCESS_TOKEN,
        status=204,
        errors=(*_PROOF, MfaFactorNotFound),
        replay=Replay.REFUSED,
    )
    async def remove_own_factor(self, context: Context, factor_id: str, body: ProofBody) -> Answer[None]:
        """Remove a second factor.

        Needs the password, a code or a passkey. With the last one the backup codes go as well. Access tokens from
        before are stale.
        """
        await self._factors.remove_factor(context, factor_id, body)
        return Answer(None)

    @route(
        Method.POST,
        "/v1/auth/mfa/backup-codes/generate",
        credentials=ACCESS_TOKEN,
        errors=(*_PROOF, NoMfaFactor),
        replay=Replay.REFUSED,
    )
    async def generate_own_backup_codes(self, context: Context, body: ProofBody) -> Answer[BackupCodesBody]:
        """Make ten new backup codes, shown once.

        Needs the password or a code. Those from before are good no more.
        """
        return Answer(await self._factors.generate_backup_codes(context, body))


class UserFactorRoutes:
    """Second factors of users."""

    def __init__(self, factors: UserFactorService) -> None:
        self._factors = factors

    @route(Method.GET, "/v1/users/{user_id}/mfa/factors", scope=Scope.MFA_READ, errors=(UserNotFound,))
    async def list_user_factors(self, context: Context, user_id: str) -> Answer[FactorListBody]:
        """List a user's second factors, the oldest first."""
        return Answer(await self._factors.list_factors(context.tenant_id, user_id))

    @route(
        Method.POST,
        "/v1/users/{user_id}/mfa/factors",
        scope=Scope.USERS_CREDENTIALS,
        status=201,
        errors=(MfaFactorLimit, UserDeleted, UserNotFound),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def begin_user_factor(self, context: Context, user_id: str, body: EnrollUserBody) -> Answer[EnrollmentBody]:
        """Begin a second factor for a user.

        The answer has what the user's authenticator app needs. It protects nothing until it is confirmed.
        """
        return Answer(await self._factors.begin_enrollment(context, user_id, body))

    @route(
        Method.POST,
        "/v1/users/{user_id}/mfa/factors/{factor_id}/confirm",
        scope=Scope.USERS_CREDENTIALS,
        errors=(MfaAlreadyConfirmed, MfaFactorNotFound, TooManyMfaAttempts, UserDeleted, UserNotFound),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def confirm_user_factor(
        self, context: Context, user_id: str, factor_id: str, body: ConfirmBody
    ) -> Answer[ConfirmedFactorBody]:
        """Confirm a second factor of a user with the code that it shows.

        With the first one come ten backup codes, shown once.
        """
        return Answer(await self._factors.confirm_factor(context, user_id, factor_id, body))

    @route(
        Method.DELETE,
        "/v1/users/{user_id}/mfa/factors/{factor_id}",
        scope=Scope.MFA_WRITE,
        status=204,
        errors=(MfaFactorNotFound, UserDeleted, UserNotFound),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def remove_user_factor(
        self, context: Context, user_id: str, factor_id: str, body: ReasonBody
    ) -> Answer[None]:
        """Remove a second factor of a user who has lost it.

        With the last one the backup codes go as well, and sign-in asks for the password alone.
        """
        await self._factors.remove_factor(context, user_id, factor_id, body.reason)
        return Answer(None)

    @route(
        Method.POST,
        "/v1/users/{user_id}/mfa/backup-codes/generate",
        scope=Scope.USERS_CREDENTIALS,
        errors=(NoMfaFactor, UserDeleted, UserNotFound),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def generate_user_backup_codes(
        self, context: Context, user_id: str, body: ReasonBody
    ) -> Answer[BackupCodesBody]:
        """Make ten new backup codes for a user, shown once.

        Those from before are good no more.
        """
        return Answer(await self._factors.generate_backup_codes(context, user_id, body.reason))
