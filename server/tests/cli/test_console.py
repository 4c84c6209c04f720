"""What is printed: tables and colours on a terminal only, and nothing in a name can draw on it."""

import os
import pty
import subprocess

from hellojohn_server.cli.console import printable
from tests.cli.conftest import Place
from tests.support import HJ, run_hj


def test_what_would_move_the_cursor_is_written_out() -> None:
    assert printable("Ægir, 渡会 凛 [red]") == "Ægir, 渡会 凛 [red]"
    assert printable("a\x1b[2Jb\r\n\x07\u202e") == "a\\x1b[2Jb\\r\\n\\x07\\u202e"


def test_a_terminal_gets_a_table_with_the_name_as_it_is(embedded: Place) -> None:
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [str(HJ), "tenants", "create", "--name", "[red]\x1b[2J"],
        env={**embedded.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        timeout=30,
        check=False,
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        printed = terminal.read(65_536).decode()
    assert ended.returncode == 0, printed
    assert "[red]\\x1b[2J" in printed
    assert "\x1b[2J" not in printed
    assert "\x1b[1m" in printed


def test_elsewhere_there_are_plain_lines(embedded: Place) -> None:
    made = run_hj("tenants", "create", "--name", "\x1b[2J", environ=embedded.environ)
    assert "name: \\x1b[2J\n" in made.stdout
    assert "\x1b" not in made.stdout
