"""The rules of fields (kit.routing.checked_by) and between them (checked_together), compiled for a type once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from msgspec import NODEFAULT, UNSET, inspect

from hellojohn_server.http.declared import bare_of, members_of, rules_in
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import FAULTY, Rule, joint_rules_of

_NAME: Final = re.compile(r"([.\[])")
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
    """A rule, the field it is for as attribute path and as it is called in the request.

    With `of_items` it is for each item of the list that the field holds.
    """

    attribute: str
    field: str
    rule: Rule
    of_items: bool = False

    def faults(self, value: Any) -> Iterator[FieldError]:
        """Yield what the rule has against the field's value."""
        named = ((f"{self.field}[{index}]", item) for index, item in enumerate(value)) if self.of_items else None
        for field, part in named or ((self.field, value),):
            message = self.rule(part)
            if message is not None:
                yield FieldError(field, FieldCode.INVALID, message)


class Rules:
    """Every rule of a type: of its own fields, and of those of the structs in it, and between its own fields."""

    def __init__(self, declared: type[msgspec.Struct]) -> None:
        found = _rules_of(inspect.type_info(declared), "", "")
        self._rules = tuple((attrgetter(each.attribute), each) for each in found)
        self._fields = msgspec.structs.fields(declared)
        self._joint = joint_rules_of(declared)

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def are_joint(self) -> bool:
        """Whether there are rules between fields."""
        return bool(self._joint)

    def faults(self, value: Any) -> list[FieldError]:
        """Return what the rules of fields have against a decoded value."""
        found: list[FieldError] = []
        for get, each in self._rules:
            part = _part(get, value)
            if part is not None and part is not UNSET:
                found.extend(each.faults(part))
        return found

    def faults_together(self, value: Any, found: Sequence[FieldError]) -> list[FieldError]:
        """Return what is wrong between the fields of a value, decoded or plain, in which `found` is wrong already."""
        if not self._joint:
            return []
        members = _members_of(value)
        if members is None:
            return []
        given = {field.encode_name: _known(field, members, found) for field in self._fields}
        said = (rule(given) for rule in self._joint)
        return [fault for fault in said if fault is not None]


def _members_of(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, msgspec.Struct):
        return {field.encode_name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _known(field: msgspec.structs.FieldInfo, members: Mapping[str, Any], found: Sequence[FieldError]) -> Any:
    """Return a field's value, or FAULTY; an object of which only members are wrong is itself, with those FAULTY."""
    parts = [_NAME.split(fault.field) for fault in found]
    return _with_faulty(_given(field, members), [path[1:] for path in parts if path[0] == field.encode_name])


def _with_faulty(value: Any, paths: Sequence[list[str]]) -> Any:
    """Return a value with FAULTY in the place of what `paths` lead to: a name, and what stands before it, by turns."""
    if not paths:
        return value
    inside = _members_of(value)
    if inside is None or any(not path or path[0] != "." for path in paths):
        return FAULTY
    names = dict.fromkeys(path[1] for path in paths)
    return {**inside} | {
        name: _with_faulty(inside.get(name), [path[2:] for path in paths if path[1] == name]) for name in names
    }


def _given(field: msgspec.structs.FieldInfo, members: Mapping[str, Any]) -> Any:
    if field.encode_name in members:
        return members[field.encode_name]
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


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
            if name and joint_rules_of(bare.cls):
                raise TypeError(f"{name}: rules between fields are applied to a body as a whole, not to a part of it")
            for field in bare.fields:
                inner = f"{attribute}.{field.name}" if attribute else field.name
                yield from _rules_of(field.type, inner, f"{name}.{field.encode_name}" if name else field.encode_name)
        elif isinstance(bare, inspect.CollectionType | inspect.DictType):
            item = bare.item_type if isinstance(bare, inspect.CollectionType) else bare.value_type
            if isinstance(bare, inspect.CollectionType) and isinstance(bare_of(item), inspect.StrType):
                yield from (_FieldRule(attribute, name, rule, of_items=True) for rule in rules_in(item))
            elif any(_rules_of(item, "item", "item")):
                raise TypeError(f"{name}: a rule deep inside a list or map is not applied; give it to the list or map")
