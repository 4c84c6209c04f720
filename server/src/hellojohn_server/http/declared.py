"""Declared types in words and in JSON's own kinds, for telling people what is wanted and what was found."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, cast

import msgspec
from msgspec import inspect

from hellojohn_server.http.json_text import Oversized
from hellojohn_server.kit.routing import RULE, Rule


class JsonKind(Enum):
    """The kinds of JSON values (RFC 8259 section 3); whole numbers are told from others."""

    ARRAY = "a list"
    BOOLEAN = "true or false"
    FRACTION = "a number with a fraction"
    NULL = "null"
    OBJECT = "an object"
    STRING = "text"
    WHOLE = "a whole number"


_EVERY_KIND: Final = frozenset(JsonKind)
_NUMBERS: Final = frozenset({JsonKind.WHOLE, JsonKind.FRACTION})
_MANY: Final = 30
"""Longer lists of allowed values are not written out."""


def kind_of_value(value: Any) -> JsonKind:
    """Return the kind of a parsed value."""
    if value is None:
        return JsonKind.NULL
    if isinstance(value, bool):
        return JsonKind.BOOLEAN
    if isinstance(value, int | Oversized):
        return JsonKind.WHOLE
    if isinstance(value, float):
        return JsonKind.FRACTION
    if isinstance(value, str):
        return JsonKind.STRING
    return JsonKind.OBJECT if isinstance(value, dict) else JsonKind.ARRAY


def kinds_of_type(declared: inspect.Type) -> frozenset[JsonKind]:
    """Return the kinds of the values of a type that is no union."""
    bare = bare_of(declared)
    match bare:
        case inspect.AnyType() | inspect.RawType():
            return _EVERY_KIND
        case inspect.NoneType():
            return frozenset({JsonKind.NULL})
        case inspect.BoolType():
            return frozenset({JsonKind.BOOLEAN})
        case inspect.IntType():
            return frozenset({JsonKind.WHOLE})
        case inspect.FloatType():
            return _NUMBERS
        case inspect.StructType() | inspect.DictType():
            return frozenset({JsonKind.OBJECT})
        case inspect.CollectionType():
            return frozenset({JsonKind.ARRAY})
        case inspect.EnumType() | inspect.LiteralType():
            return frozenset(kind_of_value(value) for value in allowed_values(bare))
        case _:
            return frozenset({JsonKind.STRING})


def members_of(declared: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return the members of a union, each with the metadata that stands around the union; else the type itself."""
    if isinstance(declared, inspect.UnionType):
        return declared.types
    if isinstance(declared, inspect.Metadata):
        return tuple(msgspec.structs.replace(declared, type=member) for member in members_of(declared.type))
    return (declared,)


def bare_of(declared: inspect.Type) -> inspect.Type:
    """Return a type without the metadata around it."""
    while isinstance(declared, inspect.Metadata):
        declared = declared.type
    return declared


def rules_in(declared: inspect.Type) -> Iterator[Rule]:
    """Yield the rules in the metadata around a type."""
    while isinstance(declared, inspect.Metadata):
        extra = cast("dict[str, Any]", declared.extra or {})  # pyright: ignore[reportUnknownMemberType] - a bare dict
        if RULE in extra:
            yield extra[RULE]
        declared = declared.type


def allowed_values(bare: inspect.Type) -> tuple[Any, ...]:
    """Return the values of an enumeration or a literal."""
    if isinstance(bare, inspect.EnumType):
        return tuple(member.value for member in bare.cls)
    return bare.values if isinstance(bare, inspect.LiteralType) else ()


def describe_all(declared: inspect.Type) -> str:
    """Return what is wanted, every member of a union: "text of 1 to 80 characters or null"."""
    return " or ".join(describe(member) for member in members_of(declared))


def describe(declared: inspect.Type) -> str:
    """Return what is wanted of a type that is no union, as it follows after "Must be"."""
    bare = bare_of(declared)
    match bare:
        case inspect.IntType():
            return f"a whole number{_bounds(bare)}"
        case inspect.FloatType():
            return f"a number{_bounds(bare)}"
        case inspect.StrType():
            return _describe_text(bare, declared)
        case inspect.DateTimeType():
            return "a time with an offset or Z (RFC 3339), such as 2024-01-20T11:00:00Z"
        case inspect.DateType():
            return "a date (RFC 3339), such as 2024-01-20"
        case inspect.CollectionType():
            return f"a list{_span(bare.min_length, bare.max_length, 'items')}"
        case inspect.EnumType() | inspect.LiteralType():
            values = [str(value) for value in allowed_values(bare)]
            return f"one of {', '.join(values)}" if len(values) <= _MANY else "one of the documented values"
        case _:
            return " or ".join(sorted(kind.value for kind in kinds_of_type(bare)))


def _describe_text(bare: inspect.StrType, declared: inspect.Type) -> str:
    if bare.pattern is not None:
        described = _description_of(declared)
        return f"text that matches {bare.pattern}" if described is None else f"text: {described}"
    return f"text{_span(bare.min_length, bare.max_length, 'characters')}"


def _description_of(declared: inspect.Type) -> str | None:
    while isinstance(declared, inspect.Metadata):
        schema = cast("dict[str, Any]", declared.extra_json_schema or {})  # pyright: ignore[reportUnknownMemberType] - so is this
        described = schema.get("description")
        if described is not None:
            return str(described)
        declared = declared.type
    return None


def _bounds(bare: inspect.IntType | inspect.FloatType) -> str:
    least = bare.ge if bare.ge is not None else bare.gt
    most = bare.le if bare.le is not None else bare.lt
    if bare.ge is not None and bare.le is not None:
        return f" from {bare.ge} to {bare.le}"
    low = "" if least is None else f" of at least {least}" if bare.ge is not None else f" above {least}"
    high = "" if most is None else f" of at most {most}" if bare.le is not None else f" below {most}"
    return f"{low} and{high}" if low and high else f"{low}{high}"


def _span(least: int | None, most: int | None, of_what: str) -> str:
    if least and most is not None:
        return f" of {least} to {most} {of_what}" if least != most else f" of {most} {of_what}"
    if most is not None:
        return f" of at most {most} {of_what}"
    return f" of at least {least} {of_what}" if least else ""
