"""The form of an API key: prefix, tenant (its 128 bits), 32 random characters, and a checksum, all in base 62.

    sk_live_ | 22 characters: the tenant | 32 random characters (190 bits) | 6 characters: CRC-32 of all before them

The checksum stops typos and helps secret scanners, nothing more. Only SHA-256 of the whole key is stored: the key is
random enough that no slow hash is needed. docs/tenants-and-keys.md publishes a test vector.
"""

import hashlib
import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from hellojohn_server.kit.base62 import CHECKSUM_LENGTH, checksum_of, decode, encode, random_text
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, decode_ulid, encode_ulid
from hellojohn_server.kit.principal import CredentialKind


class Environment(StrEnum):
    """What a tenant is for. A test key opens only a test tenant, a live key only a live one."""

    LIVE = "live"
    TEST = "test"


class ParsedKey(msgspec.Struct, frozen=True):
    """What a well-formed key says of itself. Whether such a key was ever made, only the store knows.

    `tenant_id` is CONTROL_TENANT_ID for a master key, and only for one. `key_hash` is SHA-256 of the key, 32 bytes.
    """

    kind: CredentialKind
    environment: Environment
    tenant_id: str
    key_hash: bytes


KEY_PREFIXES: Final[dict[str, tuple[CredentialKind, Environment]]] = {
    "mk_live_": (CredentialKind.MASTER_KEY, Environment.LIVE),
    "pk_live_": (CredentialKind.PUBLISHABLE_KEY, Environment.LIVE),
    "pk_test_": (CredentialKind.PUBLISHABLE_KEY, Environment.TEST),
    "sk_live_": (CredentialKind.SECRET_KEY, Environment.LIVE),
    "sk_test_": (CredentialKind.SECRET_KEY, Environment.TEST),
}
"""What a key starts with. Every prefix has the same length."""

_PREFIX_LENGTH: Final = 8
_TENANT_LENGTH: Final = 22
_RANDOM_LENGTH: Final = 32
_TENANT_END: Final = _PREFIX_LENGTH + _TENANT_LENGTH
_TENANT_HEAD: Final = f"{IdPrefix.TENANT.value}_"
_TENANT_BITS: Final = 128
_BODY: Final = re.compile(rf"[0-9A-Za-z]{{{_TENANT_LENGTH + _RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
_HINT_LENGTH: Final = 4


def make_key(kind: CredentialKind, environment: Environment, tenant_id: str) -> tuple[str, ParsedKey, str]:
    """Return a new key, what is stored of it, and its hint (prefix and last four characters, safe to show).

    ValueError for a kind that has no keys, and for a master key of anything but CONTROL_TENANT_ID.
    """
    key = compose_key(_prefix_of(kind, environment), tenant_id, random_text(_RANDOM_LENGTH))
    parsed = parse_key(key)
    if parsed is None:
        raise ValueError(f"no {kind.value} can belong to {tenant_id}")
    return key, parsed, hint_of(key)


def compose_key(prefix: str, tenant_id: str, random: str) -> str:
    """Return the key with these parts and its checksum. ValueError when `tenant_id` is no tenant id."""
    head, ulid = tenant_id[: len(_TENANT_HEAD)], tenant_id[len(_TENANT_HEAD) :]
    if head != _TENANT_HEAD:
        raise ValueError("not a tenant id")
    unchecked = prefix + encode(decode_ulid(ulid), _TENANT_LENGTH) + random
    return unchecked + checksum_of(unchecked)


def parse_key(text: str) -> ParsedKey | None:
    """Return what `text` says of itself, or None when it is not a key of ours: its form or its checksum is wrong."""
    claimed = KEY_PREFIXES.get(text[:_PREFIX_LENGTH])
    if claimed is None or not _BODY.fullmatch(text, _PREFIX_LENGTH):
        return None
    if text[-CHECKSUM_LENGTH:] != checksum_of(text[:-CHECKSUM_LENGTH]):
        return None
    kind, environment = claimed
    tenant_id = _tenant_of(text[_PREFIX_LENGTH:_TENANT_END])
    if tenant_id is None or (kind is CredentialKind.MASTER_KEY) != (tenant_id == CONTROL_TENANT_ID):
        return None
    return ParsedKey(kind, environment, tenant_id, hashlib.sha256(text.encode()).digest())


def claimed_kind(text: str) -> CredentialKind | None:
    """Return the kind of key that `text` starts like, whether or not the rest is well formed; None for other texts."""
    claimed = KEY_PREFIXES.get(text[:_PREFIX_LENGTH])
    return None if claimed is None else claimed[0]


def hint_of(key: str) -> str:
    """Return what may be shown of a key afterwards: its prefix and its last four characters."""
    return f"{key[:_PREFIX_LENGTH]}…{key[-_HINT_LENGTH:]}"


def _prefix_of(kind: CredentialKind, environment: Environment) -> str:
    for prefix, claimed in KEY_PREFIXES.items():
        if claimed == (kind, environment):
            return prefix
    raise ValueError(f"there is no {environment.value} {kind.value}")


@lru_cache(maxsize=1024)
def _tenant_of(part: str) -> str | None:
    value = decode(part)
    return None if value >> _TENANT_BITS else _TENANT_HEAD + encode_ulid(value)
