"""Keys for each purpose, derived from the one encryption key by HKDF-SHA256 (RFC 5869): none stands for another."""

import hashlib
import hmac
import os
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12


class Purpose(StrEnum):
    """What a derived key is for: HKDF's info. A changed text is another key, so the number counts the changes."""

    ADDRESSES = "hellojohn addresses 1"
    BACKUP_CODES = "hellojohn backup codes 1"
    CURSORS = "hellojohn cursors 1"
    KEY_CHECK = "hellojohn key check 1"
    SEALED_VALUES = "hellojohn sealed values 1"


def derive_key(encryption_key: bytes, purpose: Purpose) -> bytes:
    """Return the 32-byte key for `purpose`; the same on every process with the same encryption key."""
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.value.encode()).derive(encryption_key)


class WrongSeal(Exception):
    """A sealed value was made under another key, or for another place, or was altered."""


class Sealer:
    """Seals values that must be read again (AES-256-GCM), each bound to the place where it is kept.

    A sealed value starts with the id of its key, so that values under an old and a new key can stand side by side.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)
        self._key_id = hashlib.sha256(b"key id " + secret).digest()[:_KEY_ID_BYTES]

    def seal(self, value: bytes, *place: str) -> bytes:
        """Return `value` sealed for `place`: tenant, table, row and column."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._key_id + nonce + self._cipher.encrypt(nonce, value, _associated(place))

    def open(self, sealed: bytes, *place: str) -> bytes:
        """Return what was sealed for `place`; WrongSeal otherwise."""
        nonce, rest = sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES], sealed[_KEY_ID_BYTES + _NONCE_BYTES :]
        if sealed[:_KEY_ID_BYTES] != self._key_id:
            raise WrongSeal("sealed under another key")
        try:
            return self._cipher.decrypt(nonce, rest, _associated(place))
        except (InvalidTag, ValueError) as error:
            raise WrongSeal("altered, or sealed for another place") from error


class AddressHasher:
    """Hashes e-mail addresses that must be recognised and not read, under a key: without it nobody can try guesses."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hash(self, tenant_id: str, email_key: str) -> str:
        """Return the hex HMAC-SHA256 of an address in the form in which addresses are compared, in one tenant."""
        return hmac.new(self._secret, f"{tenant_id}\x00{email_key}".encode(), hashlib.sha256).hexdigest()


def _associated(place: tuple[str, ...]) -> bytes:
    return "\x00".join(place).encode()


class BackupCodeHasher:
    """Hashes backup codes under a key: they are short enough to be found by trying, were it a plain hash."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hash(self, tenant_id: str, user_id: str, code: str) -> str:
        """Return the hex HMAC-SHA256 of a code in the form in which codes are compared, of one user."""
        return hmac.new(self._secret, f"{tenant_id}\x00{user_id}\x00{code}".encode(), hashlib.sha256).hexdigest()
