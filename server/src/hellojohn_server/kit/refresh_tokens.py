"""The form of a refresh token: prefix, session, family, a secret of its own, and a checksum, all in base 62.

    rft_ | 22 characters: the session | 22 random: the family | 32 random: the secret | 6 characters: CRC-32

Every refresh token of a session has the same family and a new secret. Only SHA-256 of the family and of the whole
token are stored. A token whose family is the session's and which is not the one that is good now was used before:
RFC 9700 (section 4.14.2) has the session end then. Without the family nobody can end a session by guessing.
"""

import hashlib
from typing import Final

import msgspec

from hellojohn_server.kit.base62 import CHECKSUM_LENGTH, checksum_of, decode, encode, is_base62, random_text
from hellojohn_server.kit.ids import IdPrefix, decode_ulid, encode_ulid

REFRESH_PREFIX: Final = "rft_"
_SESSION_LENGTH: Final = 22
_FAMILY_LENGTH: Final = 22
_SECRET_LENGTH: Final = 32
_SESSION_END: Final = len(REFRESH_PREFIX) + _SESSION_LENGTH
_FAMILY_END: Final = _SESSION_END + _FAMILY_LENGTH
_LENGTH: Final = _FAMILY_END + _SECRET_LENGTH + CHECKSUM_LENGTH
_SESSION_HEAD: Final = f"{IdPrefix.SESSION.value}_"
_ULID_BITS: Final = 128


class RefreshToken(msgspec.Struct, frozen=True):
    """A refresh token: whose it is, and the two hashes of 32 bytes that are stored. `text` is what the client keeps."""

    text: str
    session_id: str
    family_hash: bytes
    token_hash: bytes


def make_refresh_token(session_id: str) -> RefreshToken:
    """Return the first token of a session: a new family. ValueError when `session_id` cannot have one."""
    return _compose(session_id, random_text(_FAMILY_LENGTH))


def rotate_refresh_token(used: RefreshToken) -> RefreshToken:
    """Return the token that takes the place of `used`: the same family, a new secret."""
    return _compose(used.session_id, used.text[_SESSION_END:_FAMILY_END])


def parse_refresh_token(text: str) -> RefreshToken | None:
    """Return what `text` says of itself, or None when it has not the form of a refresh token."""
    body = text[len(REFRESH_PREFIX) :]
    if len(text) != _LENGTH or not text.startswith(REFRESH_PREFIX) or not is_base62(body):
        return None
    if text[-CHECKSUM_LENGTH:] != checksum_of(text[:-CHECKSUM_LENGTH]):
        return None
    value = decode(text[len(REFRESH_PREFIX) : _SESSION_END])
    return None if value >> _ULID_BITS else _token(text, _SESSION_HEAD + encode_ulid(value))


def _compose(session_id: str, family: str) -> RefreshToken:
    head, ulid = session_id[: len(_SESSION_HEAD)], session_id[len(_SESSION_HEAD) :]
    if head != _SESSION_HEAD:
        raise ValueError("not a session id")
    unchecked = REFRESH_PREFIX + encode(decode_ulid(ulid), _SESSION_LENGTH) + family + random_text(_SECRET_LENGTH)
    return _token(unchecked + checksum_of(unchecked), session_id)


def _token(text: str, session_id: str) -> RefreshToken:
    family = text[_SESSION_END:_FAMILY_END]
    return RefreshToken(
        text,
        session_id,
        hashlib.sha256(family.encode()).digest(),
        hashlib.sha256(text.encode()).digest(),
    )
