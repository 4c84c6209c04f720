"""Why a request's values are not of their declared type: every bad field at once, for people.

msgspec decodes fast and stops at the first fault. Only after it has failed are the plain values walked here beside the
declared type. What msgspec refuses and this walk does not see is reported in msgspec's own words.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec
from msgspec import Meta, inspect

from hellojohn_server.http.declared import (
    JsonKind,
    allowed_values,
    bare_of,
    describe,
    describe_all,
    kind_of_value,
    kinds_of_type,
    members_of,
    rules_in,
)
from hellojohn_server.http.json_text import MAX_INTEGER, JsonObject, Oversized
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError

Faults: TypeAlias = Iterator[FieldError]

MAX_FAULTS: Final = 100
"""How many bad fields one answer lists."""

WHOLE_BODY: Final = "body"
"""The field that a fault of the body as a whole names."""

_MAX_NAME: Final = 64
"""Longer keys are shown cut, and get no did-you-mean."""

_NOT_ALLOWED: Final = re.compile("[\x00\ud800-\udfff]")
_PLACE: Final = re.compile(r" - at `(?:key in )?\$(.*)`$")
_ANY: Final = inspect.AnyType()
_STRING: Final = inspect.StrType()
_ANY_OBJECT: Final = inspect.type_info(dict[str, Any])


def faults_of(value: Any, declared: Any) -> list[FieldError]:
    """Return what keeps plain `value` from being of type `declared`: at most MAX_FAULTS, empty when nothing does."""
    found = list(islice(_walk(value, _info(declared), ""), MAX_FAULTS))
    return found or _in_words_of_msgspec(value, declared)


@cache
def _info(declared: Any) -> inspect.Type:
    return inspect.type_info(declared)


def near(name: str, known: Mapping[str, object]) -> str:
    """Return a sentence that suggests one of the `known` names, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7) if len(name) <= _MAX_NAME else []
    return f" Did you mean {close[0]}?" if close else ""


def shown(name: str) -> str:
    """Return a name from a request in a form that can be sent back: short, and without what text may not hold."""
    cut = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."
    return _NOT_ALLOWED.sub(lambda match: f"\\u{ord(match.group()):04x}", cut)


def why_bad(text: str) -> str | None:
    """Return why `text` is refused wherever it stands, or None."""
    bad = _NOT_ALLOWED.search(text)
    if bad is None:
        return None
    if bad.group() == "\x00":
        return "Holds U+0000, which is not allowed."
    return f"Holds \\u{ord(bad.group()):04x}, half of a surrogate pair, which is no character."


def _walk(value: Any, declared: inspect.Type, path: str) -> Faults:
    """Yield the faults of `value` against a declared type. `path` is where it stands; empty for the body itself."""
    where = path or WHOLE_BODY
    if value is Oversized.NUMBER or (type(value) is int and abs(value) > MAX_INTEGER):
        yield FieldError(where, FieldCode.OUT_OF_RANGE, "The number is too large.")
        return
    kind = kind_of_value(value)
    matching = [member for member in members_of(declared) if kind in kinds_of_type(member)]
    if not matching:
        wanted = describe_all(declared)
        yield FieldError(where, FieldCode.WRONG_TYPE, f"Must be {wanted}, not {_found(kind)}.")
        return
    clean = True
    parts = _anything if _takes_anything(bare_of(matching[0])) else _parts
    for fault in parts(value, matching[0], path):
        clean = False
        yield fault
    if clean:
        for rule in rules_in(matching[0]):
            message = rule(value)
            if message is not None:
                yield FieldError(where, FieldCode.INVALID, message)


def _takes_anything(bare: inspect.Type) -> bool:
    """Say whether a type takes every value, or as a map every object."""
    return isinstance(bare, inspect.AnyType) or bare == _ANY_OBJECT


def _anything(value: Any, declared: inspect.Type, path: str) -> Faults:
    """Yield the faults of a value that may be anything, going into no part that has none: it may have many."""
    if _is_clean(value):
        return
    if isinstance(value, str):
        yield from _text(value, declared, path or WHOLE_BODY)
    elif isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        yield from _duplicates(members, path)
        for name, member in members.items():
            if not _is_clean(name):
                yield from _text(name, _STRING, _under(path, name))
            if not _is_clean(member):
                yield from _walk(member, _ANY, _under(path, name))
    else:
        for index, member in enumerate(value):
            if not _is_clean(member):
                yield from _walk(member, _ANY, f"{path}[{index}]")


def _found(kind: JsonKind) -> str:
    return "a boolean" if kind is JsonKind.BOOLEAN else kind.value


def _parts(value: Any, declared: inspect.Type, path: str) -> Faults:
    if isinstance(value, dict):
        yield from _object(cast("dict[str, Any]", value), bare_of(declared), path)
    elif isinstance(value, list):
        yield from _array(cast("list[object]", value), bare_of(declared), path)
    elif isinstance(value, str):
        yield from _text(value, declared, path or WHOLE_BODY)
    else:
        yield from _leaf(value, declared, path or WHOLE_BODY)


def _object(value: dict[str, Any], bare: inspect.Type, path: str) -> Faults:
    yield from _duplicates(value, path)
    if isinstance(bare, inspect.StructType):
        yield from _struct(value, bare, path)
        return
    key, item = (bare.key_type, bare.value_type) if isinstance(bare, inspect.DictType) else (_STRING, _ANY)
    for name, member in value.items():
        yield from _text(name, key, _under(path, name))
        yield from _walk(member, item, _under(path, name))


def _duplicates(value: dict[str, Any], path: str) -> Faults:
    if isinstance(value, JsonObject):
        for name in value.duplicates:
            yield FieldError(_under(path, name), FieldCode.DUPLICATE, "This key stands more than once in its object.")


def _struct(value: dict[str, Any], bare: inspect.StructType, path: str) -> Faults:
    known = {field.encode_name: field for field in bare.fields}
    for name in value:
        if name not in known:
            refused = why_bad(name)
            message = refused or f"There is no such field.{near(name, known)}"
            yield FieldError(_under(path, name), FieldCode.INVALID if refused else FieldCode.UNKNOWN, message)
    for name, field in known.items():
        if name in value:
            yield from _walk(value[name], field.type, _under(path, name))
        elif field.required:
            yield FieldError(_under(path, name), FieldCode.REQUIRED, f"Is required: {describe_all(field.type)}.")


def _array(value: list[Any], bare: inspect.Type, path: str) -> Faults:
    item: inspect.Type = _ANY
    if isinstance(bare, inspect.CollectionType):
        item = bare.item_type
        if bare.max_length is not None and len(value) > bare.max_length:
            yield FieldError(path, FieldCode.TOO_LONG, f"Must be {describe(bare)}, not {len(value)}.")
            return
        if bare.min_length is not None and len(value) < bare.min_length:
            yield FieldError(path, FieldCode.OUT_OF_RANGE, f"Must be {describe(bare)}, not {len(value)}.")
    for index, member in enumerate(value):
        yield from _walk(member, item, f"{path}[{index}]")


def _text(value: str, declared: inspect.Type, where: str) -> Faults:
    refused = why_bad(value)
    if refused is not None:
        yield FieldError(where, FieldCode.INVALID, refused)
        return
    bare = bare_of(declared)
    if not isinstance(bare, inspect.StrType):
        yield from _leaf(value, declared, where)
    elif bare.max_length is not None and len(value) > bare.max_length:
        yield FieldError(
            where, FieldCode.TOO_LONG, f"Must have at most {bare.max_length} characters, not {len(value)}."
        )
    elif bare.min_length is not None and len(value) < bare.min_length:
        wanted = f"Must have at least {bare.min_length} characters, not {len(value)}."
        if value:
            yield FieldError(where, FieldCode.TOO_SHORT, wanted)
        else:
            yield FieldError(where, FieldCode.INVALID, "Must not be empty.")
    elif bare.pattern is not None and re.search(bare.pattern, value) is None:
        yield FieldError(where, FieldCode.INVALID, f"Must be {describe(declared)}.")


def _leaf(value: Any, declared: inspect.Type, where: str) -> Faults:
    """Yield a fault when a value of the right kind is none of its type's values."""
    bare = bare_of(declared)
    code = FieldCode.INVALID
    match bare:
        case inspect.IntType() | inspect.FloatType():
            good, code = _is_in_range(value, bare), FieldCode.OUT_OF_RANGE
        case inspect.EnumType() | inspect.LiteralType():
            good = value in allowed_values(bare)
        case inspect.DateTimeType():
            good = _converts(value, Annotated[datetime, Meta(tz=bare.tz)])
        case inspect.DateType():
            good = _converts(value, date)
        case _:
            good = True
    if not good:
        yield FieldError(where, code, f"Must be {describe(declared)}.")


def _is_in_range(value: float, bare: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (bare.ge is None or value >= bare.ge)
        and (bare.gt is None or value > bare.gt)
        and (bare.le is None or value <= bare.le)
        and (bare.lt is None or value < bare.lt)
    )


def _converts(value: Any, declared: Any) -> bool:
    try:
        msgspec.convert(value, declared)
    except msgspec.ValidationError:
        return False
    return True


def _is_clean(value: Any) -> bool:
    """Say whether nothing is wrong anywhere in a value that may be anything. Much faster than to walk it."""
    waiting: list[Any] = [value]
    while waiting:
        one: Any = waiting.pop()
        if isinstance(one, str):
            if _NOT_ALLOWED.search(one) is not None:
                return False
        elif isinstance(one, dict):
            if isinstance(one, JsonObject) and one.duplicates:
                return False
            members = cast("dict[str, Any]", one)
            waiting.extend(members)
            waiting.extend(members.values())
        elif isinstance(one, list):
            waiting.extend(cast("list[object]", one))
        elif one is Oversized.NUMBER:
            return False
    return True


def _in_words_of_msgspec(value: Any, declared: Any) -> list[FieldError]:
    try:
        msgspec.convert(value, declared)
    except msgspec.ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        field = place.group(1).removeprefix(".") if place else ""
        return [FieldError(field or WHOLE_BODY, FieldCode.INVALID, f"{_PLACE.sub('', text)}.")]
    return []


def _under(path: str, name: str) -> str:
    return f"{path}.{shown(name)}" if path else shown(name)
