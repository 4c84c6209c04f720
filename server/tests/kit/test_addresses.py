"""IP addresses: every way to write one is the same one."""

import pytest

from hellojohn_server.kit.addresses import parse_address


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_has_one_form(text: str, plain: str) -> None:
    assert str(parse_address(text)) == plain


@pytest.mark.parametrize("text", ["", "here", "192.0.2", "192.0.2.1:80", "[::1]", "192.0.2.1 ", "192.0.2.0/24"])
def test_anything_else_is_none(text: str) -> None:
    assert parse_address(text) is None
