"""The secrets of links: their form, which names the tenant, and that only a hash of them is kept."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.action_tokens import ACTION_TOKEN_LENGTH, make_action_token, parse_action_token
from hellojohn_server.kit.base62 import checksum_of

TENANT = "tnt_01HABCDEF6543210000000000Z"


def test_a_secret_says_which_tenant_it_is_of() -> None:
    token = make_action_token(TENANT)
    assert (token.tenant_id, len(token.text), token.text[:4]) == (TENANT, ACTION_TOKEN_LENGTH, "act_")
    assert token.token_hash == hashlib.sha256(token.text.encode()).digest()
    assert parse_action_token(token.text) == token
    assert make_action_token(TENANT).text[26:58] != token.text[26:58]


@given(st.text(max_size=100))
def test_other_text_is_no_secret(text: str) -> None:
    assert parse_action_token(text) is None


@pytest.mark.parametrize("place", range(0, ACTION_TOKEN_LENGTH, 3))
def test_a_mistyped_secret_is_noticed(place: int) -> None:
    text = make_action_token(TENANT).text
    other = "A" if text[place] != "A" else "B"
    assert parse_action_token(text[:place] + other + text[place + 1 :]) is None


def test_a_tenant_beyond_every_id_is_none() -> None:
    unchecked = f"act_{'z' * 22}{'0' * 32}"
    assert parse_action_token(unchecked + checksum_of(unchecked)) is None


@pytest.mark.parametrize("tenant_id", ["usr_01HABCDEF6543210000000000S", "tnt_x", ""])
def test_what_is_no_tenant_has_no_secret(tenant_id: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        make_action_token(tenant_id)
