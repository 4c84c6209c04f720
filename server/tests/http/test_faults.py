"""Faults of types that the operations of the other tests do not have."""

from datetime import date
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from hellojohn_server.http.faults import faults_of


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    low: int = 0
    high: int = 9

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


class Rare(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    even: Annotated[int, Meta(multiple_of=2)] = 0
    above: Annotated[int, Meta(gt=3)] = 4
    between: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    day: date | None = None
    counts: dict[str, int] = {}
    short_keys: dict[Annotated[str, Meta(max_length=2)], Any] = {}
    pair: Annotated[list[int], Meta(min_length=2, max_length=2)] = []
    many: Annotated[list[int], Meta(min_length=1)] = []
    long: Annotated[str, Meta(min_length=3)] = "abc"
    bare_pattern: Annotated[str, Meta(pattern="^a$")] = "a"
    span: Span = Span()
    anything: Any = None


@pytest.mark.parametrize(
    ("value", "field", "code", "message"),
    [
        ({"even": 3}, "even", "invalid", "Expected `int` that's a multiple of 2."),
        ({"above": 3}, "above", "out_of_range", "Must be a whole number above 3."),
        ({"between": 1}, "between", "out_of_range", "Must be a number above 0 and below 1."),
        ({"day": "x"}, "day", "invalid", "Must be a date (RFC 3339), such as 2024-01-20."),
        ({"counts": {"a": "b"}}, "counts.a", "wrong_type", "Must be a whole number, not text."),
        ({"short_keys": {"abc": 1}}, "short_keys.abc", "too_long", "Must have at most 2 characters, not 3."),
        ({"pair": [1]}, "pair", "out_of_range", "Must be a list of 2 items, not 1."),
        ({"many": []}, "many", "out_of_range", "Must be a list of at least 1 items, not 0."),
        ({"many": None}, "many", "wrong_type", "Must be a list of at least 1 items, not null."),
        ({"long": "ab"}, "long", "too_short", "Must have at least 3 characters, not 2."),
        ({"bare_pattern": "b"}, "bare_pattern", "invalid", "Must be text that matches ^a$."),
        ({"span": {"low": 5, "high": 2}}, "span", "invalid", "low is above high."),
        ({"anything": "\x00"}, "anything", "invalid", "Holds U+0000, which is not allowed."),
        ({"counts": True}, "counts", "wrong_type", "Must be an object, not a boolean."),
        ({"above": 4.5}, "above", "wrong_type", "Must be a whole number above 3, not a number with a fraction."),
    ],
)  # fmt: skip
def test_each_fault_is_named_in_words(value: Any, field: str, code: str, message: str) -> None:
    [fault] = faults_of(value, Rare)
    assert (fault.field, fault.code.value, fault.message) == (field, code, message)


def test_a_good_value_has_none() -> None:
    assert faults_of({"even": 2, "day": "2024-01-20", "counts": {"a": 1}, "anything": [{"b": None}]}, Rare) == []
