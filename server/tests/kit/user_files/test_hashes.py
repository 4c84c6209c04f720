"""Each form is turned and checked against what hashlib, bcrypt and argon2-cffi make of a password themselves."""

import base64
import hashlib
import json

import argon2.low_level
import bcrypt
import pytest

from hellojohn_server.kit.password_check import check_password
from hellojohn_server.kit.password_hashes import PasswordHashError, parse_password_hash
from hellojohn_server.kit.user_files.hashes import (
    Auth0Hash,
    Encoded,
    FirebaseHashing,
    auth0_hash,
    clerk_hash,
    firebase_hash,
    keycloak_hash,
)

_PASSWORD = "fünf Wörter und ein Punkt."
_SALT = bytes(range(16))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bare(data: bytes) -> str:
    return _base64(data).rstrip("=")


def _pbkdf2(algorithm: str, salt: bytes, length: int | None = None) -> bytes:
    return hashlib.pbkdf2_hmac(algorithm, _PASSWORD.encode(), salt, 1000, length)


_ARGON2 = argon2.low_level.hash_secret_raw(_PASSWORD.encode(), _SALT, 2, 256, 1, 32, argon2.low_level.Type.ID)
_PHC = f"$argon2id$v=19$m=256,t=2,p=1${_bare(_SALT)}${_bare(_ARGON2)}"
_PBKDF2 = f"$pbkdf2-sha1$i=1000,l=20${_bare(_SALT)}${_bare(_pbkdf2('sha1', _SALT))}"
_BCRYPT = bcrypt.hashpw(_PASSWORD.encode(), b"$2b$04$abcdefghijklmnopqrstuu").decode()
_SCRYPT = hashlib.scrypt(_PASSWORD.encode(), salt=_SALT, n=1024, r=8, p=1, dklen=64)
_WERKZEUG = hashlib.scrypt(_PASSWORD.encode(), salt=b"pepper", n=1024, r=8, p=1, dklen=64).hex()
_SHA256_FIRST = bcrypt.hashpw(
    hashlib.sha256(_PASSWORD.encode()).hexdigest().encode(), b"$2b$04$abcdefghijklmnopqrstuu"
).decode()


def _argon2_data(**changed: list[str]) -> str:
    given = {"hashLength": ["32"], "memory": ["256"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
    return json.dumps({"hashIterations": 2, "algorithm": "argon2", "additionalParameters": {**given, **changed}})


def _secret(digest: bytes, salt: bytes = _SALT) -> str:
    return json.dumps({"value": _base64(digest), "salt": _base64(salt), "additionalParameters": {}})


@pytest.mark.parametrize(
    "turned",
    [
        auth0_hash(Auth0Hash("argon2", Encoded(_PHC))),
        auth0_hash(Auth0Hash("bcrypt", Encoded(_BCRYPT))),
        auth0_hash(
            Auth0Hash("pbkdf2", Encoded(f"$pbkdf2-sha1$i=1000,l=20${_bare(_SALT)}${_bare(_pbkdf2('sha1', _SALT))}"))
        ),
        auth0_hash(
            Auth0Hash("scrypt", Encoded(_base64(_SCRYPT), "base64"), Encoded(_SALT.hex(), "hex"), cost=1024, keylen=64)
        ),
        auth0_hash(
            Auth0Hash(
                "scrypt", Encoded(_WERKZEUG, "hex"), Encoded("pepper"), {"encoding": "utf8"}, cost=1024, keylen=64
            )
        ),
        clerk_hash("argon2id", _PHC),
        clerk_hash("bcrypt", _BCRYPT),
        clerk_hash("bcrypt_sha256_django", f"bcrypt_sha256${_SHA256_FIRST}"),
        clerk_hash("pbkdf2_sha1", f"pbkdf2_sha1$1000$pepper${_pbkdf2('sha1', b'pepper').hex()}"),
        clerk_hash("pbkdf2_sha256", f"pbkdf2_sha256$1000${_base64(_SALT)}${_base64(_pbkdf2('sha256', _SALT))}"),
        clerk_hash("pbkdf2_sha256_django", f"pbkdf2_sha256$1000$pepper${_base64(_pbkdf2('sha256', b'pepper'))}"),
        clerk_hash("scrypt_werkzeug", f"scrypt:1024:8:1$pepper${_WERKZEUG}"),
        keycloak_hash(_argon2_data(), _secret(_ARGON2)),
        keycloak_hash('{"hashIterations":1000,"algorithm":"pbkdf2"}', _secret(_pbkdf2("sha1", _SALT, 64))),
        keycloak_hash('{"hashIterations":1000,"algorithm":"pbkdf2-sha256"}', _secret(_pbkdf2("sha256", _SALT, 64))),
        keycloak_hash('{"hashIterations":1000,"algorithm":"pbkdf2-sha512"}', _secret(_pbkdf2("sha512", _SALT, 64))),
        keycloak_hash('{"hashIterations":4,"algorithm":"bcrypt"}', json.dumps({"value": _BCRYPT, "salt": ""})),
    ],
)
def test_a_turned_hash_matches_its_password_and_no_other(turned: str) -> None:
    parsed = parse_password_hash(turned)
    assert check_password(_PASSWORD, parsed)
    assert not check_password("fuenf Woerter und ein Punkt.", parsed)


def test_firebase_with_and_without_a_salt_separator() -> None:
    assert firebase_hash(FirebaseHashing("c2s=", "Bw==", 8, 14), "aGFzaA==", "c2FsdA==") == (
        "$firebase-scrypt$ln=14,r=8,ss=Bw==,sk=c2s=$c2FsdA==$aGFzaA=="
    )
    digest = _base64(bytes(64))
    assert parse_password_hash(firebase_hash(FirebaseHashing("c2s=", "", 8, 14), digest, "c2FsdA=="))


@pytest.mark.parametrize(
    "turned",
    [
        firebase_hash(FirebaseHashing("c2s=", "Bw==", 8, 20), _base64(bytes(64)), "c2FsdA=="),
        keycloak_hash('{"hashIterations":5000000,"algorithm":"pbkdf2-sha512"}', _secret(bytes(64))),
        keycloak_hash(_argon2_data(memory=["4000000"]), _secret(_ARGON2)),
        auth0_hash(Auth0Hash("scrypt", Encoded("aa" * 64, "hex"), cost=2**30)),
        auth0_hash(Auth0Hash("bcrypt", Encoded("$2b$31$" + "a" * 53))),
    ],
)
def test_costs_beyond_reason_are_refused_when_the_form_is_read(turned: str) -> None:
    with pytest.raises(PasswordHashError):
        parse_password_hash(turned)


def test_what_cannot_be_turned_says_nothing_of_the_hash() -> None:
    for hasher, digest in (("md5", "secret-digest"), ("pbkdf2_sha256", "secret-digest"), (None, "secret-digest")):
        with pytest.raises(ValueError, match=r".") as refused:
            clerk_hash(hasher, digest)
        assert "secret-digest" not in str(refused.value)
