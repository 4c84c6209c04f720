"""A server that records which operations it sees, and a person who types commands for it."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from hellojohn_server.app import PARTS
from hellojohn_server.cli import root
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.sdk.typescript.recorder import Site, recorded_site


class Ended(msgspec.Struct, frozen=True):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Person:
    """Somebody at a shell without a terminal, in a home of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.home = home

    def has(self, **environ: str) -> None:
        """Set the HELLOJOHN_* variables of the environment to these, and no others."""
        for name in [name for name in os.environ if name.startswith("HELLOJOHN_")]:
            self._monkeypatch.delenv(name)
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)

    async def types(self, arguments: Sequence[str], *lines: str) -> Ended:
        """Run a command in this process, beside the server; `lines` are what it reads from standard input."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = await asyncio.to_thread(root.run, PARTS, arguments)
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server on a socket, with a tenant and its keys."""
    database = await SqliteDatabase.open(tmp_path / "data", SystemClock())
    async with recorded_site(database) as running:
        yield running
    await database.close()


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Person:
    """Somebody who has logged in nowhere."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    found = Person(monkeypatch, capsys, tmp_path / "home")
    found.has()
    return found
