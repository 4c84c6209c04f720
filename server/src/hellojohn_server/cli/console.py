"""What a command prints: tables and colours on a terminal, plain lines and JSON elsewhere."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(soft_wrap=True, highlight=False)
err = Console(soft_wrap=True, highlight=False, stderr=True)


def complain(message: str) -> None:
    """Say on standard error what went wrong. `message` is rich markup."""
    err.print(f"[bold red]Error:[/] {message}")


@contextmanager
def reader_may_leave() -> Generator[None]:
    """End the command without a complaint when whoever reads standard output has had enough, as `head` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from gone


def printable(text: str) -> str:
    """Return `text` with what would move the cursor or change colours written out: others may have chosen it."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def show_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    out.out(msgspec.json.encode(value).decode())


def show_fields(title: str, fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values: a table on a terminal, `name: value` lines elsewhere."""
    if not out.is_terminal:
        for name, value in fields:
            out.out(f"{name}: {printable(value)}")
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, Text(printable(value)))
    out.print(table)
