"""What a search question asks for: words anywhere, words at the start of words, and the trigrams that find them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.search_query import (
    MAX_WORDS,
    SearchWords,
    indexed_part,
    looked_up_by_letters,
    parse_query,
    query_fault,
)

INVISIBLE = ["\u200d\u200d\u200d", "\u200b", " \u2060 ", "\u0301", "\ufeff \u00ad", "\u00a8"]
"""Not blank, and nothing is left of them when they are folded."""


@pytest.mark.parametrize(
    ("query", "anywhere", "starts"),
    [
        ("", (), ()),
        (" \t\n\u3000", (), ()),
        ("Alice", ("alice",), ()),
        ("José GARCÍA", ("jose", "garcia"), ()),
        ("al", (), ("al",)),
        ("a b", (), ("a", "b")),
        ("o' neil", ("neil",), ("o",)),
        ("- alice", ("alice",), ()),
        ("j. .k", (), ("j", "k")),
        ("...", ("...",), ()),
        ("ß", (), ("ss",)),
        ("ßa", ("ssa",), ()),
        ("ﬁn", ("fin",), ()),
        ("e\u0301", (), ("e",)),
        ("李小龙 李", ("李小龙",), ("李",)),
        ("김", ("\u1100\u1175\u11b7",), ()),
        ("alice ALICE Alice", ("alice",), ()),
        ("al AL", (), ("al",)),
        ("a\u00a0bcd", ("bcd",), ("a",)),
        ('"x" OR 1=1', ('"x"', "1=1"), ("or",)),
    ],
)
def test_words_are_folded_and_told_apart_by_length(
    query: str, anywhere: tuple[str, ...], starts: tuple[str, ...]
) -> None:
    assert parse_query(query) == SearchWords(anywhere, starts)
    assert query_fault(query) is None


@pytest.mark.parametrize("query", ["%", "_", "..", "- -", '"', "😀", *INVISIBLE])
def test_nothing_to_search_for_is_refused_with_what_is_needed(query: str) -> None:
    assert "a letter or a digit" in (query_fault(query) or "")
    with pytest.raises(Invalid) as refused:
        parse_query(query)
    assert [detail.field for detail in refused.value.details] == ["query"]


def test_words_are_limited() -> None:
    most = [f"word{number}" for number in range(MAX_WORDS)]
    assert parse_query(" ".join(most)).anywhere == tuple(most)
    assert "at most 16" in (query_fault(" ".join([*most, "more"])) or "")
    assert query_fault(" ".join([*most, *most])) is None


@given(st.text(max_size=200))
def test_any_text_is_words_or_a_fault(query: str) -> None:
    if query_fault(query) is not None:
        return
    asked = parse_query(query)
    assert (asked == SearchWords()) == (not query.strip())
    assert all(len(word) > 2 for word in asked.anywhere)
    assert all(1 <= len(start) <= 2 and start.isalnum() for start in asked.starts)


@given(st.text(alphabet='abcЖ李𝒜😀%".@', min_size=3, max_size=60))
def test_what_is_looked_up_is_a_part_of_the_word_and_long_enough(word: str) -> None:
    part = indexed_part(word)
    assert word.startswith(part)
    assert len(part) >= 3
    assert part == word or "@" in part


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("smith", "smith"),
        ("john.smith", "john.smith"),
        ("@example.com", "@example.c"),
        ("ada@example.co.uk", "ada@example.co.u"),
        ("@a.com", "@a.com"),
        ("@example", "@example"),
        ("a.b@example", "a.b@example"),
    ],
)
def test_the_end_of_a_domain_is_not_looked_up(word: str, part: str) -> None:
    assert indexed_part(word) == part


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("john.smith", "john.smith"),
        ("@example.com", "@example"),
        ("ada@example.co.uk", "ada@example.co"),
        ("@a.b", "@a.b"),
    ],
)
def test_among_letters_alone_neither_is_its_first_letter(word: str, part: str) -> None:
    assert looked_up_by_letters(word) == part
