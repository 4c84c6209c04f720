"""Where a process of its own keeps its data: a directory, or a database of the test's own, by the engine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from hellojohn_server.app import open_tools
from hellojohn_server.cli.parts import Tools
from hellojohn_server.config import load_settings
from tests.smtp_server import SmtpServer
from tests.support import serve_environment

Work: TypeAlias = Callable[[Tools], Awaitable[None]]


class Place(msgspec.Struct, frozen=True):
    """A store that processes share, and the environment of each."""

    directory: Path
    environ: dict[str, str]

    async def use(self, work: Work) -> None:
        """Open the store in this process, beside whatever runs on it, and do `work`."""
        settings = load_settings({name: text for name, text in self.environ.items() if name.startswith("HELLOJOHN_")})
        async with open_tools(settings) as tools:
            await work(tools)


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty store of each kind."""
    url = request.getfixturevalue("postgres_url") if engine == "postgres" else None
    return Place(tmp_path, serve_environment(tmp_path / "data", url))


@pytest.fixture
def embedded(tmp_path: Path) -> Place:
    """An empty embedded store."""
    return Place(tmp_path, serve_environment(tmp_path / "data"))


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Place:
    """An empty PostgreSQL store."""
    return Place(tmp_path, serve_environment(tmp_path / "data", postgres_url))


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    """A real mail server."""
    server = SmtpServer()
    await server.start()
    yield server
    await server.stop()


def mail_settings(smtp: SmtpServer) -> dict[str, str]:
    """Return the environment of a server that sends its mail there."""
    mail = {"HOST": "127.0.0.1", "PORT": str(smtp.port), "TLS": "none", "FROM": "no-reply@id.example.com"}
    return {f"HELLOJOHN_SMTP_{name}": text for name, text in mail.items()}
