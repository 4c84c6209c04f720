"""What commands over HTTP print: a table on a terminal, lines of JSON elsewhere, CSV when asked for."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Final, cast

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from hellojohn_server.cli.console import out, printable, show_fields
from hellojohn_server.kit.csv_text import csv_lines, neutralised

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ROWS_BEFORE_WIDTHS: Final = 500
"""The widths of a table's columns are those of so many rows; more rows are another table below."""


class Format(StrEnum):
    """How something is printed."""

    CSV = "csv"
    JSON = "json"
    TABLE = "table"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="table, json (a line for each) or csv. Without: a table on a terminal, else json.",
        show_default=False,
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", help="Which fields a table or CSV shows, as in id,email,ban.until.", show_default=False),
]


class Layout(msgspec.Struct, frozen=True):
    """How to print: the format, whether it was asked for, and the columns of a table and of CSV (empty: all)."""

    format: Format
    is_asked: bool = False
    columns: tuple[str, ...] = ()
    csv_columns: tuple[str, ...] = ()


def layout_of(
    given: Format | None, columns: str | None, shown: Sequence[str] = (), fields: Sequence[str] = ()
) -> Layout:
    """Return how to print, given what was asked for, the columns that a table has by itself, and all there are."""
    chosen = given or (Format.TABLE if out.is_terminal else Format.JSON)
    if columns is None:
        return Layout(chosen, given is not None, tuple(shown), tuple(fields))
    named = tuple(name.strip() for name in columns.split(",") if name.strip())
    return Layout(chosen, given is not None, named, named)


def show_rows(rows: Iterable[dict[str, Any]], layout: Layout) -> None:
    """Print what a list holds, while it comes in."""
    match layout.format:
        case Format.JSON:
            for row in rows:
                _write(msgspec.json.encode(row) + b"\n")
        case Format.CSV:
            _show_csv(iter(rows), layout.csv_columns)
        case Format.TABLE:
            _show_table(list(rows), layout.columns)


def show_one(value: dict[str, Any], layout: Layout) -> None:
    """Print one object: its fields one below the other in a table."""
    match layout.format:
        case Format.JSON:
            _write(msgspec.json.encode(value) + b"\n")
        case Format.CSV:
            _show_csv(iter([value]), layout.csv_columns)
        case Format.TABLE:
            named = [(name, field_of(value, name)) for name in layout.columns or value]
            fields = [each for name, found in named for each in _leaves(name, found)]
            show_fields("", [(name, text) for name, text in fields if text])


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a field as text, and those of an object each by itself."""
    if isinstance(value, dict):
        for inner, found in cast("dict[str, Any]", value).items():
            yield from _leaves(f"{name}.{inner}", found)
    else:
        yield name, _short(cell(value))


def field_of(row: dict[str, Any], name: str) -> Any:
    """Return a field, of an inner object where the name has dots; None where there is none."""
    found: Any = row
    for part in name.split("."):
        found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
    return found


def cell(value: Any) -> str:
    """Return a value as text: that of nothing is empty, lists and objects are JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list() | dict():
            return _joined(cast("list[Any] | dict[str, Any]", value))
        case _:
            return str(value)


def _joined(value: list[Any] | dict[str, Any]) -> str:
    if not value:
        return ""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _show_csv(rows: Iterator[dict[str, Any]], columns: Sequence[str]) -> None:
    first = next(rows, None)
    names = columns or tuple(first or ())
    _write(csv_lines([names]))
    for row in rows if first is None else chain([first], rows):
        _write(csv_lines([[neutralised(_csv_cell(field_of(row, name))) for name in names]]))


def _csv_cell(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else cell(value)


def _show_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    names = columns or tuple(rows[0] if rows else ())
    for start in range(0, len(rows), _ROWS_BEFORE_WIDTHS):
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in names:
            words = name.replace("_", " ").replace(".", " ")
            widest = max(len(word) for word in words.split())
            table.add_column(words, overflow="fold", no_wrap=name.endswith("id"), min_width=widest)
        for row in rows[start : start + _ROWS_BEFORE_WIDTHS]:
            table.add_row(*(Text(printable(_short(cell(field_of(row, name))))) for name in names))
        out.print(table, soft_wrap=False)


def _short(text: str) -> str:
    """Return a time as people write it, in UTC like all of them, and other text as it is."""
    return f"{text[:10]} {text[11:19]}" if _TIME.fullmatch(text) else text


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
