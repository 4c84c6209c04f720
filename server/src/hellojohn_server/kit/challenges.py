"""The form of a challenge: what a client keeps between the first and the second step of a sign-in.

Whoever has it has given the right password, so it is as good as random: 190 bits, of which SHA-256 is stored.
"""

import hashlib
from typing import Final

from hellojohn_server.kit.base62 import random_text

CHALLENGE_PREFIX: Final = "mch_"
_LENGTH: Final = 32


def make_challenge() -> str:
    """Return a new challenge."""
    return CHALLENGE_PREFIX + random_text(_LENGTH)


def hash_challenge(text: str) -> bytes:
    """Return the 32 bytes that are stored of a challenge."""
    return hashlib.sha256(text.encode()).digest()


def mark_of(password_hash: str) -> bytes:
    """Return 32 bytes by which a challenge knows whether the stored hash of a password is still the one it saw."""
    return hashlib.sha256(password_hash.encode()).digest()
