"""The passwords that are tried first."""

import pytest

from hellojohn_server.kit.common_passwords import COMMON_PASSWORDS, password_key
from hellojohn_server.kit.passwords import MIN_CHARACTERS


def test_the_list_is_there() -> None:
    assert len([text for text in COMMON_PASSWORDS if len(text) >= MIN_CHARACTERS]) > 10_000
    assert {"password1", "12345678", "iloveyou"} <= COMMON_PASSWORDS
    assert "correct horse battery" not in COMMON_PASSWORDS


@pytest.mark.parametrize("text", ["PASSWORD1", "pAssword1", "\uff30assword1", "password\u00b9"])
def test_spellings_are_one(text: str) -> None:
    assert password_key(text) == "password1"
