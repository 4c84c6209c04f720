"""The short form of `make bench-commit`: it runs and prints; the verdict is the long one's."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_group_commit_is_measured_beside_one_transaction_each() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.group_commit", "--seconds", "0.2", "--quiet-verdict"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    print(done.stdout)
    rates = [int(rate.replace(",", "")) for rate in re.findall(r"([\d,]+) writes/s", done.stdout)]
    assert len(rates) == 2
    assert min(rates) > 0
    assert "fsync of a 4 KiB append" in done.stdout
    assert "PASS" not in done.stdout
    assert "FAIL" not in done.stdout
