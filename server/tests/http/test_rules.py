"""Rules of fields and between them: applied beside the types, and refused where they would not be applied."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.http.boundary import BodyReader, QueryReader
from hellojohn_server.http.rules import Rules
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import FAULTY, checked_by, checked_together, faults_together

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


class Tagged(msgspec.Struct, frozen=True):
    tags: list[Annotated[str, Meta(extra=checked_by(lambda text: "Must not shout." if text.isupper() else None))]] = []
    others: list[str] | None = None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"{}", []),
        (b'{"tags":[]}', []),
        (b'{"tags":["a","b"]}', []),
        (b'{"tags":["a","B","c","D"]}', ["tags[1]", "tags[3]"]),
        (b'{"tags":["a","B",1]}', ["tags[1]", "tags[2]"]),
        (b'{"tags":["B"],"others":1}', ["others", "tags[0]"]),
    ],
)
def test_rules_of_the_texts_in_a_list(body: bytes, fields: list[str]) -> None:
    faults: list[FieldError] = []
    BodyReader(Tagged, 1000).read(body, faults)
    assert sorted(fault.field for fault in faults) == fields


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


def _order(given: Mapping[str, object]) -> FieldError | None:
    low, high = given["from"], given["high"]
    if isinstance(low, int) and isinstance(high, int) and low > high:
        return FieldError("from", FieldCode.INVALID, "Must not be above high.")
    return None


def _alone(given: Mapping[str, object]) -> FieldError | None:
    if given["high"] is None and given["marks"] not in ([], FAULTY):
        return FieldError("marks", FieldCode.INVALID, "Goes with high.")
    return None


@checked_together(_order, _alone)
class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    low: Even = msgspec.field(default=0, name="from")
    high: int | None = 9
    marks: list[int] = []
    name: str = "span"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"{}", []),
        (b'{"from":4,"high":2}', []),
        (b'{"from":4,"high":2,"name":1}', ["name", "from"]),
        (b'{"from":5,"high":2}', ["from"]),
        (b'{"from":10,"name":1}', ["name", "from"]),
        (b'{"from":5,"high":null,"marks":[1]}', ["from", "marks"]),
        (b'{"high":null,"marks":[1],"other":1}', ["other", "marks"]),
        (b'{"high":null,"marks":["x"]}', ["marks[0]"]),
        (b'{"high":"2","from":4}', ["high"]),
        (b'{"high":9,"high":2,"from":4}', ["high"]),
        (b"[1]", ["body"]),
        (b'{"from":5,"high":null,"marks":[1],"name":"\\u0000"}', ["from", "name", "marks"]),
    ],
)
def test_what_is_wrong_between_fields_is_said_beside_what_is_wrong_in_them(body: bytes, fields: list[str]) -> None:
    faults: list[FieldError] = []
    BodyReader(Span, 1000).read(body, faults)
    assert [fault.field for fault in faults] == fields


def _deep(given: Mapping[str, object]) -> FieldError | None:
    section = given["in"]
    if isinstance(section, Mapping) and section.get("size") is FAULTY and section.get("on") is True:
        return FieldError("in.on", FieldCode.INVALID, "Not with this size.")
    return None


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    size: Even = 2
    on: bool = False


@checked_together(_deep)
class Sectioned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    inner: Section = msgspec.field(default=Section(), name="in")
    sizes: list[int] = []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"in":{"size":2,"on":true}}', []),
        (b'{"in":{"size":3,"on":true}}', ["in.size", "in.on"]),
        (b'{"in":{"size":"2","on":true},"sizes":["x"]}', ["in.size", "sizes[0]", "in.on"]),
        (b'{"in":{"size":3,"on":1}}', ["in.size", "in.on"]),
        (b'{"in":{"size":2,"on":true,"off":1}}', ["in.off"]),
        (b'{"in":[true]}', ["in"]),
    ],
)
def test_of_an_object_only_the_members_that_are_wrong_are_unknown(body: bytes, fields: list[str]) -> None:
    faults: list[FieldError] = []
    BodyReader(Sectioned, 1000).read(body, faults)
    assert [fault.field for fault in faults] == fields


def _texts(given: Mapping[str, object]) -> FieldError | None:
    mail = given["mail"]
    texts = mail.get("texts") if isinstance(mail, Mapping) else FAULTY
    if isinstance(texts, Mapping) and texts.get("one") == "bad" and texts.get("two") in {None, FAULTY}:
        return FieldError("mail.texts.one", FieldCode.INVALID, "Cannot be rendered.")
    return None


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    one: str | None = None
    two: str | None = None


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    texts: Texts = Texts()
    sender: str | None = None


@checked_together(_texts)
class Deep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    mail: Letter = Letter()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"mail":{"texts":{"one":"bad","two":2}}}', ["mail.texts.two", "mail.texts.one"]),
        (
            b'{"mail":{"texts":{"one":"bad","three":""},"sender":1}}',
            ["mail.texts.three", "mail.sender", "mail.texts.one"],
        ),
        (b'{"mail":{"texts":{"one":"bad","one":"bad"}}}', ["mail.texts.one"]),
        (b'{"mail":{"texts":["bad"],"sender":1}}', ["mail.texts", "mail.sender"]),
        (b'{"mail":{"sender":1}}', ["mail.sender"]),
        (b'{"mail":{"texts.one":"bad"}}', ["mail.texts.one"]),
    ],
)
def test_what_is_wrong_deep_inside_hides_nothing_beside_it(body: bytes, fields: list[str]) -> None:
    faults: list[FieldError] = []
    BodyReader(Deep, 1000).read(body, faults)
    assert sorted(fault.field for fault in faults) == sorted(fields)


def test_what_is_wrong_between_fields_is_said_beside_what_is_wrong_elsewhere() -> None:
    elsewhere = FieldError("If-Match", FieldCode.INVALID, "Is no entity tag.")
    for body in (b'{"from":4,"high":2}', b'{"from":4,"high":2,"name":"\\u0061"}'):
        faults = [elsewhere]
        BodyReader(Span, 1000).read(body, faults)
        assert [fault.field for fault in faults] == ["If-Match", "from"]


def test_without_other_faults_the_service_says_what_is_wrong_between_fields() -> None:
    assert [fault.field for fault in faults_together(Span(low=4, high=2))] == ["from"]
    assert [fault.field for fault in faults_together(Span(high=None, marks=[1]))] == ["marks"]
    assert faults_together(Span()) == faults_together(Inner()) == []


class Spanned(msgspec.Struct, frozen=True):
    items: Span = Span()


class Spans(msgspec.Struct, frozen=True):
    items: list[Span] = []


@pytest.mark.parametrize("declared", [Spanned, Spans])
def test_rules_between_fields_of_a_part_are_refused(declared: type[msgspec.Struct]) -> None:
    with pytest.raises(TypeError, match="to a body as a whole"):
        Rules(declared)


@checked_together(_order)
class Window(msgspec.Struct, frozen=True):
    low: int = 0


def test_rules_between_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="bodies only"):
        QueryReader(Window)
