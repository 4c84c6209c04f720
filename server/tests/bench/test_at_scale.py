"""The short form of what is measured at scale: every part runs, and leaves its figures, of which none is judged."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from bench import results
from bench.at_scale.store import keep
from bench.search.data import filled
from bench.served.programs import Engine

ROOT: Final = Path(__file__).parents[3]
SHORT: Final = ("--users", "301", "--tenants", "4", "--rounds", "1", "--seconds", "0.1", "--quiet-verdict")
CASES: Final = {
    "fill": {"hj demo load"},
    "export": {
        "export as NDJSON",
        "export as CSV",
        "memory growth while exporting",
        "others' p99 while exporting",
    },
    "start": {"start to the first list", "memory while idle"},
    "import": {"import of NDJSON"},
    "memory": {"memory after all cases"},
    "jobs": {
        "job that disables",
        "plan, until it is ready",
        "memory growth during a job",
        "others' p99 during a job",
    },
    "tenants": {"list, one of 2 warm tenants"},
}


def test_every_part_is_measured_and_kept(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")}
    url = {"HELLOJOHN_DATABASE_URL": request.getfixturevalue("postgres_url")} if engine == "postgres" else {}
    kept, directory = tmp_path / "results", tmp_path / "stores"
    directory.mkdir()
    command = [sys.executable, "-m", "bench.at_scale", "--store", engine, *SHORT, "--results", str(kept)]
    command += ["--directory", str(directory), "--data", str(tmp_path / "data")]

    done = subprocess.run(command, cwd=ROOT, env={**others, **url}, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    found = {figures[0].part: figures for _, figures in results.kept(kept)}
    assert {part: {one.case for one in figures} for part, figures in found.items()} == CASES
    assert all(one.value > 0 for part in ("fill", "start", "memory", "tenants") for one in found[part])
    assert all(one.store == engine for figures in found.values() for one in figures)
    assert list(directory.iterdir()) == []
    assert str(tmp_path) not in "".join(path.read_text() for path in kept.iterdir())

    again = subprocess.run(command, cwd=ROOT, env={**others, **url}, capture_output=True, text=True, check=False)

    assert (again.returncode, again.stdout) == (0, ""), "what is there already is not measured again"


def test_a_store_that_was_filled_to_search_in_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "sqlite-40"
    _, made = asyncio.run(filled(Engine.SQLITE, directory, "", 40))

    store = keep(directory, Engine.SQLITE, "", 40)

    assert (store.tenant_id, store.fill_seconds) == (made.tenant_id, made.fill_seconds)
    assert store.fill_seconds > 0
