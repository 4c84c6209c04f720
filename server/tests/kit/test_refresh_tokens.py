"""Refresh tokens: their form, and that only hashes of them are kept."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.refresh_tokens import make_refresh_token, parse_refresh_token, rotate_refresh_token

SESSION = "ses_01HABCDEF6543210000000000S"


def test_a_token_says_which_session_it_is_of() -> None:
    token = make_refresh_token(SESSION)
    assert (token.session_id, len(token.text), token.text[:4]) == (SESSION, 86, "rft_")
    assert token.token_hash == hashlib.sha256(token.text.encode()).digest()
    assert parse_refresh_token(token.text) == token


def test_a_rotated_token_is_of_the_same_family_and_new() -> None:
    first = make_refresh_token(SESSION)
    second = rotate_refresh_token(first)
    assert (second.session_id, second.family_hash) == (SESSION, first.family_hash)
    assert second.token_hash != first.token_hash
    assert make_refresh_token(SESSION).family_hash != first.family_hash
    assert parse_refresh_token(second.text) == second


@given(st.text(max_size=100))
def test_other_text_is_no_token(text: str) -> None:
    assert parse_refresh_token(text) is None


@pytest.mark.parametrize("place", range(0, 86, 5))
def test_a_mistyped_token_is_noticed(place: int) -> None:
    text = make_refresh_token(SESSION).text
    other = "A" if text[place] != "A" else "B"
    assert parse_refresh_token(text[:place] + other + text[place + 1 :]) is None


def test_a_session_that_has_no_such_id_has_no_token() -> None:
    for session_id in ("usr_01HABCDEF6543210000000000S", f"{SESSION}_impersonate"):
        with pytest.raises(ValueError, match="not a"):
            make_refresh_token(session_id)
