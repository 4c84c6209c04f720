"""JSON as text: what a body may hold beyond being JSON (RFC 8259), checked exactly and mostly without parsing it twice.

msgspec takes the last of two equal keys, any depth up to the recursion limit, U+0000 and integers of any length.
`is_too_deep` and `is_plain` work in C speed; a body that is not plain is parsed again by `parse` and looked at.
"""

import codecs
import json
import math
import re
from collections import Counter
from enum import Enum
from typing import Any, Final

from hellojohn_server.kit.errors import MalformedJson

MAX_DEPTH: Final = 32
"""How deep objects and arrays may be nested."""

MAX_INTEGER: Final = (1 << 63) - 1
"""Integers beyond this, either way, fit no column and few languages."""

_ODD_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_LONG_NUMBER: Final = b"0" * 19
_TO_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?(?:"|\Z)', re.DOTALL)
"""A string, or what is left of the text where one does not end: so it takes linear time on any text."""
_TO_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_TOO_MANY: Final = b"[" * (MAX_DEPTH + 1)
_INTEGER_DIGITS: Final = 20


class Oversized(Enum):
    """Stands in parsed values where a number was that no number type holds."""

    NUMBER = "number"


class JsonObject(dict[str, Any]):
    """A parsed object. `duplicates` are the keys that came more than once."""

    duplicates: tuple[str, ...] = ()


def text_of(body: bytes) -> str:
    """Return the body as text; MalformedJson when it is empty or not bare UTF-8 (RFC 8259 section 8.1)."""
    if not body:
        raise MalformedJson("The body is empty. Send a JSON object.")
    if body.startswith(codecs.BOM_UTF8):
        raise MalformedJson("The body is not valid JSON: it starts with a byte order mark (BOM).")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not valid JSON: byte {error.start} is not UTF-8.") from error


def is_plain(body: bytes) -> bool:
    """Say whether a body surely has no escaped U+0000 or surrogate, and no huge integer."""
    return (b"\\u" not in body or _ODD_ESCAPE.search(body) is None) and _LONG_NUMBER not in body.translate(_TO_ZEROS)


def has_duplicate_keys(body: bytes, text: str) -> bool:
    """Say whether some object in `text`, which is valid JSON, has a key twice, however it is spelt."""
    if body.count(b":") < 2:  # noqa: PLR2004 - it takes two members to have a key twice
        return False
    try:
        _SCANNER.decode(text)
    except _DuplicateKey:
        return True
    return False


def is_too_deep(body: bytes) -> bool:
    """Say whether a body nests deeper than MAX_DEPTH; of one that is not JSON it may say either."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", body).translate(_TO_BRACKETS, _NOT_BRACKETS)
    if _TOO_MANY in brackets:
        return True
    for _ in range(MAX_DEPTH):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):
            return _TOO_MANY in inner
        brackets = inner
    return bool(brackets)


def parse(text: str) -> Any:
    """Return plain values: JsonObject, list, str, int, float, bool, None, and Oversized for numbers out of range.

    The text must not be too deep. Raises MalformedJson with the position (line, column, character from 0).
    """
    try:
        return _PARSER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at").removesuffix(": ")
        raise MalformedJson(
            f"The body is not valid JSON: {what} at line {error.lineno}, column {error.colno} (character {error.pos})."
        ) from error
    except RecursionError as error:
        raise MalformedJson("The body is not valid JSON: it opens brackets and does not close them.") from error


class _DuplicateKey(Exception):
    pass


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _DuplicateKey


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = JsonObject(pairs)
    if len(members) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        members.duplicates = tuple(key for key, times in counted.items() if times > 1)
    return members


def _integer(digits: str) -> int | Oversized:
    if len(digits) > _INTEGER_DIGITS:
        return Oversized.NUMBER
    number = int(digits)
    return number if abs(number) <= MAX_INTEGER else Oversized.NUMBER


def _number(digits: str) -> float | Oversized:
    number = float(digits)
    return number if math.isfinite(number) else Oversized.NUMBER


def _constant(name: str) -> Any:
    raise MalformedJson(f"The body is not valid JSON: {name} is no JSON value.")


_SCANNER: Final = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)
_PARSER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
