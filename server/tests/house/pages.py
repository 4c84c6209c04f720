"""Pages whose calls are followed: what a reader types, one block after another, and what is shown of each answer."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.support import ServerProcess, hj_environment, server_process

ROOT: Final = Path(__file__).resolve().parents[3]
BASE: Final = "http://localhost:3000"
BLOCK: Final = re.compile(r"^```(?:sh|bash)\n(.*?)^```\n(?:\n```json\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
ASSIGNMENT: Final = re.compile(r"^([A-Z]+)=(\w+?)\.\.\.$")
SHORTENED_OBJECT: Final = re.compile(r"(,?)\s*\.\.\.(?=\s*\})")
SHORTENED_LIST: Final = re.compile(r",?\s*\.\.\.(?=\s*\])")
MORE: Final = "..."
MAIL_SECONDS: Final = 20
"""How long a mail may take to its page. Nothing else is asked for twice."""


class Reader:
    """Somebody with a shell, who takes what `...` stands for from the newest answer that has something of the kind."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._seen = [server.printed()]
        self._variables: dict[str, str] = {}

    def follow(self, page: Path) -> int:
        """Type every block of a page; return how many calls there were. AssertionError where the page is wrong."""
        calls = 0
        for typed, answer in BLOCK.findall(page.read_text(encoding="utf-8")):
            lines = typed.strip().splitlines()
            taken = [ASSIGNMENT.match(line) for line in lines]
            if all(taken):
                self._variables |= {match[1]: self._newest(match[2]) for match in taken if match}
            else:
                assert not any(taken), f"{page.name} names ids beside a call: {typed}"
                self._call(page, typed, shown(answer) if answer else None)
                calls += 1
        return calls

    def _newest(self, prefix: str) -> str:
        for text in reversed(self._seen):
            if found := re.search(rf"\b{prefix}[\w.-]+", text):
                return found[0]
        raise AssertionError(f"nothing that was answered starts with {prefix}")

    def _call(self, page: Path, typed: str, expected: Any) -> None:
        deadline = time.monotonic() + (MAIL_SECONDS if "/dev/mailbox" in typed else 0)
        wrong = self._type(typed, expected)
        while wrong and time.monotonic() < deadline:
            time.sleep(0.1)
            wrong = self._type(typed, expected)
        assert wrong == [], f"{page.name}: {typed}{wrong}"

    def _type(self, typed: str, expected: Any) -> list[str]:
        line = typed.replace(BASE, self._server.url).replace("sk_live_...", self._newest("sk_live_"))
        line = line.replace("curl ", "curl --silent --show-error ", 1)
        done = subprocess.run(
            ["sh", "-euc", line],
            env=os.environ | self._variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        self._seen.append(done.stdout)
        if expected is not None:
            return [*differences(expected, json.loads(done.stdout))]
        return [done.stdout] if "error" in json.loads(done.stdout or "{}") else []


def follow(page: Path, directory: Path) -> tuple[int, str]:
    """Follow a page with the `hj dev` of a newcomer; return how many calls it has, and what `hj dev` printed."""
    environ = hj_environment(DATA_DIR=str(directory / "data"))
    with server_process(directory, environ, ("dev", "--port", "0")) as server:
        printed = server.printed().replace(server.url.replace("127.0.0.1", "localhost"), BASE)
        return Reader(server).follow(page), printed


def shown(text: str) -> Any:
    """Return an answer as a page shows it. An object that ends in dots has the key `MORE`."""
    return json.loads(SHORTENED_LIST.sub("", SHORTENED_OBJECT.sub(rf'\1 "{MORE}": null', text)))


def differences(expected: Any, answered: Any, path: str = "") -> Iterator[str]:
    """Yield where an answer lacks what is shown, has what is not shown, or is of another kind."""
    if type(expected) is not type(answered):
        yield f"{path}: {answered!r} where {expected!r} is shown"
    elif isinstance(expected, dict):
        names = [name for name in expected if name != MORE]
        for name in names:
            if name in answered:
                yield from differences(expected[name], answered[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}: not in the answer"
        if MORE not in expected:
            yield from (f"{path}.{name}: not shown" for name in answered if name not in expected)
    elif isinstance(expected, list) and expected:
        yield from differences(expected[0], answered[0], f"{path}[0]") if answered else [f"{path}: empty"]
