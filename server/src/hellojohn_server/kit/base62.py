"""Base 62, which API keys and refresh tokens are written in: digits, then upper case, then lower case."""

import re
import secrets
import zlib
from typing import Final

CHECKSUM_LENGTH: Final = 6
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_TEXT: Final = re.compile(r"[0-9A-Za-z]+")


def is_base62(text: str) -> bool:
    """Say whether `text` has letters and digits of ASCII only, and at least one."""
    return _TEXT.fullmatch(text) is not None


def encode(value: int, length: int) -> str:
    """Return `value` in `length` characters, zeros first."""
    text = ""
    for _ in range((length + 1) // 2):
        value, rest = divmod(value, len(_PAIRS))
        text = _PAIRS[rest] + text
    return text[-length:]


def decode(text: str) -> int:
    """Return the number that `text` stands for; KeyError when it is not base 62."""
    value = 0
    for letter in text:
        value = value * 62 + _VALUE[letter]
    return value


def random_text(length: int) -> str:
    """Return random characters: 5.95 bits each."""
    return encode(secrets.randbelow(len(_ALPHABET) ** length), length)


def checksum_of(text: str) -> str:
    """Return the CRC-32 of `text`: it stops typos and helps secret scanners, nothing more."""
    return encode(zlib.crc32(text.encode()), CHECKSUM_LENGTH)
