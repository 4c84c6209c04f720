"""What is taken for an e-mail address."""

import pytest

from hellojohn_server.kit.emails import is_email


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.com",
        "a@b.co",
        "first.last+tag@sub.example.co.uk",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "josé@müller.de",
        "用户@例子.广告",
        "अजय@डाटा.भारत",
        "иван@пример.рф",
        "x@xn--mller-kva.de",
        f"{'a' * 64}@example.com",
        "digits@123.example",
    ],
)
def test_addresses(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@localhost",
        "a@b@example.com",
        ".alice@example.com",
        "alice.@example.com",
        "a..b@example.com",
        "alice @example.com",
        "alice@exa mple.com",
        "alice@-example.com",
        "alice@example-.com",
        "alice@example..com",
        "alice@example.com.",
        "alice@127.0.0.1",
        "alice@[127.0.0.1]",
        '"alice"@example.com',
        "alice@exam_ple.com",
        "Alice <alice@example.com>",
        "alice@example.com\n",
        "alice\x00@example.com",
        "alice\u200b@example.com",
        "alice\u202e@example.com",
        "alice＠example.com",
        "alice@evil.com＠example.com",
        "alice@example。com",
        "alice\ud800@example.com",
        f"{'a' * 65}@example.com",
        f"{'é' * 33}@example.com",
        f"alice@{'a' * 64}.com",
        f"a@{'.'.join(['a' * 60] * 5)}.com",
    ],
)
def test_no_addresses(text: str) -> None:
    assert not is_email(text)
