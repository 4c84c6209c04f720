"""A terminal of a test's own, and a person at it."""

import os
import pty
import select
import subprocess
from collections.abc import Mapping
from typing import Final

import msgspec

from tests.support import HJ

_DEADLINE_SECONDS: Final = 30
_PROMPTS: Final = (b"] ", b": ")


class OnTerminal(msgspec.Struct, frozen=True):
    """How a command ended that ran on a terminal, and everything that stood there."""

    returncode: int
    printed: str


def run_on_terminal(*arguments: str, environ: Mapping[str, str], typed: str = "") -> OnTerminal:
    """Run one `hj` command on a terminal, at which `typed` is typed once it asks, and return what stood there.

    It is ended if it takes too long. What is typed before a password is asked for would be thrown away.
    """
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
        printed = b""
        waiting = typed.encode()
        while part := _read(ours):
            printed += part
            if waiting and printed.endswith(_PROMPTS):
                os.write(ours, waiting)
                waiting = b""
        os.close(ours)
        try:
            return OnTerminal(process.wait(_DEADLINE_SECONDS), printed.decode())
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _read(terminal: int) -> bytes:
    """Return what stands there next; nothing after a long silence, or once nobody else holds the terminal.

    The latter is an error on Linux.
    """
    if not select.select([terminal], [], [], _DEADLINE_SECONDS)[0]:
        return b""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
