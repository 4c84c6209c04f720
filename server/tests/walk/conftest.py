"""The world that every walk goes through."""

from collections.abc import AsyncIterator

import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Database
from tests.walk.world import World, walked_world


@pytest.fixture
async def world(database: Database, clock: Clock) -> AsyncIterator[World]:
    """An app over each store, with a tenant and its keys."""
    async with walked_world(database, clock) as furnished:
        yield furnished
