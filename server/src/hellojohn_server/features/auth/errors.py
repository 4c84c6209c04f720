"""What a user is refused.

Unauthenticated: Unproven
├── InvalidCredentials      401  no user has this address and password
├── TokenExpired            401  the access token's time is over
├── TokenStale              401  it was made before the user's role, address or access changed
├── SessionExpired          401
├── SessionRevoked          401
├── RefreshTokenInvalid     401  mistyped, or of no session
├── RefreshTokenExpired     401
└── RefreshTokenReused      401  it came a second time, and its session has ended
Forbidden: ShutOut
├── AccountBanned           403  the last four at sign-in only after the right password
├── AccountDisabled         403
├── AccountLocked           403  too many sign-ins with the address failed, whether or not anybody has it
├── MfaRequired             403
└── PasswordResetRequired   403
"""

from collections.abc import Sequence
from enum import Enum

from hellojohn_server.features.mfa.schemas import FactorRef
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Forbidden, Unauthenticated


class Unproven(Unauthenticated):
    """The caller may call; who is behind the caller is not proved. Written down as what it is, where it matters."""

    is_denial = False


class ShutOut(Forbidden):
    """The caller may call; the user's account is in a state that lets nobody in."""

    is_denial = False


class InvalidCredentials(Unproven):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "No user has this e-mail address and password."


class TokenExpired(Unproven):
    code = ErrorCode.TOKEN_EXPIRED
    message = "This access token has expired. Refresh it."


class TokenStale(Unproven):
    code = ErrorCode.TOKEN_STALE
    message = "This access token was made before the user's role, address, access or organization changed. Refresh it."


class SessionExpired(Unproven):
    code = ErrorCode.SESSION_EXPIRED
    message = "This session has expired. Sign in again."


class SessionRevoked(Unproven):
    code = ErrorCode.SESSION_REVOKED
    message = "This session was ended. Sign in again."


class RefreshTokenInvalid(Unproven):
    code = ErrorCode.REFRESH_TOKEN_INVALID
    message = "This refresh token is not valid. Sign in again."


class RefreshTokenExpired(Unproven):
    code = ErrorCode.REFRESH_TOKEN_EXPIRED
    message = "This refresh token's session has expired. Sign in again."


class RefreshTokenReused(Unproven):
    code = ErrorCode.REFRESH_TOKEN_REUSED
    message = "This refresh token was used before. Its session has ended: sign in again."


class AccountBanned(ShutOut):
    code = ErrorCode.ACCOUNT_BANNED
    message = "This account is banned."


class AccountDisabled(ShutOut):
    code = ErrorCode.ACCOUNT_DISABLED
    message = "This account is disabled."


class AccountLocked(ShutOut):
    code = ErrorCode.ACCOUNT_LOCKED
    message = "Too many sign-ins with this e-mail address failed. Try again later."


class MfaRequired(ShutOut):
    """The first step, with password or link, is right. `challenge` is what the second is sent with.

    `factors` are what the user has.
    """

    code = ErrorCode.MFA_REQUIRED
    message = "The first step is right. Finish the sign-in with a second factor, at /v1/auth/mfa/verify."

    def __init__(self, challenge: str, factors: Sequence[FactorRef]) -> None:
        super().__init__()
        self.extras = {"challenge_id": challenge, "factors": list(factors)}


class PasswordResetRequired(ShutOut):
    code = ErrorCode.PASSWORD_RESET_REQUIRED
    message = "A new password must be set first."


class Unrefreshed(Enum):
    """Why a refresh token was not taken; found in the transaction that ends a session whose token was reused."""

    EXPIRED = RefreshTokenExpired
    INVALID = RefreshTokenInvalid
    REUSED = RefreshTokenReused
    REVOKED = SessionRevoked
