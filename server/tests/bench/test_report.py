"""The page of benchmarks: what was measured is on it as it was, and what was not is said to be missing."""

import re
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec
import pytest

from bench import __main__ as everything
from bench import report, results
from bench.at_scale.store import NotEnoughRoom, require_room
from bench.plot import Line, draw
from bench.report import SearchFigure
from bench.results import Figure, Machine
from bench.served.programs import Engine

MACHINE: Final = Machine(
    cores=2,
    processor="a processor",
    memory_gib=8.0,
    system="Linux 6",
    python="3.11.7",
    sqlite="3.50.0",
    postgres="",
    fsync_us=250.0,
    load=0.1,
    commit="0123456",
    measured_at="2026-01-02T03:04:05Z",
    command="python -m bench.at_scale",
)


def figure(**changes: Any) -> Figure:
    return Figure(
        **{
            "part": "export", "case": "export as NDJSON", "store": "sqlite", "users": 1_000_000, "unit": "rows/s",
            "value": 60_000.0, "low": 50_000.0, "high": 70_000.0, "limit": 100_000.0, "beside": "bare loop",
            "at_least": 0.5, **changes,
        }
    )  # fmt: skip


def search(case: str, users: int, p50_ms: float, *, passes: bool = True) -> SearchFigure:
    return SearchFigure("sqlite", users, case, p50_ms, p50_ms * 2, p50_ms / 2, p50_ms, 12.0, passes)


def written(directory: Path) -> str:
    docs = directory / "docs"
    docs.mkdir(exist_ok=True)
    report.write(directory, docs)
    ET.fromstring((docs / report.DRAWING).read_text(encoding="utf-8"))
    return (docs / report.PAGE).read_text(encoding="utf-8")


def test_of_nothing_nothing_is_said(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert "Nothing was measured." in page
    for part in report.EXPECTED:
        assert len(re.findall(rf"^\| {part} \|", page, re.MULTILINE)) == len(report.STORES)
    assert "pass" not in page.replace("passes", "")
    assert "FAIL" not in page


def test_figures_verdicts_and_what_is_missing(tmp_path: Path) -> None:
    results.keep(
        tmp_path, MACHINE, [figure(), figure(case="slow", value=40_000.0), figure(case="shown", at_least=None)]
    )
    results.keep(
        tmp_path, MACHINE, [figure(part="memory", limit=None, beside="", value=250.0, at_least=None, at_most=200)]
    )
    page = written(tmp_path)
    assert (
        "| export | export as NDJSON | sqlite | 1,000,000 | 60,000 rows/s | bare loop: 100,000 rows/s | 0.6 |" in page
    )
    assert "| at least 0.5 | pass |" in page
    assert re.search(r"\| export \| slow \|.*\| 0.4 \| at least 0.5 \| \*\*FAIL\*\* \|", page)
    assert re.search(r"\| memory \|.*\| 250 \| at most 200 \| \*\*FAIL\*\* \|", page)
    assert "| export | sqlite | 10,000,000 |" in page
    assert "a processor" in page
    assert "`0123456`" in page


def test_growth_from_a_million_to_ten(tmp_path: Path) -> None:
    for users, rate in ((1_000_000, 1_000.0), (10_000_000, 500.0)):
        results.keep(tmp_path, MACHINE, [figure(part="served", case="get", users=users, value=rate)])
    page = written(tmp_path)
    assert "| served | get | sqlite | 2.00 | **FAIL** |" in page


def test_search_is_summed_up_listed_and_drawn(tmp_path: Path) -> None:
    for users in (10_000, 100_000):
        found = [search("rare term", users, 4.0), search("common term", users, 30.0, passes=False)]
        (tmp_path / f"search-sqlite-{users}.json").write_bytes(msgspec.json.encode(found))
    page = written(tmp_path)
    assert "1 of 2 questions as wanted; the farthest: common term" in page
    assert "### sqlite, 10,000 users" in page
    assert "| search | sqlite | 1,000,000, 10,000,000 |" in page
    drawing = (tmp_path / "docs" / report.DRAWING).read_text(encoding="utf-8")
    assert drawing.count("<title>rare term</title>") == 2
    assert "100k" in drawing


def test_a_drawing_has_each_line_in_its_panel() -> None:
    lines = [Line("a <b>", {10_000: 1.0, 10_000_000: 90.0}), Line("none", {})]
    drawn = ET.fromstring(draw({"one": lines, "two": lines}))
    name = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{name}polyline")) == 2
    assert [text.text for text in drawn.findall(f"{name}text")].count("a <b>") == 1


def test_what_is_there_is_not_measured_again_unless_it_is_of_other_code(tmp_path: Path) -> None:
    everything.begin(tmp_path)
    stages = list(everything.stages_of(Engine.SQLITE, 20_000, tmp_path, is_short=False))
    assert [stage.module for stage in stages] == ["served"]
    results.keep(tmp_path / "results", MACHINE, [figure(part="served", users=20_000)])
    assert all(path.exists() for stage in stages for path in stage.files)
    everything.begin(tmp_path)
    assert everything.run(stages, tmp_path) == []
    assert all(path.exists() for stage in stages for path in stage.files)
    (tmp_path / "code").write_text("another", encoding="utf-8")
    everything.begin(tmp_path)
    assert not any(path.exists() for stage in stages for path in stage.files)


def test_each_size_has_its_stages(tmp_path: Path) -> None:
    modules = {
        size: [stage.module for stage in everything.stages_of(Engine.POSTGRES, size, tmp_path, is_short=False)]
        for size in (10_000, 20_000, 100_000, 1_000_000, 10_000_000)
    }
    every = ["at_scale", "search", "at_scale", "served"]
    assert modules == {10_000: ["search"], 20_000: ["served"], 100_000: ["search"], 1_000_000: every, 10_000_000: every}


def test_a_full_disk_is_noticed_first(tmp_path: Path) -> None:
    require_room(tmp_path, Engine.SQLITE, 1_000)
    with pytest.raises(NotEnoughRoom, match="are free"):
        require_room(tmp_path, Engine.POSTGRES, 10**13)


def test_a_command_is_named_without_its_places() -> None:
    line = results.command_line("bench.served", ["--store", "sqlite", "--results", "/somewhere", "--rounds", "1"])
    assert line == "python -m bench.served --store sqlite --rounds 1"
