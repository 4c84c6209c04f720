"""The form of a challenge: what a client keeps between the first and the second step of a sign-in.

Whoever has it has given the right password, so it is as good as random: 190 bits, of which SHA-256 is stored.
"""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from hellojohn_server.kit.base62 import random_text
from hellojohn_server.kit.secrets import Sealer, WrongSeal

CHALLENGE_PREFIX: Final = "mch_"
PASSKEY_CHALLENGE_PREFIX: Final = "pkc_"
_LENGTH: Final = 32
_TIME_BYTES: Final = 8
_RANDOM_BYTES: Final = 16
_PLACE: Final = ("passkey_challenges", "", "challenge")


def make_challenge() -> str:
    """Return a new challenge."""
    return CHALLENGE_PREFIX + random_text(_LENGTH)


def hash_challenge(text: str) -> bytes:
    """Return the 32 bytes that are stored of a challenge."""
    return hashlib.sha256(text.encode()).digest()


def mark_of(password_hash: str) -> bytes:
    """Return 32 bytes by which a challenge knows whether the stored hash of a password is still the one it saw."""
    return hashlib.sha256(password_hash.encode()).digest()


def make_passkey_challenge(sealer: Sealer, tenant_id: str, end_ms: int) -> str:
    """Return a new challenge of a sign-in by passkey alone. Nothing is stored: it says itself, sealed, when it ends."""
    value = end_ms.to_bytes(_TIME_BYTES, "big") + os.urandom(_RANDOM_BYTES)
    return PASSKEY_CHALLENGE_PREFIX + urlsafe_b64encode(sealer.seal(value, tenant_id, *_PLACE)).rstrip(b"=").decode()


def end_of_passkey_challenge(sealer: Sealer, tenant_id: str, text: str) -> int | None:
    """Return when a challenge ends, in milliseconds; None when it is none that was made here for the tenant."""
    prefix, encoded = text[: len(PASSKEY_CHALLENGE_PREFIX)], text[len(PASSKEY_CHALLENGE_PREFIX) :]
    if prefix != PASSKEY_CHALLENGE_PREFIX or not encoded.isascii():
        return None
    try:
        value = sealer.open(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)), tenant_id, *_PLACE)
    except (ValueError, WrongSeal):
        return None
    return int.from_bytes(value[:_TIME_BYTES], "big")
