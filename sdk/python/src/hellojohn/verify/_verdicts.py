"""What both verifiers decide in the same way."""

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hellojohn.types import VerifiedToken
from hellojohn.verify._feed import Feed
from hellojohn.verify._keys import Keys
from hellojohn.verify._settings import OnStale, VerifierSettings
from hellojohn.verify._tokens import INVALID, REVOKED, Claims, InvalidToken, VerificationUnavailable, claims_of

API_SECONDS = 5.0
"""How long the API is waited for: somebody waits for the verdict."""


def key_in(keys: Keys, kid: str) -> Ed25519PublicKey:
    """Return the key of a token. InvalidToken when there is none, VerificationUnavailable when nobody can say so."""
    if not keys.is_usable(time.monotonic()):
        raise VerificationUnavailable("The keys that tokens are signed with could not be fetched.")
    key = keys.get(kid)
    if key is None:
        raise InvalidToken(INVALID, "The token is signed with a key that is not known.")
    return key


def standing_claims(token: str, kid: str, key: Ed25519PublicKey, settings: VerifierSettings, feed: Feed) -> Claims:
    """Return what a token says. InvalidToken when it is not good, or the feed has told that its access was stopped."""
    now = time.time()
    claims = claims_of(token, key, settings.expected, now)
    if feed.revocations.has(kid, claims, now):
        raise InvalidToken(REVOKED, "The token was revoked.")
    return claims


def must_ask(on_stale: OnStale) -> bool:
    """Say whether the API is to be asked, for want of knowing better. VerificationUnavailable to fail closed."""
    match on_stale:
        case "check_remote":
            return True
        case "fail_open":
            return False
        case "fail_closed":
            raise VerificationUnavailable("What was revoked is not known at the moment.")


def require_valid(told: VerifiedToken) -> None:
    """Raise InvalidToken unless the API found the token good."""
    if not told.valid:
        raise InvalidToken(told.reason or INVALID, "The API refuses the token.")
