"""What composed statements are made of: text that stays text, and pages of several stretches."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.storage.compose import bounded_count, conjunction, fts5_all, in_turn, like_anywhere

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("alice", "%alice%"), ("100%", r"%100\%%"), ("a_b", r"%a\_b%"), (r"a\b", r"%a\\b%"), (r"\%", r"%\\\%%")],
)
def test_like_takes_text_literally(text: str, pattern: str) -> None:
    assert like_anywhere(text) == pattern


@given(ANY_TEXT, ANY_TEXT)
def test_like_finds_what_contains_the_text_and_nothing_else(text: str, other: str) -> None:
    with apsw.Connection(":memory:") as connection:
        connection.execute("PRAGMA case_sensitive_like = ON")
        for inside in (f"{other}{text}{other}", other):
            found = connection.execute("SELECT ? LIKE ? ESCAPE '\\'", (inside, like_anywhere(text))).fetchall()
            assert found == [(int(text in inside),)]


@pytest.mark.parametrize("term", ['"', '""', "a OR b", "NEAR(", "a*", "^a", "-a", "{x}:", "col:", "𝒜lice", "') --"])
def test_no_syntax_of_fts5_passes_through_a_term(term: str) -> None:
    with apsw.Connection(":memory:") as connection:
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (body, tokenize='trigram case_sensitive 1')")
        bodies = [f"xx{term}yy", "something else", "a b", "lice"]
        connection.executemany("INSERT INTO texts (rowid, body) VALUES (?, ?)", list(enumerate(bodies)))
        question = fts5_all([f"x{term}y", f"{term}yy"])
        assert connection.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (question,)).fetchall() == [(0,)]


def test_all_terms_must_match() -> None:
    assert fts5_all(["ali", 'a"b']) == '"ali" AND "a""b"'
    assert conjunction(["a = 1", "b = 2"]) == "a = 1 AND b = 2"


def test_a_count_stops_at_its_limit() -> None:
    with apsw.Connection(":memory:") as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(20)])
        for limit, counted in ((5, 5), (20, 20), (100, 20)):
            sql = bounded_count("FROM numbers WHERE n >= 0", str(limit))
            assert connection.execute(sql).fetchall() == [(counted,)]


def test_stretches_follow_one_another_up_to_the_limit() -> None:
    arms = ["SELECT 3 AS n", "SELECT 1 AS n", "SELECT 2 AS n"]
    with apsw.Connection(":memory:") as connection:
        for limit in range(1, 4):
            rows = connection.execute(in_turn(arms, str(limit))).fetchall()
            assert rows == [(3,), (1,), (2,)][:limit]
    assert in_turn(arms[:1], "7") == "SELECT 3 AS n"
