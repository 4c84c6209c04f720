"""What the README tells a newcomer to type works, in its order, and answers what it shows."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import hj_environment, server_process

README: Final = Path(__file__).resolve().parents[3] / "README.md"
BLOCK: Final = re.compile(r"^```sh\n(curl .*?)^```\n(?:\n```json\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
SHORTENED: Final = re.compile(r",?\s*\.\.\.(?=\s*[\]}])")


def _shown(text: str) -> Any:
    """Return an answer as the README shows it, without the dots that stand for more."""
    return json.loads(SHORTENED.sub("", text))


def _differences(shown: Any, answered: Any, path: str = "") -> Iterator[str]:
    """Yield where an answer lacks what is shown, or is of another kind."""
    if type(shown) is not type(answered):
        yield f"{path}: {answered!r} where {shown!r} is shown"
    elif isinstance(shown, dict):
        for name, value in shown.items():
            if name in answered:
                yield from _differences(value, answered[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}: not in the answer"
    elif isinstance(shown, list) and shown:
        yield from _differences(shown[0], answered[0], f"{path}[0]") if answered else [f"{path}: empty"]


@pytest.fixture(scope="module")
def blocks() -> list[tuple[str, Any]]:
    found = BLOCK.findall(README.read_text(encoding="utf-8"))
    return [(command, _shown(answer) if answer else None) for command, answer in found]


def test_every_call_of_the_readme_answers_what_it_shows(tmp_path: Path, blocks: list[tuple[str, Any]]) -> None:
    assert len(blocks) > 5
    environ = hj_environment(DATA_DIR=str(tmp_path / "data"))
    with server_process(tmp_path, environ, ("dev", "--port", "0")) as server:
        (access,) = json.loads((tmp_path / "data" / "demo.json").read_text(encoding="utf-8")).values()
        variables = {
            "KEY": access["secret_key"],
            "FRONT": access["publishable_key"],
            "TENANT": access["tenant_id"],
            "ALICE": "none",
        }
        for command, shown in blocks:
            typed = command.replace("http://localhost:3000", server.url).replace("sk_live_...", "$KEY")
            typed = typed.replace("curl ", "curl --silent --show-error ", 1)
            done = subprocess.run(
                ["sh", "-c", typed], env=os.environ | variables, capture_output=True, text=True, check=False, timeout=30
            )
            assert done.returncode == 0, done.stderr
            answer = json.loads(done.stdout)
            assert [*_differences(shown, answer)] == [] if shown is not None else "error" not in answer, command
            if "users/search" in command:
                variables["ALICE"] = answer["data"][0]["id"]


def test_an_answer_that_is_not_as_shown_is_found() -> None:
    shown = _shown('{"data": [{"id": "x", "version": 1, ...}, ...], "total": 3, ...}')
    assert list(_differences(shown, {"data": [{"id": "y", "version": 2, "more": 0}], "total": 9})) == []
    assert list(_differences(shown, {"data": [{"id": "y"}], "total": "9"})) == [
        ".data[0].version: not in the answer",
        ".total: '9' where 3 is shown",
    ]
    assert list(_differences(shown, {"data": [], "total": 9})) == [".data: empty"]
