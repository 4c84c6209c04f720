"""Asking before something is done: on a terminal a question, elsewhere an error that says to pass --yes."""

import sys
from typing import Annotated

import typer

from hellojohn_server.cli.console import err, printable
from hellojohn_server.cli.exits import CommandFailed, ExitCode

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def confirm(question: str, *, yes: bool) -> None:
    """Return if `yes`, or if the person at the terminal says so to `question`, which names what will happen.

    CommandFailed when the answer is anything else, and when there is no terminal to ask on.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and err.is_terminal):
        raise CommandFailed(ExitCode.USAGE, f"{printable(question)} There is no terminal to ask on: pass --yes.")
    err.out(f"{printable(question)} [y/N] ", end="")
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise CommandFailed(ExitCode.DECLINED, "Nothing was changed.")
