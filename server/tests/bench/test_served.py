"""The short form of `make bench`: every figure is measured and printed; the verdict is the long one's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OPERATIONS = ["list page", "get", "sign-in", "impersonate", "durable disable"]
FIGURE = re.compile(r"^(\w+) +([a-z -]+?) +([\d,]+)/s +bare +([\d,]+)/s +ratio \d+\.\d\d +p50 ", re.MULTILINE)
SHORT = ["--seconds", "0.1", "--rounds", "1", "--users", "200", "--quiet-verdict"]


def test_the_server_is_measured_beside_the_bare_engine(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")}
    url = {"HELLOJOHN_DATABASE_URL": request.getfixturevalue("postgres_url")} if engine == "postgres" else {}

    done = subprocess.run(
        [sys.executable, "-m", "bench.served", "--store", engine, "--directory", str(tmp_path), *SHORT],
        cwd=ROOT, env={**others, **url}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    print(done.stdout)
    figures = FIGURE.findall(done.stdout)
    assert [(store, operation) for store, operation, *_ in figures] == [(engine, name) for name in OPERATIONS]
    assert min(int(rate.replace(",", "")) for _, _, *rates in figures for rate in rates) > 0
    assert "fsync of a 4 KiB append" in done.stdout
    assert "PASS" not in done.stdout
    assert "FAIL" not in done.stdout
    assert list(tmp_path.iterdir()) == []
