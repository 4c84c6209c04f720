"""The installed package, and servers for it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.sdk.typescript.packages import DEPENDENCIES, Application, installed, packed
from tests.sdk.typescript.recorder import Site, recorded_site

BESIDE: Final = ("@types/node", "undici-types", "express", "@types/express", "hono", "@hono/node-server")
"""What the programs of these tests need beside the package."""


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the package, which is built with what `make setup` installs."""
    if not (DEPENDENCIES / "typescript").is_dir():
        missing = "the compiler for TypeScript is not installed: make setup does it"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return packed(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def application(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    """A directory with the package installed in it, the types of Node, and the programs of these tests."""
    directory = tmp_path_factory.mktemp("typescript") / "application"
    return installed(archive, directory, *BESIDE)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server on a socket that records which operations it sees, with a tenant and its keys."""
    database = await SqliteDatabase.open(tmp_path / "data", SystemClock())
    async with recorded_site(database) as running:
        yield running
    await database.close()
