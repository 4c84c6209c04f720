"""The short form of `make sign-in-timing`: every kind of address is tried, and answers alike; times are not judged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.sign_in_timing import WANTED_BELOW, cliffs_delta, interval

ROOT = Path(__file__).parents[3]
SHORT = ["--samples", "2", "--slow-samples", "2", "--cheap", "--floor-ms", "50", "--quiet-verdict"]
LINE = re.compile(r"^  (\w[\w ,-]*?) +(40[13])  median +[\d.]+ ms .* delta [+-]\d\.\d{3} \[", re.MULTILINE)


def test_refused_sign_ins_of_every_kind_of_address_are_measured(engine: str, request: pytest.FixtureRequest) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")}
    url = {"HELLOJOHN_DATABASE_URL": request.getfixturevalue("postgres_url")} if engine == "postgres" else {}

    done = subprocess.run(
        [sys.executable, "-m", "bench.sign_in_timing", "--store", engine, *SHORT],
        cwd=ROOT, env={**others, **url}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    print(done.stdout)
    statuses = LINE.findall(done.stdout)
    assert len(statuses) == len(dict(statuses)) == 15
    assert {kind for kind, status in statuses if status == "403"} == {"locked, unknown", "locked, known"}
    assert "PASS" not in done.stdout
    assert "FAIL" not in done.stdout


def test_times_that_tell_nothing_are_told_from_times_that_do() -> None:
    alike = [number / 1000 for number in range(400)]
    later = [value + 0.05 for value in alike]
    assert cliffs_delta(alike, alike[::-1]) == 0
    assert cliffs_delta([2, 3], [0, 1]) == 1
    assert cliffs_delta([0, 1], [2, 3]) == -1
    assert cliffs_delta([1, 1], [1, 1]) == 0
    low, high = interval(later, alike)
    assert WANTED_BELOW < low < cliffs_delta(later, alike) < high < 1
