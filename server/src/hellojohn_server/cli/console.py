"""What a command prints: tables and colours on a terminal, plain lines and JSON elsewhere."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

out = Console(soft_wrap=True, highlight=False)
err = Console(soft_wrap=True, highlight=False, stderr=True)


def complain(message: str) -> None:
    """Say on standard error what went wrong. `message` is rich markup."""
    err.print(f"[bold red]Error:[/] {message}")


def show_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    out.out(msgspec.json.encode(value).decode())


def show_fields(title: str, fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values: a table on a terminal, `name: value` lines elsewhere."""
    if not out.is_terminal:
        for name, value in fields:
            out.out(f"{name}: {value}")
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, value)
    out.print(table)
