"""Checking passwords: vectors that others published, each form with the right and the wrong password."""

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hellojohn_server.kit.password_check import check_password
from hellojohn_server.kit.password_hashes import BcryptHash, ParsedHash, PasswordHashError, parse_password_hash
from tests.kit.password_vectors import (
    DJANGO_SCRYPT,
    LONG,
    PBKDF2_SHA1,
    PBKDF2_SHA256,
    PBKDF2_SHA512,
    SCRYPT_EMPTY,
    SCRYPT_NACL,
    VECTORS,
    b64,
    bare,
)


def with_another_digest(parsed: ParsedHash) -> ParsedHash:
    if isinstance(parsed, BcryptHash):
        first = "a" if parsed.text[29] == "b" else "b"
        return msgspec.structs.replace(parsed, text=parsed.text[:29] + first + parsed.text[30:])
    return msgspec.structs.replace(parsed, digest=bytes([parsed.digest[0] ^ 1]) + parsed.digest[1:])


@pytest.mark.parametrize(("password", "text"), VECTORS)
def test_published_vectors(password: str, text: str) -> None:
    parsed = parse_password_hash(text)
    assert check_password(password, parsed)
    assert not check_password(f"x{password}", parsed)
    assert not check_password(password, with_another_digest(parsed))


def test_bcrypt_reads_72_bytes() -> None:
    parsed = parse_password_hash("$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui")
    assert check_password(LONG[:72], parsed)
    assert check_password(LONG[:72] + "\U0001f600", parsed)
    assert not check_password(LONG[:71], parsed)
    assert not check_password(LONG[:71] + "\U0001f600", parsed)


def test_bcrypt_after_sha256_reads_the_whole_password() -> None:
    # libxcrypt's bcrypt of the 64 hex digits of LONG's SHA-256
    parsed = parse_password_hash("bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuG4./EfpELKgafQJdSZKAGC0LZ4tOzvq")
    assert check_password(LONG, parsed)
    assert not check_password(LONG[:72], parsed)


def test_a_password_is_taken_as_it_stands() -> None:
    parsed = parse_password_hash(DJANGO_SCRYPT)
    assert check_password("l\u00e8tmein", parsed)
    assert not check_password("le\u0300tmein", parsed)


@pytest.mark.parametrize(
    "text",
    [
        f"$scrypt$ln=17,r=8,p=1${bare(b'NaCl')}${bare(SCRYPT_NACL)}",
        f"$scrypt$ln=4,r=65536,p=1${bare(b'NaCl')}${bare(SCRYPT_NACL)}",
        f"$scrypt$ln=4,r=1,p=65536${bare(b'NaCl')}${bare(SCRYPT_NACL)}",
        f"$scrypt$ln=15,r=1,p=1${bare(b'NaCl')}${bare(SCRYPT_NACL)}",
        f"$argon2id$v=19$m=131072,t=4,p=16${bare(b'saltsalt')}${bare(SCRYPT_NACL)}",
        f"$argon2id$v=16$m=8,t=1,p=1${bare(b'saltsalt')}${bare(SCRYPT_NACL + SCRYPT_NACL)}",
    ],
)
def test_what_is_at_the_edge_of_a_form_can_be_checked(text: str) -> None:
    assert not check_password("secret", parse_password_hash(text))


CHEAP = [
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q",
    "$2b$04$yjDgE74RJkeqC0/1NheSSOrvKeu9IbKDpcQf/Ox3qsrRS/Kw42qIS",
    "bcrypt_sha256$$2b$04$yjDgE74RJkeqC0/1NheSSOrvKeu9IbKDpcQf/Ox3qsrRS/Kw42qIS",
    f"$scrypt$ln=4,r=1,p=1$${bare(SCRYPT_EMPTY)}",
    f"scrypt$16$$1$1${b64(SCRYPT_EMPTY)}",
    f"scrypt:16:1:1$${SCRYPT_EMPTY.hex()}",
    f"$firebase-scrypt$ln=4,r=1,ss=Bw==,sk=Bw==$Bw==${b64(SCRYPT_EMPTY)}",
    f"$pbkdf2-sha256$i=1,l=64${bare(b'salt')}${bare(PBKDF2_SHA256)}",
    f"pbkdf2_sha1$1$salt${b64(PBKDF2_SHA1)}",
    f"pbkdf2:sha512:1$salt${PBKDF2_SHA512.hex()}",
]


@st.composite
def nearly_hashes(draw: st.DrawFn) -> str:
    """A cheap hash with up to two characters more somewhere, or up to three fewer."""
    text = draw(st.sampled_from(CHEAP))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text(max_size=2)) + text[at + draw(st.integers(0, 3)) :]


# What was taken out may have been a digit of the cost, so that a case in a thousand is slow.
@settings(deadline=None)
@given(st.text(), nearly_hashes() | st.text())
def test_whatever_is_parsed_can_be_checked(password: str, text: str) -> None:
    with contextlib.suppress(PasswordHashError):
        assert check_password(password, parse_password_hash(text)) in {True, False}
