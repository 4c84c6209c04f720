"""Hashes of other systems: the forms that are understood, made by the systems' own libraries where there is one."""

import base64
import contextlib
import hashlib

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.password_hashes import (
    Argon2Hash,
    BcryptHash,
    CostlyPasswordHash,
    FirebaseScryptHash,
    ParsedHash,
    PasswordHashError,
    Pbkdf2Hash,
    ScryptHash,
    UnknownPasswordHash,
    parse_password_hash,
)

SALT = b"0123456789abcdef"
BCRYPT_REST = "abcdefghijklmnopqrstuu5s0t1uhxKQXGJ4Z6ZyJcQ0yWvVbYfK2"[:53]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def bare(data: bytes) -> str:
    return b64(data).rstrip("=")


SCRYPT = hashlib.scrypt(b"secret", salt=SALT, n=1024, r=8, p=1, dklen=32)
PBKDF2 = hashlib.pbkdf2_hmac("sha256", b"secret", SALT, 1000)
KNOWN: list[tuple[str, ParsedHash]] = [
    (f"$2b$12${BCRYPT_REST}", BcryptHash(f"$2b$12${BCRYPT_REST}", 12, sha256_first=False)),
    (f"$2a$04${BCRYPT_REST}", BcryptHash(f"$2a$04${BCRYPT_REST}", 4, sha256_first=False)),
    (f"$2y$14${BCRYPT_REST}", BcryptHash(f"$2y$14${BCRYPT_REST}", 14, sha256_first=False)),
    (f"bcrypt$$2b$12${BCRYPT_REST}", BcryptHash(f"$2b$12${BCRYPT_REST}", 12, sha256_first=False)),
    (f"bcrypt_sha256$$2b$12${BCRYPT_REST}", BcryptHash(f"$2b$12${BCRYPT_REST}", 12, sha256_first=True)),
    (f"$scrypt$ln=10,r=8,p=1${bare(SALT)}${bare(SCRYPT)}", ScryptHash(10, 8, 1, SALT, SCRYPT)),
    (f"scrypt$1024${SALT.decode()}$8$1${b64(SCRYPT)}", ScryptHash(10, 8, 1, SALT, SCRYPT)),
    (f"scrypt:1024:8:1${SALT.decode()}${SCRYPT.hex()}", ScryptHash(10, 8, 1, SALT, SCRYPT)),
    (
        f"$firebase-scrypt$ln=14,r=8,ss={b64(b'sep')},sk={b64(b'signer')}${b64(SALT)}${b64(b'x' * 64)}",
        FirebaseScryptHash(14, 8, SALT, b"sep", b"signer", b"x" * 64),
    ),
    (f"$pbkdf2-sha256$i=1000${bare(SALT)}${bare(PBKDF2)}", Pbkdf2Hash("sha256", 1000, SALT, PBKDF2)),
    (f"$pbkdf2-sha256$i=1000,l=32${bare(SALT)}${bare(PBKDF2)}", Pbkdf2Hash("sha256", 1000, SALT, PBKDF2)),
    (
        f"$pbkdf2-sha512$1000${bare(SALT).replace('+', '.')}${bare(b'y' * 64).replace('+', '.')}",
        Pbkdf2Hash("sha512", 1000, SALT, b"y" * 64),
    ),
    (f"$pbkdf2$1000${bare(SALT)}${bare(b'z' * 20)}", Pbkdf2Hash("sha1", 1000, SALT, b"z" * 20)),
    (f"pbkdf2_sha256$1000${SALT.decode()}${b64(PBKDF2)}", Pbkdf2Hash("sha256", 1000, SALT, PBKDF2)),
    (f"pbkdf2:sha256:1000${SALT.decode()}${PBKDF2.hex()}", Pbkdf2Hash("sha256", 1000, SALT, PBKDF2)),
]


@pytest.mark.parametrize(("text", "parsed"), KNOWN)
def test_known_forms(text: str, parsed: ParsedHash) -> None:
    assert parse_password_hash(text) == parsed


@pytest.mark.parametrize("kind", list(argon2.Type))
@pytest.mark.parametrize("prefix", ["", "argon2"])
def test_argon2_in_the_librarys_own_form(kind: argon2.Type, prefix: str) -> None:
    text = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2, type=kind).hash("secret", salt=SALT)
    digest = argon2.low_level.hash_secret_raw(b"secret", SALT, 1, 64, 2, 32, kind)
    assert parse_password_hash(prefix + text) == Argon2Hash(kind, 19, 64, 1, 2, SALT, digest)


def test_bits_that_bcrypt_does_not_use_are_zero() -> None:
    parsed = parse_password_hash("$2a$04$oaQbBqq8JnSM1NHRPQGXORY4Vw3bdHKLIXTecPDRAcJ98cz1ilveR")
    assert parsed == BcryptHash("$2a$04$oaQbBqq8JnSM1NHRPQGXOOY4Vw3bdHKLIXTecPDRAcJ98cz1ilveO", 4, sha256_first=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "{SSHA}abcdef",
        "$1$salt$hash",
        f"$2x$12${BCRYPT_REST}",
        f"$2b$03${BCRYPT_REST}",
        f"$2b$12${BCRYPT_REST}x",
        f"$2b$12${BCRYPT_REST}\n",
        "$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=7,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=18$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbA$aGFzaGhhc2hoYXNoaGFzaA",
        f"$2b$\u0661\u0662${BCRYPT_REST}",
        f"$pbkdf2-sha256$1000$s\u00e4lt${bare(PBKDF2)}",
        f"$scrypt$ln=16,r=1,p=1${bare(SALT)}${bare(SCRYPT)}",
        f"$scrypt$ln=0,r=8,p=1${bare(SALT)}${bare(SCRYPT)}",
        f"scrypt$1000${SALT.decode()}$8$1${b64(SCRYPT)}",
        f"$pbkdf2-md5$1000${bare(SALT)}${bare(PBKDF2)}",
        f"$pbkdf2-sha256$0${bare(SALT)}${bare(PBKDF2)}",
        f"$pbkdf2-sha256$1000${bare(SALT)}$short",
        f"$pbkdf2-sha256$1000${bare(SALT)}$!!!!",
        f"pbkdf2:sha256:1000${SALT.decode()}$abc",
        f"$pbkdf2-sha256$1000${bare(SALT)}${bare(b'x' * 129)}",
        "$pbkdf2-sha256$1000$" + "a" * 2000,
    ],
)
def test_unknown_forms(text: str) -> None:
    with pytest.raises(UnknownPasswordHash):
        parse_password_hash(text)


def argon2_asks(memory: int, passes: int, lanes: int) -> str:
    return f"$argon2id$v=19$m={memory},t={passes},p={lanes}$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"


def scrypt_asks(log2_n: int, block_size: int, parallelism: int) -> str:
    return f"$scrypt$ln={log2_n},r={block_size},p={parallelism}${bare(SALT)}${bare(SCRYPT)}"


def firebase_asks(log2_n: int, block_size: int) -> str:
    return f"$firebase-scrypt$ln={log2_n},r={block_size},ss=Bw,sk=Bw${b64(SALT)}${b64(SCRYPT)}"


def pbkdf2_asks(algorithm: str, iterations: int, digest_bytes: int) -> str:
    return f"$pbkdf2-{algorithm}${iterations}${bare(SALT)}${bare(b'x' * digest_bytes)}"


@pytest.mark.parametrize(
    "text",
    [
        argon2_asks(131_072, 4, 16),
        argon2_asks(16_384, 32, 1),
        f"$2b$14${BCRYPT_REST}",
        scrypt_asks(17, 8, 1),
        scrypt_asks(14, 8, 8),
        scrypt_asks(4, 1, 65_536),
        f"scrypt:131072:8:1${SALT.decode()}${SCRYPT.hex()}",
        firebase_asks(17, 8),
        pbkdf2_asks("sha1", 1_500_000, 20),
        pbkdf2_asks("sha1", 750_000, 32),
        pbkdf2_asks("sha256", 1_500_000, 32),
        pbkdf2_asks("sha256", 750_000, 33),
        pbkdf2_asks("sha512", 600_000, 64),
        pbkdf2_asks("sha512", 300_000, 65),
    ],
)
def test_the_most_that_may_be_asked(text: str) -> None:
    parse_password_hash(text)


ARGON2_MEMORY = "at most 131,072 KiB of memory for argon2"
ARGON2_WORK = "at most 524,288 KiB of memory times passes for argon2"
SCRYPT_WORK = "at most 131,072 KiB of memory times parallelism (128 * N * r * p bytes) for scrypt"
PBKDF2_WORK = "at most {} iterations times blocks of the hash for PBKDF2 with {}"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (argon2_asks(131_073, 1, 1), ARGON2_MEMORY),
        (argon2_asks(999_999_999, 1, 1), ARGON2_MEMORY),
        (argon2_asks(131_072, 5, 1), ARGON2_WORK),
        (argon2_asks(64, 33, 1), "at most 32 passes for argon2"),
        (argon2_asks(65_536, 1, 17), "at most 16 lanes for argon2"),
        (f"$2b$15${BCRYPT_REST}", "at most 14 as the cost of bcrypt"),
        (f"$2b$99${BCRYPT_REST}", "at most 14 as the cost of bcrypt"),
        (scrypt_asks(17, 8, 2), SCRYPT_WORK),
        (scrypt_asks(18, 8, 1), SCRYPT_WORK),
        (scrypt_asks(999, 8, 1), SCRYPT_WORK),
        (scrypt_asks(4, 1, 65_537), SCRYPT_WORK),
        (scrypt_asks(3, 8, 1), "at least 16 as N for scrypt"),
        (f"scrypt$131072${SALT.decode()}$8$2${b64(SCRYPT)}", SCRYPT_WORK),
        (firebase_asks(18, 8), SCRYPT_WORK),
        (firebase_asks(3, 8), "at least 16 as N for scrypt"),
        (pbkdf2_asks("sha1", 1_500_001, 20), PBKDF2_WORK.format("1,500,000", "sha1")),
        (pbkdf2_asks("sha1", 750_001, 32), PBKDF2_WORK.format("1,500,000", "sha1")),
        (pbkdf2_asks("sha256", 1_500_001, 32), PBKDF2_WORK.format("1,500,000", "sha256")),
        (pbkdf2_asks("sha256", 999_999_999_999, 32), PBKDF2_WORK.format("1,500,000", "sha256")),
        (pbkdf2_asks("sha512", 600_001, 64), PBKDF2_WORK.format("600,000", "sha512")),
        (pbkdf2_asks("sha512", 300_001, 65), PBKDF2_WORK.format("600,000", "sha512")),
    ],
)
def test_what_asks_for_more_is_refused_with_the_limit(text: str, limit: str) -> None:
    with pytest.raises(CostlyPasswordHash) as refused:
        parse_password_hash(text)
    assert str(refused.value) == limit


@given(st.text(alphabet="$=,:.abcdef0123456789_-") | st.sampled_from([text for text, _ in KNOWN]).map(lambda t: t[3:]))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(PasswordHashError):
        parse_password_hash(text)
