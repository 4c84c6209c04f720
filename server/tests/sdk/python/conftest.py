"""Servers for the SDK."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.sdk.typescript.recorder import Site, recorded_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server on a socket that records which operations it sees, with a tenant and its keys."""
    database = await SqliteDatabase.open(tmp_path / "data", SystemClock())
    async with recorded_site(database) as running:
        yield running
    await database.close()
