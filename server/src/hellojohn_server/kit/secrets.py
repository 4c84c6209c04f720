"""Keys for each purpose, derived from the one encryption key by HKDF-SHA256 (RFC 5869): none stands for another."""

from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES: Final = 32


class Purpose(StrEnum):
    """What a derived key is for: HKDF's info. A changed text is another key, so the number counts the changes."""

    CURSORS = "hellojohn cursors 1"
    KEY_CHECK = "hellojohn key check 1"


def derive_key(encryption_key: bytes, purpose: Purpose) -> bytes:
    """Return the 32-byte key for `purpose`; the same on every process with the same encryption key."""
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.value.encode()).derive(encryption_key)
