"""The passwords that are tried first."""

import subprocess
import sys

import pytest

from hellojohn_server.kit.common_passwords import common_passwords, password_key
from hellojohn_server.kit.passwords import MIN_CHARACTERS


def test_the_list_is_there() -> None:
    assert len([text for text in common_passwords() if len(text) >= MIN_CHARACTERS]) > 10_000
    assert {"password1", "12345678", "iloveyou"} <= common_passwords()
    assert "correct horse battery" not in common_passwords()


@pytest.mark.parametrize("text", ["PASSWORD1", "pAssword1", "\uff30assword1", "password\u00b9"])
def test_spellings_are_one(text: str) -> None:
    assert password_key(text) == "password1"


def test_no_process_reads_the_list_before_it_needs_it() -> None:
    program = "import sys, hellojohn_server.app; print([name for name in sys.modules if name.startswith('zxcvbn')])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"
