"""What is refused about second factors.

Unauthenticated: Unconfirmed
├── InvalidMfaCode            401  no factor of the user's has this code now, or it was used before
├── InvalidPasskey            401  of nobody, or its answer is wrong, too late, or was used before: which is not said
└── MfaChallengeInvalid       401  unknown, used or over, or the user changed since
Forbidden
└── ReauthenticationRequired  403  what changes second factors needs the password or a code
NotFound
└── MfaFactorNotFound         404
Conflict
├── MfaAlreadyConfirmed       409
├── MfaFactorLimit            409
├── NoMfaFactor            409
└── WebauthnNotConfigured     409
TooManyRequests
└── TooManyMfaAttempts        429
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unauthenticated


class Unconfirmed(Unauthenticated):
    """The caller may call; the second step is not proved. Written down as what it is."""

    is_denial = False


class InvalidMfaCode(Unconfirmed):
    code = ErrorCode.INVALID_MFA_CODE
    message = "This code is not right, or was used before. Wait for the next one."


class InvalidPasskey(Unconfirmed):
    code = ErrorCode.INVALID_PASSKEY
    message = "No user signs in with this passkey, or its answer came too late. Ask for new options, and try again."


class MfaChallengeInvalid(Unconfirmed):
    code = ErrorCode.MFA_CHALLENGE_INVALID
    message = "This sign-in has expired or was finished. Sign in again."


class ReauthenticationRequired(Forbidden):
    is_denial = False
    code = ErrorCode.REAUTHENTICATION_REQUIRED
    message = (
        "This changes how the account is protected. Send the password, a code of a second factor, or a passkey with it."
    )


class MfaFactorNotFound(NotFound):
    code = ErrorCode.MFA_FACTOR_NOT_FOUND
    message = "The user has no such second factor."


class MfaAlreadyConfirmed(Conflict):
    code = ErrorCode.MFA_ALREADY_CONFIRMED
    message = "This second factor is confirmed already."


class MfaFactorLimit(Conflict):
    code = ErrorCode.MFA_FACTOR_LIMIT
    message = "The user has as many second factors as are allowed. Remove one first."


class NoMfaFactor(Conflict):
    code = ErrorCode.NO_MFA_FACTOR
    message = "The user has no second factor. Confirm one first."


class WebauthnNotConfigured(Conflict):
    code = ErrorCode.WEBAUTHN_NOT_CONFIGURED
    message = "The tenant's settings name no domain for passkeys: mfa.webauthn in /v1/admin/config."


class TooManyMfaAttempts(TooManyRequests):
    code = ErrorCode.TOO_MANY_MFA_ATTEMPTS
    message = "Too many codes were wrong. Try again later."
    retry_after = 600
