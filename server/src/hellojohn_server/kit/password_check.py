"""Checking a password against a parsed hash: plain functions, which a caller runs in a thread.

argon2-cffi, bcrypt, and hashlib's scrypt and pbkdf2_hmac release the GIL while they work, so the event loop goes on.
What cannot be done for want of memory is raised, and is not the answer that a password is wrong.
"""

import hashlib
from hmac import compare_digest
from typing import Final

import argon2
import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from hellojohn_server.kit.password_hashes import (
    Argon2Hash,
    BcryptHash,
    FirebaseScryptHash,
    ParsedHash,
    Pbkdf2Hash,
    ScryptHash,
)

_BCRYPT_MAX_BYTES: Final = 72
"""bcrypt reads no more of a password; the library refuses what others cut off."""
_FIREBASE_KEY_BYTES: Final = 32
_FIREBASE_COUNTER: Final = bytes(16)


def check_password(password: str, parsed: ParsedHash) -> bool:
    """Return whether `parsed` was made from the UTF-8 of `password` as it stands; compares in constant time."""
    secret = password.encode()
    match parsed:
        case Argon2Hash():
            return compare_digest(_argon2(secret, parsed), parsed.digest)
        case BcryptHash():
            return compare_digest(_bcrypt(secret, parsed), parsed.text.encode())
        case ScryptHash():
            return compare_digest(_scrypt(secret, parsed), parsed.digest)
        case FirebaseScryptHash():
            return compare_digest(_firebase(secret, parsed), parsed.digest)
        case Pbkdf2Hash():
            return compare_digest(_pbkdf2(secret, parsed), parsed.digest)


def _argon2(secret: bytes, parsed: Argon2Hash) -> bytes:
    return argon2.low_level.hash_secret_raw(
        secret,
        parsed.salt,
        time_cost=parsed.passes,
        memory_cost=parsed.memory_kib,
        parallelism=parsed.lanes,
        hash_len=len(parsed.digest),
        type=parsed.kind,
        version=parsed.version,
    )


def _bcrypt(secret: bytes, parsed: BcryptHash) -> bytes:
    """With Django's bcrypt_sha256 the hex digits of SHA-256 are the password."""
    if parsed.sha256_first:
        secret = hashlib.sha256(secret).hexdigest().encode()
    return bcrypt.hashpw(secret[:_BCRYPT_MAX_BYTES], parsed.text.encode())


def _scrypt(secret: bytes, parsed: ScryptHash) -> bytes:
    n = 1 << parsed.log2_n
    # What OpenSSL counts: N + 2 blocks, and one for each lane. Without a limit of ours it stops at 32 MiB.
    memory_bytes = 128 * parsed.block_size * (n + 2 + parsed.parallelism)
    return hashlib.scrypt(
        secret,
        salt=parsed.salt,
        n=n,
        r=parsed.block_size,
        p=parsed.parallelism,
        maxmem=memory_bytes,
        dklen=len(parsed.digest),
    )


def _firebase(secret: bytes, parsed: FirebaseScryptHash) -> bytes:
    """https://github.com/firebase/scrypt: AES-256-CTR from a counter of zero, under the first 32 derived bytes."""
    salt = parsed.salt + parsed.separator
    key = _scrypt(secret, ScryptHash(parsed.log2_n, parsed.block_size, 1, salt, bytes(_FIREBASE_KEY_BYTES)))
    encryptor = Cipher(AES(key), CTR(_FIREBASE_COUNTER)).encryptor()
    return encryptor.update(parsed.signer_key) + encryptor.finalize()


def _pbkdf2(secret: bytes, parsed: Pbkdf2Hash) -> bytes:
    return hashlib.pbkdf2_hmac(parsed.algorithm, secret, parsed.salt, parsed.iterations, len(parsed.digest))
