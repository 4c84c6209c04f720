"""Password hashes that other systems made: which forms are understood, and how much work each may ask of us.

- argon2 (RFC 9106): `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>`; Django's `argon2$argon2id$...`
- bcrypt: `$2a$` `$2b$` `$2y$`, the cost, 53 characters; Django's with `bcrypt$` or `bcrypt_sha256$` before it
- scrypt (RFC 7914): `$scrypt$ln=16,r=8,p=1$<salt>$<hash>`; Django's `scrypt$16384$<salt>$8$1$<hash>`; Werkzeug's
  `scrypt:32768:8:1$<salt>$<hex>`
- scrypt as Firebase has it: `$firebase-scrypt$ln=14,r=8,ss=<salt separator>,sk=<signer key>$<salt>$<hash>`
- PBKDF2 (RFC 8018): `$pbkdf2-sha256$i=600000$<salt>$<hash>`; passlib's `$pbkdf2-sha256$29000$...`; Django's
  `pbkdf2_sha256$600000$<salt>$<hash>`; Werkzeug's `pbkdf2:sha256:600000$<salt>$<hex>`; with sha1 and sha512 too

In the `$` forms (PHC string format) salt and hash are base64, with or without padding.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final, TypeAlias

import argon2
import msgspec

MAX_TEXT: Final = 1024
"""The longest hash text that is looked at, in characters."""
MAX_ARGON2_MEMORY_KIB: Final = 131_072
MAX_ARGON2_WORK_KIB: Final = 524_288
"""argon2: memory times passes."""
MAX_ARGON2_PASSES: Final = 32
MAX_ARGON2_LANES: Final = 16
MIN_BCRYPT_COST: Final = 4
MAX_BCRYPT_COST: Final = 14
MIN_SCRYPT_LOG2_N: Final = 4
"""scrypt: with fewer blocks, what is done once for each lane is most of the work, and the memory does not tell it."""
MAX_SCRYPT_WORK_KIB: Final = 131_072
"""scrypt: the memory of N blocks times the parallelism, which runs one after another."""
MAX_PBKDF2_ITERATIONS: Final = {"sha1": 1_500_000, "sha256": 1_500_000, "sha512": 600_000}
"""PBKDF2: iterations of each block of the digest, which run one after another."""
_MIN_DIGEST: Final = 16
_MAX_DIGEST: Final = 128
_MIN_ARGON2_SALT: Final = 8
_BLOCKS_IN_KIB: Final = 8
"""scrypt: a block is 128 bytes times the block size."""
_BCRYPT_ALPHABET: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT_SALT_END: Final = 29


class PasswordHashError(ValueError):
    """A hash that cannot be taken over."""


class UnknownPasswordHash(PasswordHashError):
    """The text has none of the forms that are understood."""


class CostlyPasswordHash(PasswordHashError):
    """The form is understood, and checking a password against it would take more than it may; says what it may."""


class Argon2Hash(msgspec.Struct, frozen=True):
    """`version` is 16 (0x10) or 19 (0x13)."""

    kind: argon2.Type
    version: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    digest: bytes


class BcryptHash(msgspec.Struct, frozen=True):
    """`text` is the 60 characters of bcrypt, with unused bits zero.

    With `sha256_first` the password goes in as the hex of its SHA-256.
    """

    text: str
    cost: int
    sha256_first: bool


class ScryptHash(msgspec.Struct, frozen=True):
    """N is 2 to the power `log2_n`."""

    log2_n: int
    block_size: int
    parallelism: int
    salt: bytes
    digest: bytes


class FirebaseScryptHash(msgspec.Struct, frozen=True):
    """Firebase's scrypt: the derived key (of salt + separator) encrypts the signer key, and that is the hash."""

    log2_n: int
    block_size: int
    salt: bytes
    separator: bytes
    signer_key: bytes
    digest: bytes


class Pbkdf2Hash(msgspec.Struct, frozen=True):
    """`algorithm` is hashlib's name of the digest under HMAC."""

    algorithm: str
    iterations: int
    salt: bytes
    digest: bytes


ParsedHash: TypeAlias = Argon2Hash | BcryptHash | ScryptHash | FirebaseScryptHash | Pbkdf2Hash

_ARGON2: Final = re.compile(
    r"(?:argon2)?\$argon2(id|i|d)\$v=(16|19)\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,4})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)
_ARGON2_KINDS: Final = {"id": argon2.Type.ID, "i": argon2.Type.I, "d": argon2.Type.D}
_BCRYPT: Final = re.compile(r"(?:bcrypt(_sha256)?\$)?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})", re.ASCII)
_SCRYPT_PHC: Final = re.compile(r"\$scrypt\$ln=(\d{1,3}),r=(\d{1,5}),p=(\d{1,5})\$([^$]*)\$([^$]+)", re.ASCII)
_SCRYPT_DJANGO: Final = re.compile(r"scrypt\$(\d{1,12})\$([^$]*)\$(\d{1,5})\$(\d{1,5})\$([^$]+)", re.ASCII)
_SCRYPT_WERKZEUG: Final = re.compile(r"scrypt:(\d{1,12}):(\d{1,5}):(\d{1,5})\$([^$]*)\$([0-9a-f]+)", re.ASCII)
_FIREBASE: Final = re.compile(
    r"\$firebase-scrypt\$ln=(\d{1,3}),r=(\d{1,5}),ss=([A-Za-z0-9+/_=-]+),sk=([A-Za-z0-9+/_=-]+)\$([^$]+)\$([^$]+)",
    re.ASCII,
)
_PBKDF2_PHC: Final = re.compile(
    r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,12})(?:,l=\d{1,4})?\$([^$]*)\$([^$]+)",
    re.ASCII,
)
_PBKDF2_DJANGO: Final = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,12})\$([^$]*)\$([^$]+)", re.ASCII)
_PBKDF2_WERKZEUG: Final = re.compile(r"pbkdf2:(sha1|sha256|sha512):(\d{1,12})\$([^$]*)\$([0-9a-f]+)", re.ASCII)


def parse_password_hash(text: str) -> ParsedHash:
    """Return what `text` says; UnknownPasswordHash when it has no known form, CostlyPasswordHash for too much work."""
    if len(text) <= MAX_TEXT:
        for form, read in _FORMS:
            match = form.fullmatch(text)
            if match is not None:
                return read(match)
    raise UnknownPasswordHash("not a hash of a known form")


def _argon2(match: re.Match[str]) -> ParsedHash:
    memory, passes, lanes = int(match[3]), int(match[4]), int(match[5])
    salt, digest = _base64(match[6]), _digest(_base64(match[7]))
    _require(holds=passes >= 1 and lanes >= 1 and memory >= 8 * lanes and len(salt) >= _MIN_ARGON2_SALT)
    _limit(memory, MAX_ARGON2_MEMORY_KIB, "KiB of memory for argon2")
    _limit(memory * passes, MAX_ARGON2_WORK_KIB, "KiB of memory times passes for argon2")
    _limit(passes, MAX_ARGON2_PASSES, "passes for argon2")
    _limit(lanes, MAX_ARGON2_LANES, "lanes for argon2")
    return Argon2Hash(_ARGON2_KINDS[match[1]], int(match[2]), memory, passes, lanes, salt, digest)


def _bcrypt(match: re.Match[str]) -> ParsedHash:
    cost = int(match[3])
    _require(holds=cost >= MIN_BCRYPT_COST)
    _limit(cost, MAX_BCRYPT_COST, "as the cost of bcrypt")
    return BcryptHash(_zero_unused_bits(match[2]), cost, sha256_first=match[1] is not None)


def _zero_unused_bits(text: str) -> str:
    """Return `text` as bcrypt writes it: old libraries left bits in the last character of salt and digest."""
    last_of_salt, last = (_BCRYPT_ALPHABET.index(text[at]) for at in (_BCRYPT_SALT_END - 1, -1))
    salt = text[: _BCRYPT_SALT_END - 1] + _BCRYPT_ALPHABET[last_of_salt & 0b110000]
    return salt + text[_BCRYPT_SALT_END:-1] + _BCRYPT_ALPHABET[last & 0b111100]


def _scrypt_phc(match: re.Match[str]) -> ParsedHash:
    log2_n, block_size, parallelism = int(match[1]), int(match[2]), int(match[3])
    return _scrypt(log2_n, block_size, parallelism, _base64(match[4]), _base64(match[5]))


def _scrypt_django(match: re.Match[str]) -> ParsedHash:
    return _scrypt(_log2(int(match[1])), int(match[3]), int(match[4]), match[2].encode(), _base64(match[5]))


def _scrypt_werkzeug(match: re.Match[str]) -> ParsedHash:
    return _scrypt(_log2(int(match[1])), int(match[2]), int(match[3]), match[4].encode(), _hex(match[5]))


def _scrypt(log2_n: int, block_size: int, parallelism: int, salt: bytes, digest: bytes) -> ScryptHash:
    _limit_scrypt(log2_n, block_size, parallelism)
    return ScryptHash(log2_n, block_size, parallelism, salt, _digest(digest))


def _firebase(match: re.Match[str]) -> ParsedHash:
    log2_n, block_size = int(match[1]), int(match[2])
    _limit_scrypt(log2_n, block_size, 1)
    separator, signer_key, salt = _base64(match[3]), _base64(match[4]), _base64(match[5])
    return FirebaseScryptHash(log2_n, block_size, salt, separator, signer_key, _digest(_base64(match[6])))


def _pbkdf2_phc(match: re.Match[str]) -> ParsedHash:
    return _pbkdf2(match[1] or "sha1", int(match[2]), _base64(match[3]), _base64(match[4]))


def _pbkdf2_django(match: re.Match[str]) -> ParsedHash:
    return _pbkdf2(match[1], int(match[2]), match[3].encode(), _base64(match[4]))


def _pbkdf2_werkzeug(match: re.Match[str]) -> ParsedHash:
    return _pbkdf2(match[1], int(match[2]), match[3].encode(), _hex(match[4]))


def _pbkdf2(algorithm: str, iterations: int, salt: bytes, digest: bytes) -> Pbkdf2Hash:
    _require(holds=iterations >= 1)
    blocks = -(-len(digest) // hashlib.new(algorithm).digest_size)
    most = MAX_PBKDF2_ITERATIONS[algorithm]
    _limit(iterations * blocks, most, f"iterations times blocks of the hash for PBKDF2 with {algorithm}")
    return Pbkdf2Hash(algorithm, iterations, salt, _digest(digest))


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], ParsedHash]], ...]] = (
    (_ARGON2, _argon2),
    (_BCRYPT, _bcrypt),
    (_SCRYPT_PHC, _scrypt_phc),
    (_SCRYPT_DJANGO, _scrypt_django),
    (_SCRYPT_WERKZEUG, _scrypt_werkzeug),
    (_FIREBASE, _firebase),
    (_PBKDF2_PHC, _pbkdf2_phc),
    (_PBKDF2_DJANGO, _pbkdf2_django),
    (_PBKDF2_WERKZEUG, _pbkdf2_werkzeug),
)


def _require(*, holds: bool) -> None:
    if not holds:
        raise UnknownPasswordHash("a parameter is out of the form's own range")


def _limit(value: int, most: int, of_what: str) -> None:
    if value > most:
        raise CostlyPasswordHash(f"at most {most:,} {of_what}")


def _limit_scrypt(log2_n: int, block_size: int, parallelism: int) -> None:
    _require(holds=log2_n >= 1 and block_size >= 1 and parallelism >= 1)
    work = (block_size * parallelism << log2_n) // _BLOCKS_IN_KIB
    _limit(work, MAX_SCRYPT_WORK_KIB, "KiB of memory times parallelism (128 * N * r * p bytes) for scrypt")
    _require(holds=log2_n < 16 * block_size)
    if log2_n < MIN_SCRYPT_LOG2_N:
        raise CostlyPasswordHash(f"at least {1 << MIN_SCRYPT_LOG2_N} as N for scrypt")


def _log2(number: int) -> int:
    _require(holds=number > 1 and number & (number - 1) == 0)
    return number.bit_length() - 1


def _base64(text: str) -> bytes:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/").replace(".", "+")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as error:
        raise UnknownPasswordHash("not base64") from error


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UnknownPasswordHash("not hexadecimal") from error


def _digest(digest: bytes) -> bytes:
    _require(holds=_MIN_DIGEST <= len(digest) <= _MAX_DIGEST)
    return digest
