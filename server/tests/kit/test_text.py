"""Folding: what counts as the same text, and which words and prefixes a search finds."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.text import email_key, fold, search_prefixes, search_text, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Alice", "alice"),
        ("straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ẞ", "ss"),
        ("İstanbul", "istanbul"),
        ("José", "jose"),
        ("Jose\u0301", "jose"),
        ("Müller", "muller"),
        ("Ångström", "angstrom"),
        ("Łukasz", "łukasz"),
        ("Дмитрий Ёлкин", "дмитрии елкин"),
        ("ΑΘΗΝΑΣ", "αθηνασ"),
        ("αθηνάς", "αθηνασ"),
        ("山田太郎", "山田太郎"),
        ("ﾔﾏﾀﾞ", "ヤマタ"),
        ("ヤマダ", "ヤマタ"),
        ("ＡＢＣ１２３", "abc123"),
        ("ﬁne", "fine"),
        ("Ⅷ", "viii"),
        ("e\u0301\u0323\u0327", "e"),
        ("👩‍💻", "👩💻"),
        ("❤️", "❤"),
        ("zero\u200bwidth soft\u00adhyphen", "zerowidth softhyphen"),
        ("", ""),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text)) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_only_lowered(text: str) -> None:
    assert fold(text) == text.lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice.smith+x@example.com", ["alice", "smith", "x", "example", "com"]),
        ("o'neil, anne-marie", ["o", "neil", "anne", "marie"]),
        ("a_b", ["a", "b"]),
        ("山田 太郎", ["山田", "太郎"]),
        ("tel +49 30 1234", ["tel", "49", "30", "1234"]),
        ("👩💻 dev", ["dev"]),
        ("", []),
        ("...", []),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_the_search_text_has_a_line_for_each_field_that_is_there() -> None:
    text = search_text("José@Example.com", "José Müller", None, "+4930", "usr_01HA")
    assert text == "jose@example.com\njose muller\n+4930\nusr_01ha"


def test_prefixes_are_the_first_one_and_two_characters_of_each_word_once() -> None:
    assert search_prefixes("jose muller\nj@ex.com") == ["j", "jo", "m", "mu", "e", "ex", "c", "co"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice@Example.COM", "alice@example.com"),
        ("straße@example.com", "STRASSE@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("ａlice@example.com", "alice@example.com"),
    ],
)
def test_addresses_that_are_the_same(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


def test_an_accent_makes_another_address() -> None:
    assert email_key("jose@example.com") != email_key("josé@example.com")


@given(st.text())
def test_the_key_of_a_key_is_itself(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)
