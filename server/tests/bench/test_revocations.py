"""The short form of `make bench-revocations`: each kind of act is measured; the verdict is the long one's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHORT = ["--acts", "8", "--verifiers", "3", "--quiet-verdict"]
KINDS = ["disable", "ban", "revoke session", "revoke key", "all"]
FIGURE = re.compile(
    r"^(\w+) +([a-z ]+?) +(\d+) acts   p50 \d+ ms, p99 \d+ ms, p99\.9 \d+ ms, max \d+ ms$", re.MULTILINE
)
SERVERS = {"sqlite": "1 server,", "postgres": "3 servers,"}


def test_what_verifiers_still_accept_is_measured(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")}
    url = {"HELLOJOHN_DATABASE_URL": request.getfixturevalue("postgres_url")} if engine == "postgres" else {}

    done = subprocess.run(
        [sys.executable, "-m", "bench.revocations", "--store", engine, "--directory", str(tmp_path), *SHORT],
        cwd=ROOT, env={**others, **url}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert SERVERS[engine] in done.stdout
    assert FIGURE.findall(done.stdout) == [(engine, kind, "8" if kind == "all" else "2") for kind in KINDS]
    assert "PASS" not in done.stdout
    assert "FAIL" not in done.stdout
    assert list(tmp_path.iterdir()) == []
