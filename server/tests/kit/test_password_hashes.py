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
    (f"$2y$15${BCRYPT_REST}", BcryptHash(f"$2y$15${BCRYPT_REST}", 15, sha256_first=False)),
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


@pytest.mark.parametrize(
    "text",
    [
        f"$2b$16${BCRYPT_REST}",
        f"$2b$99${BCRYPT_REST}",
        "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=262144,t=9,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=65536,t=1,p=17$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        f"$scrypt$ln=30,r=8,p=1${bare(SALT)}${bare(SCRYPT)}",
        f"$scrypt$ln=999,r=8,p=1${bare(SALT)}${bare(SCRYPT)}",
        f"$scrypt$ln=17,r=8,p=99999${bare(SALT)}${bare(SCRYPT)}",
        f"$scrypt$ln=1,r=8191,p=512${bare(SALT)}${bare(SCRYPT)}",
        f"$firebase-scrypt$ln=20,r=8,ss=Bw,sk=Bw${b64(SALT)}${b64(SCRYPT)}",
        f"$pbkdf2-sha256$999999999999${bare(SALT)}${bare(PBKDF2)}",
        f"$pbkdf2-sha1$2500001${bare(SALT)}${bare(PBKDF2)}",
    ],
)
def test_forms_that_ask_for_too_much_work(text: str) -> None:
    with pytest.raises(CostlyPasswordHash):
        parse_password_hash(text)


def test_the_digest_of_pbkdf2_counts_by_its_blocks() -> None:
    assert isinstance(parse_password_hash(f"$pbkdf2-sha1$2500000${bare(SALT)}${bare(PBKDF2)}"), Pbkdf2Hash)


@given(st.text(alphabet="$=,:.abcdef0123456789_-") | st.sampled_from([text for text, _ in KNOWN]).map(lambda t: t[3:]))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(PasswordHashError):
        parse_password_hash(text)
