"""Password hashes as other systems write them, turned into the forms that kit/password_hashes.py reads.

A form that is not known, and one that is and cannot be turned, is a ValueError whose message is for reports: it holds
nothing of the hash.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

UNKNOWN_ALGORITHM: Final = "Is of an algorithm that is not taken: argon2, bcrypt, scrypt and PBKDF2 are."
_BROKEN: Final = "Does not have the form that this algorithm has."
_ARGON2_VERSIONS: Final = {"1.0": 16, "1.3": 19}
_FIREBASE_PARTS: Final = 6


class FirebaseHashing(msgspec.Struct, frozen=True):
    """A Firebase project's own parameters of its scrypt, as its console shows them (Authentication, Users)."""

    signer_key: str
    salt_separator: str = "Bw=="
    rounds: int = 8
    memory_cost: int = 14


def firebase_hash(hashing: FirebaseHashing, digest: str, salt: str) -> str:
    """Return the form of a hash of Firebase's scrypt. Everything is base64."""
    separator = hashing.salt_separator or "="
    return (
        f"$firebase-scrypt$ln={hashing.memory_cost},r={hashing.rounds},ss={separator},sk={hashing.signer_key}"
        f"${salt}${digest}"
    )


def argon2_hash(kind: str, version: int, memory_kib: int, passes: int, lanes: int, salt: bytes, digest: bytes) -> str:  # noqa: PLR0913, PLR0917 - what there is in a hash
    """Return the PHC form of an argon2 hash."""
    return f"$argon2{kind}$v={version}$m={memory_kib},t={passes},p={lanes}${_base64(salt)}${_base64(digest)}"


def pbkdf2_hash(algorithm: str, iterations: int, salt: bytes, digest: bytes) -> str:
    """Return the PHC form of a PBKDF2 hash; `algorithm` is sha1, sha256 or sha512."""
    return f"$pbkdf2-{algorithm}$i={iterations}${_base64(salt)}${_base64(digest)}"


def scrypt_hash(cost: int, block_size: int, parallelism: int, salt: bytes, digest: bytes) -> str:
    """Return the PHC form of a scrypt hash; `cost` is N, a power of two."""
    if cost <= 1 or cost & (cost - 1):
        raise ValueError("The cost must be a power of two.")
    return f"$scrypt$ln={cost.bit_length() - 1},r={block_size},p={parallelism}${_base64(salt)}${_base64(digest)}"


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """Bytes as Auth0 writes them."""

    value: str
    encoding: str | None = None
    position: str | None = None


class Auth0Hash(msgspec.Struct, frozen=True, gc=False):
    """`custom_password_hash` of Auth0's bulk import. `password` says how the password was encoded: utf8, or refused."""

    algorithm: str
    hash: Encoded
    salt: Encoded | None = None
    password: dict[str, Any] | None = None
    keylen: int | None = None
    cost: int = 16_384
    blockSize: int = 8  # noqa: N815 - as it is written there
    parallelization: int = 1


def auth0_hash(found: Auth0Hash) -> str:
    """Return the form of a custom_password_hash: argon2, bcrypt and pbkdf2 come in their PHC form, scrypt in parts."""
    if found.password is not None and found.password.get("encoding", "utf8") != "utf8":
        raise ValueError("The password must have been hashed as utf8.")
    if found.algorithm in {"argon2", "bcrypt", "pbkdf2"}:
        return found.hash.value
    if found.algorithm != "scrypt":
        raise ValueError(UNKNOWN_ALGORITHM)
    salt = b"" if found.salt is None else _bytes_of(found.salt)
    return scrypt_hash(found.cost, found.blockSize, found.parallelization, salt, _bytes_of(found.hash))


def _bytes_of(encoded: Encoded) -> bytes:
    try:
        if encoded.encoding == "hex":
            return bytes.fromhex(encoded.value)
        if encoded.encoding == "base64":
            return _from_base64(encoded.value)
    except ValueError as error:
        raise ValueError(_BROKEN) from error
    if encoded.encoding not in {None, "utf8"}:
        raise ValueError("The encoding must be base64, hex or utf8.")
    return encoded.value.encode()


def clerk_hash(hasher: str | None, digest: str) -> str:
    """Return the form of a password_digest, by its password_hasher."""
    if hasher is None:
        raise ValueError("Needs a password_hasher beside it.")
    turn = _CLERK.get(hasher)
    if turn is None:
        raise ValueError(UNKNOWN_ALGORITHM)
    try:
        return turn(digest)
    except (ValueError, IndexError) as error:
        raise ValueError(_BROKEN) from error


def _same(digest: str) -> str:
    return digest


def _clerk_pbkdf2(digest: str) -> str:
    """`pbkdf2_sha256$<iterations>$<salt in base64>$<hash in base64>`."""
    name, iterations, salt, value = digest.split("$")
    return pbkdf2_hash(name.removeprefix("pbkdf2_"), int(iterations), _from_base64(salt), _from_base64(value))


def _clerk_pbkdf2_sha1(digest: str) -> str:
    """`pbkdf2_sha1$<iterations>$<salt>$<hash in hexadecimal>`."""
    _, iterations, salt, value = digest.split("$")
    return pbkdf2_hash("sha1", int(iterations), salt.encode(), bytes.fromhex(value))


def _clerk_firebase(digest: str) -> str:
    """`<hash>$<salt>$<signer key>$<salt separator>$<rounds>$<memory cost>`."""
    parts = digest.split("$")
    if len(parts) != _FIREBASE_PARTS:
        raise ValueError(_BROKEN)
    value, salt, signer_key, separator, rounds, memory_cost = parts
    return firebase_hash(FirebaseHashing(signer_key, separator, int(rounds), int(memory_cost)), value, salt)


_CLERK: Final[Mapping[str, Callable[[str], str]]] = {
    "argon2i": _same,
    "argon2id": _same,
    "bcrypt": _same,
    "bcrypt_sha256_django": _same,
    "pbkdf2_sha1": _clerk_pbkdf2_sha1,
    "pbkdf2_sha256": _clerk_pbkdf2,
    "pbkdf2_sha256_django": _same,
    "scrypt_firebase": _clerk_firebase,
    "scrypt_werkzeug": _same,
}


class KeycloakData(msgspec.Struct, frozen=True, gc=False):
    """The credentialData of a password of Keycloak."""

    hashIterations: int = 1  # noqa: N815 - as it is written there
    algorithm: str = ""
    additionalParameters: dict[str, list[str]] | None = None  # noqa: N815 - as it is written there


class KeycloakSecret(msgspec.Struct, frozen=True, gc=False):
    """The secretData of a password of Keycloak."""

    value: str = ""
    salt: str = ""


_DATA: Final = msgspec.json.Decoder(KeycloakData)
_SECRET: Final = msgspec.json.Decoder(KeycloakSecret)
_KEYCLOAK_PBKDF2: Final = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}


def keycloak_hash(credential_data: str, secret_data: str) -> str:
    """Return the form of a password credential of Keycloak, of which both parts are JSON in a text."""
    try:
        data, secret = _DATA.decode(credential_data), _SECRET.decode(secret_data)
        if data.algorithm == "bcrypt":
            return secret.value
        salt, digest = _from_base64(secret.salt), _from_base64(secret.value)
        if data.algorithm in _KEYCLOAK_PBKDF2:
            return pbkdf2_hash(_KEYCLOAK_PBKDF2[data.algorithm], data.hashIterations, salt, digest)
        if data.algorithm == "argon2":
            return _keycloak_argon2(data, salt, digest)
    except (msgspec.DecodeError, ValueError, LookupError) as error:
        raise ValueError(_BROKEN) from error
    raise ValueError(UNKNOWN_ALGORITHM)


def _keycloak_argon2(data: KeycloakData, salt: bytes, digest: bytes) -> str:
    given = {name: values[0] for name, values in (data.additionalParameters or {}).items() if values}
    version = _ARGON2_VERSIONS[given.get("version", "1.3")]
    memory, lanes = int(given["memory"]), int(given.get("parallelism", "1"))
    return argon2_hash(given.get("type", "id"), version, memory, data.hashIterations, lanes, salt, digest)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(_BROKEN) from error
