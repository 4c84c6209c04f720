"""The short form of `make bench-search`: questions are measured and printed; the verdict is the long one's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FIGURE = re.compile(r"^(.+?) +p50 +[\d.]+ ms +[\d.]+x +p99 +[\d.]+ ms +[\d.]+x( +scan \d+ ms)?$", re.MULTILINE)
USERS = 250
QUESTIONS = "^list by|^common term|^list: rare role|^two letters, rare$"
SHORT = ["--users", str(USERS), "--samples", "1", "--only", QUESTIONS, "--quiet-verdict"]


def run(engine: str, url: str | None, directory: Path) -> str:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")}
    given = {} if url is None else {"HELLOJOHN_DATABASE_URL": url}
    places = ["--data", str(directory / "data"), "--results", str(directory / "results")]
    done = subprocess.run(
        [sys.executable, "-m", "bench.search", "--store", engine, *places, *SHORT],
        cwd=ROOT, env={**others, **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kind_of_question_is_measured_beside_the_list_page(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url: str | None = request.getfixturevalue("own_postgres_url") if engine == "postgres" else None
    printed = run(engine, url, tmp_path)
    names = [name for name, _ in FIGURE.findall(printed)]
    assert f"{engine}, {USERS} users: list page p50 " in printed
    assert len(names) == len(set(names)) > 40
    assert {"common term", "list by name asc, page deep", "list: rare role, by email", "two letters, rare"} < set(names)
    assert "answered" not in printed
    assert "FAIL" not in printed
    [results] = (tmp_path / "results").iterdir()
    figures = json.loads(results.read_bytes())
    assert [figure["case"] for figure in figures] == names
    assert {(figure["store"], figure["users"], figure["wanted"]) for figure in figures} == {(engine, USERS, 12.0)}
    assert {case["case"] for case in figures if case["scan_ms"] is not None} == {"common term", "two letters, rare"}
    assert "500 organizations" in printed
    again = run(engine, url, tmp_path)
    assert "500 organizations" not in again
    if engine == "postgres":
        request.getfixturevalue("cluster").drop_database(f"hellojohn_search_{USERS}")
