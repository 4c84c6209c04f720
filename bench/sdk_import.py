"""How long Python takes to import the SDK, against the HTTP library that it stands on.

    make bench-import                                # prints PASS or FAIL: at most 3 times as long
    python -m bench.sdk_import --rounds 1 --quiet-verdict

Each import is a process of its own, in turns, so that a busy machine slows both; what is compared is the median.
"""

import argparse
import statistics
import subprocess
import sys
from typing import Final

WANTED_RATIO: Final = 3.0
_PROGRAM: Final = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def import_seconds(module: str) -> float:
    """Return how long a new process takes to import a module."""
    command = [sys.executable, "-c", _PROGRAM.format(module)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603 - our own


def main() -> int:
    """Print both medians; return 1 when the ratio is not what is wanted."""
    parser = argparse.ArgumentParser(description="The import of the SDK against that of httpx2.")
    parser.add_argument("--rounds", type=int, default=20, help="how often each is imported")
    parser.add_argument("--quiet-verdict", action="store_true", help="judge nothing")
    options = parser.parse_args()
    taken: dict[str, list[float]] = {"httpx2": [], "hellojohn": []}
    for _ in range(options.rounds + 1):  # the first fills the caches
        for module, seconds in taken.items():
            seconds.append(import_seconds(module))
    medians = {module: statistics.median(seconds[1:]) for module, seconds in taken.items()}
    ratio = medians["hellojohn"] / medians["httpx2"]
    for module, median in medians.items():
        sys.stdout.write(f"import {module}: {median * 1000:.0f} ms\n")
    sys.stdout.write(f"ratio: {ratio:.2f}, wanted at most {WANTED_RATIO:.0f}\n")
    if options.quiet_verdict:
        return 0
    sys.stdout.write("PASS\n" if ratio <= WANTED_RATIO else "FAIL\n")
    return 0 if ratio <= WANTED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
