"""Chromium without a window, driven by the DevTools protocol over a pair of pipes."""

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_DEADLINE_SECONDS: Final = 30
_FIRST_FREE: Final = 10
_CHUNK: Final = 65_536
# Chromium reads commands from 3 and answers at 4.
_AS_3_AND_4: Final = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class BrowserFailed(Exception):
    """The browser did not do what it was told. The message is what it answered."""


class Chromium:
    """A running browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._read = b""
        self._sent = 0

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result. Events that come meanwhile are nobody's."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._sent:
                break
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> "Page":
        """Open a page, and return it when it is there."""
        target = self.call("Target.createTarget", url=url)["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.run("new Promise(done => { const look = () => document.title ? done(1) : setTimeout(look, 20); look(); })")
        return page

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0, deadline - time.monotonic()))
            more = os.read(self._answers, _CHUNK) if ready else b""
            if not more:
                raise BrowserFailed("it did not answer, or ended")
            self._read += more
        line, _, self._read = self._read.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Page:
    """A page that is open, and the virtual authenticators that it has."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command for this page."""
        return self._browser.call(method, self._session, **parameters)

    def run(self, script: str) -> Any:
        """Run an expression as if somebody had pressed a button; return what its promise comes to."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in done:
            raise BrowserFailed(done["exceptionDetails"]["exception"].get("description", "an exception"))
        return done["result"].get("value")

    def add_authenticator(self, **options: Any) -> str:
        """Add an authenticator that is always touched, and return its id."""
        self.call("WebAuthn.enable")
        given = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True, **options}
        return str(self.call("WebAuthn.addVirtualAuthenticator", options=given)["authenticatorId"])


@contextmanager
def chromium(binary: str, profile: Path) -> Generator[Chromium]:
    """Run a browser until the block ends."""
    for_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in (for_browser, from_browser))
    flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to run as root with one
    process = subprocess.Popen(
        [sys.executable, "-c", _AS_3_AND_4, str(reading), str(writing), binary, *flags, "about:blank"],
        pass_fds=(reading, writing),
        stderr=subprocess.DEVNULL,
    )
    for end in (for_browser, from_browser, reading, writing):
        os.close(end)
    try:
        yield Chromium(commands, answers)
    finally:
        os.close(commands)
        os.close(answers)
        process.terminate()
        process.wait(_DEADLINE_SECONDS)
