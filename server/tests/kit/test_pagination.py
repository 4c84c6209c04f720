"""Cursors: opaque, bound to tenant and query, and refused when anything about them was touched."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.pagination import COUNT_CAP, CursorCodec, InvalidCursor, Position, page_of

CODEC = CursorCodec(b"s" * 32)
QUERY = {"status": "active", "sort": ["created_at", "desc"]}
POSITION: Position = (1_790_000_000_000, "usr_01ARZ3NDEKTSV4RRFFQ69G5FAV")

parts = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(st.characters(codec="utf-8")))


@given(st.lists(parts, max_size=4).map(tuple))
def test_a_position_goes_there_and_back(position: Position) -> None:
    cursor = CODEC.encode("tnt_1", QUERY, position)
    assert CODEC.decode("tnt_1", QUERY, cursor) == position


def test_a_cursor_can_be_put_into_an_address() -> None:
    for _ in range(50):
        cursor = CODEC.encode("tnt_1", QUERY, POSITION)
        assert cursor.replace("-", "").replace("_", "").isalnum()


def test_a_cursor_hides_its_position_and_differs_each_time() -> None:
    cursor = CODEC.encode("tnt_1", QUERY, POSITION)
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"usr_" not in raw
    assert CODEC.encode("tnt_1", QUERY, POSITION) != cursor


def test_the_order_of_a_querys_keys_does_not_matter() -> None:
    cursor = CODEC.encode("tnt_1", QUERY, POSITION)
    assert CODEC.decode("tnt_1", dict(reversed(QUERY.items())), cursor) == POSITION


@pytest.mark.parametrize(
    ("tenant_id", "query", "codec"),
    [
        ("tnt_2", QUERY, CODEC),
        ("tnt_1", {**QUERY, "status": "disabled"}, CODEC),
        ("tnt_1", {}, CODEC),
        ("tnt_1", QUERY, CursorCodec(b"t" * 32)),
    ],
)
def test_a_cursor_of_something_else_is_refused(tenant_id: str, query: object, codec: CursorCodec) -> None:
    cursor = CODEC.encode("tnt_1", QUERY, POSITION)
    with pytest.raises(InvalidCursor) as refused:
        codec.decode(tenant_id, query, cursor)
    assert refused.value.code is ErrorCode.INVALID_CURSOR
    assert refused.value.status == 422


@given(st.data())
def test_a_touched_cursor_is_refused(data: st.DataObject) -> None:
    cursor = CODEC.encode("tnt_1", QUERY, POSITION)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    touched = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    with pytest.raises(InvalidCursor):
        CODEC.decode("tnt_1", QUERY, touched)


@pytest.mark.parametrize("text", ["", "a", "abc", "!!!!", "é", "=", "AAAA" * 3, "A" * 2048, "\x00", "\ud800"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        CODEC.decode("tnt_1", QUERY, text)


def test_a_page_says_where_it_ends() -> None:
    last = page_of([1, 2], 20, 2, None)
    assert (last.pagination.has_more, last.pagination.next_cursor) == (False, None)
    middle = page_of([1, 2], 2, 5, "next")
    assert (middle.pagination.has_more, middle.pagination.next_cursor, middle.pagination.limit) == (True, "next", 2)


@pytest.mark.parametrize(
    ("total", "capped", "shown", "exact"),
    [
        (COUNT_CAP, True, COUNT_CAP, True),
        (COUNT_CAP + 1, True, COUNT_CAP, False),
        (3 * COUNT_CAP, True, COUNT_CAP, False),
        (COUNT_CAP + 1, False, COUNT_CAP + 1, True),
    ],
)
def test_totals_are_cut_at_the_cap_when_they_were_counted(total: int, capped: bool, shown: int, exact: bool) -> None:
    pagination = page_of([], 20, total, None, capped=capped).pagination
    assert (pagination.total, pagination.total_is_exact) == (shown, exact)
