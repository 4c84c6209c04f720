"""What is printed: a table on a terminal, lines of JSON elsewhere, CSV in which nothing is a formula."""

import csv
import io
import json

import pytest

from hellojohn_server.cli.console import out
from hellojohn_server.cli.remote.output import Format, Layout, layout_of, show_one, show_rows

TIME = "2026-01-02T03:04:05.006Z"
ROWS = [
    {"id": "usr_1", "name": "=cmd|' /C calc'!A0", "ban": {"until": None}, "tags": ["a", "b"], "disabled": True},
    {
        "id": "usr_2",
        "name": "Ægir \x1b[2J",
        "ban": {"until": TIME},
        "tags": [],
        "disabled": False,
    },
]
NAMES = ("id", "name", "ban.until", "tags", "disabled")


def test_json_is_a_line_for_each(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    show_rows(iter(ROWS), Layout(Format.JSON))
    assert [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()] == ROWS
    show_one(ROWS[0], Layout(Format.JSON))
    assert json.loads(capsysbinary.readouterr().out) == ROWS[0]


def test_csv_has_a_head_and_no_formulas(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    show_rows(iter(ROWS), Layout(Format.CSV, csv_columns=NAMES))
    assert [*csv.reader(io.StringIO(capsysbinary.readouterr().out.decode()))] == [
        [*NAMES],
        ["usr_1", "'=cmd|' /C calc'!A0", "", "a b", "true"],
        ["usr_2", "Ægir \x1b[2J", TIME, "", "false"],
    ]
    for cell in ("+1", "-1", "@sum", "=1", "\t=1", "\r=1"):
        show_one({"cell": cell}, Layout(Format.CSV))
        assert [*csv.reader(io.StringIO(capsysbinary.readouterr().out.decode(), newline=""))] == [
            ["cell"],
            [f"'{cell}"],
        ]


def test_csv_of_nothing_has_its_head(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    show_rows(iter([]), Layout(Format.CSV, csv_columns=("id", "name")))
    assert capsysbinary.readouterr().out == b"id,name\r\n"


def test_a_table_has_what_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(iter(ROWS), Layout(Format.TABLE, columns=NAMES))
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "name", "ban", "until", "tags", "disabled"]
    assert first.split() == ["usr_1", "=cmd|'", "/C", "calc'!A0", "a", "b", "yes"]
    assert second.split() == ["usr_2", "Ægir", "\\x1b[2J", "2026-01-02", "03:04:05", "no"]
    show_one(ROWS[1], Layout(Format.TABLE))
    shown = capsys.readouterr().out.splitlines()
    assert shown == ["id: usr_2", "name: Ægir \\x1b[2J", "ban.until: 2026-01-02 03:04:05", "disabled: no"]


def test_the_format_is_that_of_where_it_goes_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout_of(None, None, ("id",), ("id", "name")) == Layout(Format.JSON, False, ("id",), ("id", "name"))
    assert layout_of(Format.CSV, "id, ban.until,") == Layout(Format.CSV, True, ("id", "ban.until"), ("id", "ban.until"))
    monkeypatch.setattr(out, "_force_terminal", True)
    assert layout_of(None, None).format is Format.TABLE
    assert layout_of(Format.JSON, None).format is Format.JSON
