"""An Idempotency-Key: what the store keeps beside a command's effects, so that a retry is answered alike.

The stored answer is the command's result, sealed with AES-256-GCM under a key derived (HKDF, RFC 5869) from the
credential that was presented: neither we nor a thief of the file can read it without that credential.
"""

import hashlib
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEEP_SECONDS: Final = 86_400
_NONCE_BYTES: Final = 12


class Idempotency:
    """One request's key, and the hash of its body and query.

    `key_hash` scopes it to (tenant, credential, method, path). `used` and `replayed` are set by the store: whether a
    command ran under it, and whether its answer is the first one's. `subject_id` is set by the service: the person whom
    the answer is about, so that erasing the person destroys the record.
    """

    __slots__ = ("_seal_key", "key_hash", "replayed", "request_hash", "subject_id", "used")

    def __init__(self, *, key: str, scope: tuple[str, ...], credential: str, request: bytes) -> None:
        self.key_hash = hashlib.sha256("\x00".join((*scope, key)).encode()).hexdigest()
        self.request_hash = hashlib.sha256(request).hexdigest()
        self._seal_key = HKDF(SHA256(), 32, salt=None, info=b"hellojohn idempotency 1").derive(credential.encode())
        self.used = False
        self.replayed = False
        self.subject_id: str | None = None

    def seal(self, answer: bytes) -> bytes:
        """Return `answer` encrypted and bound to this key and request."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._seal_key).encrypt(nonce, answer, self._associated())

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; cryptography's InvalidTag when it was sealed under something else."""
        return AESGCM(self._seal_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._associated())

    def _associated(self) -> bytes:
        return f"{self.key_hash}:{self.request_hash}".encode()
