"""The rules of fields (kit.routing.checked_by), compiled for a type once and applied to what was decoded."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import UNSET, inspect

from hellojohn_server.http.declared import bare_of, members_of, rules_in
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import Rule

_PLAIN: Final = (
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.CollectionType,
    inspect.DictType,
    inspect.AnyType,
)
"""What is the same value as JSON and decoded: a rule is applied to either."""


class _FieldRule(msgspec.Struct, frozen=True):
    """A rule, the field it is for as attribute path and as it is called in the request."""

    attribute: str
    field: str
    rule: Rule


class Rules:
    """Every rule of a type: of its own fields, and of those of the structs in it."""

    def __init__(self, declared: type[msgspec.Struct]) -> None:
        found = _rules_of(inspect.type_info(declared), "", "")
        self._rules = tuple((attrgetter(each.attribute), each) for each in found)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def faults(self, value: Any) -> list[FieldError]:
        """Return what the rules have against a decoded value."""
        found: list[FieldError] = []
        for get, each in self._rules:
            part = _part(get, value)
            message = None if part is None or part is UNSET else each.rule(part)
            if message is not None:
                found.append(FieldError(each.field, FieldCode.INVALID, message))
        return found


def _part(get: Any, value: Any) -> Any:
    try:
        return get(value)
    except AttributeError:  # a struct on the way is absent or null
        return None


def _rules_of(info: inspect.Type, attribute: str, name: str) -> Iterator[_FieldRule]:
    """Yield the rules in a type. TypeError for one that would not be applied."""
    for member in members_of(info):
        for rule in rules_in(member):
            if not attribute or not isinstance(bare_of(member), _PLAIN):
                raise TypeError(f"{name}: a rule belongs to a field that is text, a number, a list or a map")
            yield _FieldRule(attribute, name, rule)
        bare = bare_of(member)
        if isinstance(bare, inspect.StructType):
            for field in bare.fields:
                inner = f"{attribute}.{field.name}" if attribute else field.name
                yield from _rules_of(field.type, inner, f"{name}.{field.encode_name}" if name else field.encode_name)
        elif isinstance(bare, inspect.CollectionType | inspect.DictType):
            item = bare.item_type if isinstance(bare, inspect.CollectionType) else bare.value_type
            if any(_rules_of(item, "item", "item")):
                raise TypeError(f"{name}: a rule inside a list or map is not applied; give it to the list or map")
