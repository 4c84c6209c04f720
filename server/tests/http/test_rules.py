"""Rules of fields: applied beside the types, and refused where they would not be applied."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.http.rules import Rules
from hellojohn_server.kit.routing import checked_by

Even = Annotated[int, Meta(extra=checked_by(lambda number: "Must be even." if number % 2 else None))]


class Inner(msgspec.Struct, frozen=True):
    size: Even = 2


class Outer(msgspec.Struct, frozen=True):
    count: Even | UnsetType | None = UNSET
    inner: Inner | None = msgspec.field(default=None, name="in")


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (Outer(), []),
        (Outer(count=None), []),
        (Outer(count=2, inner=Inner(4)), []),
        (Outer(count=3, inner=Inner(5)), ["count", "in.size"]),
    ],
)
def test_rules_of_fields_and_of_structs_within(value: Any, fields: list[str]) -> None:
    assert [fault.field for fault in Rules(Outer).faults(value)] == fields


class Listed(msgspec.Struct, frozen=True):
    items: list[Inner] = []


class Mapped(msgspec.Struct, frozen=True):
    items: dict[str, Even] = {}


class Timed(msgspec.Struct, frozen=True):
    items: Annotated[datetime, Meta(tz=True, extra=checked_by(lambda _: None))] | None = None


@pytest.mark.parametrize("declared", [Listed, Mapped, Timed])
def test_a_rule_that_would_be_skipped_is_refused(declared: type[msgspec.Struct]) -> None:
    with pytest.raises(TypeError, match="items"):
        Rules(declared)


def test_a_type_without_rules_has_none() -> None:
    class Plain(msgspec.Struct):
        name: str

    assert not Rules(Plain)
