"""CSV after RFC 4180, in which a spreadsheet takes no cell for a formula.

A cell that starts with = + - @, a tab or a carriage return gets an apostrophe before it, and so does one that starts
with apostrophes and then one of these: what is read is what was written, less one apostrophe.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


def neutralised(text: str) -> str:
    """Return `text` as a cell that is no formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def as_written(cell: str) -> str:
    """Return what `neutralised` made this cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def cell_of(value: Any) -> str:
    """Return a value as a cell: nothing for null, true or false, text that is no formula, anything else as JSON."""
    match value:
        case str():
            return neutralised(value)
        case None:
            return ""
        case _:
            return _encode(value).decode()


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows of cells as lines of CSV in UTF-8; what is in the cells stays as it is."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
