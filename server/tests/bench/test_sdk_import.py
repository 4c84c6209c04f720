"""The short form of the measurement of the SDK's import: that it runs, and that heavy things wait."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
HEAVY: Final = "import hellojohn, sys; print(sorted({'asyncio', 'cryptography', 'jwt'} & set(sys.modules)))"


def _run(*arguments: str) -> str:
    ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_import_is_measured_beside_that_of_the_http_library() -> None:
    lines = _run("-m", "bench.sdk_import", "--rounds", "1", "--quiet-verdict").splitlines()
    assert [line.split(":")[0] for line in lines] == ["import httpx2", "import hellojohn", "ratio"]


def test_what_is_heavy_is_not_imported_with_it() -> None:
    assert _run("-c", HEAVY) == "[]\n"
