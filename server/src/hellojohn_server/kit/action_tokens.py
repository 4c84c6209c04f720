"""The form of the secret in a mailed link: prefix, tenant, 32 random characters, and a checksum, all in base 62.

    act_ | 22 characters: the tenant (its 128 bits) | 32 random characters (190 bits) | 6 characters: CRC-32

It names its tenant, so that a page which is opened from a mail needs nothing else. Only SHA-256 of it is stored.
"""

import hashlib
from typing import Final

import msgspec

from hellojohn_server.kit.api_keys import compose_key
from hellojohn_server.kit.base62 import CHECKSUM_LENGTH, checksum_of, decode, is_base62, random_text
from hellojohn_server.kit.ids import IdPrefix, encode_ulid

ACTION_PREFIX: Final = "act_"
ACTION_TOKEN_LENGTH: Final = 64
_TENANT_LENGTH: Final = 22
_TENANT_END: Final = len(ACTION_PREFIX) + _TENANT_LENGTH
_RANDOM_LENGTH: Final = ACTION_TOKEN_LENGTH - _TENANT_END - CHECKSUM_LENGTH
_ULID_BITS: Final = 128


class ActionToken(msgspec.Struct, frozen=True):
    """The secret of a link: whose tenant it names, and the hash of 32 bytes that is stored. `text` is in the link."""

    text: str
    tenant_id: str
    token_hash: bytes


def make_action_token(tenant_id: str) -> ActionToken:
    """Return a new secret for a tenant. ValueError when `tenant_id` is no tenant id."""
    return _token(compose_key(ACTION_PREFIX, tenant_id, random_text(_RANDOM_LENGTH)), tenant_id)


def parse_action_token(text: str) -> ActionToken | None:
    """Return what `text` says of itself, or None when it has not the form of such a secret."""
    if len(text) != ACTION_TOKEN_LENGTH or not text.startswith(ACTION_PREFIX):
        return None
    if not is_base62(text[len(ACTION_PREFIX) :]) or text[-CHECKSUM_LENGTH:] != checksum_of(text[:-CHECKSUM_LENGTH]):
        return None
    value = decode(text[len(ACTION_PREFIX) : _TENANT_END])
    return None if value >> _ULID_BITS else _token(text, f"{IdPrefix.TENANT.value}_{encode_ulid(value)}")


def _token(text: str, tenant_id: str) -> ActionToken:
    return ActionToken(text, tenant_id, hashlib.sha256(text.encode()).digest())
