"""Cells that no spreadsheet takes for a formula, and what is read back of them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.csv_text import as_written, csv_lines, neutralised

_TEXT = st.text(st.sampled_from("=+-@\t\r'\n\",ab ü"), max_size=8) | st.text(max_size=8)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+14155552671", "'+14155552671"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t1", "'\t1"),
        ("\r1", "'\r1"),
        ("'=1", "''=1"),
        ("''@", "'''@"),
        ("'t Hooft", "'t Hooft"),
        ("a=b", "a=b"),
        ("", ""),
        ("'", "'"),
    ],
)
def test_cells(text: str, cell: str) -> None:
    assert neutralised(text) == cell
    assert as_written(cell) == text


def test_a_cell_of_another_program_stays_as_it_is() -> None:
    assert as_written("=1+1") == "=1+1"
    assert as_written("'quoted'") == "'quoted'"


@given(_TEXT)
def test_what_is_read_is_what_was_written(text: str) -> None:
    cell = neutralised(text)
    assert as_written(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.lists(_TEXT.filter(lambda text: "\0" not in text), min_size=2, max_size=2), max_size=3))
def test_lines_are_read_as_they_were_written(rows: list[list[str]]) -> None:
    written = csv_lines(rows).decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == rows
    assert written.count("\r\n") >= len(rows)
