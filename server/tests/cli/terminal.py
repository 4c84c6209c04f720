"""A terminal of a test's own, and a person at it."""

import os
import pty
import subprocess
from collections.abc import Mapping
from typing import Final

import msgspec

from tests.support import HJ

_DEADLINE_SECONDS: Final = 30


class OnTerminal(msgspec.Struct, frozen=True):
    """How a command ended that ran on a terminal, and everything that stood there."""

    returncode: int
    printed: str


def run_on_terminal(*arguments: str, environ: Mapping[str, str], typed: str = "") -> OnTerminal:
    """Run one `hj` command on a terminal at which `typed` is typed, and return what stood there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(HJ), *arguments],
        env={**environ, "TERM": "xterm-256color", "COLUMNS": "160"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        printed = b""
        while part := _read(ours):
            printed += part
        os.close(ours)
        return OnTerminal(process.wait(_DEADLINE_SECONDS), printed.decode())


def _read(terminal: int) -> bytes:
    """Return what stands there next; nothing once nobody else holds the terminal, which is an error on Linux."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
