"""The whole app, for the scenario tests of features."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import Front, make_front
from tests.support import RunningApp, running_app


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    """The app in this process, over each store. It is left by the task that entered it."""
    started: asyncio.Future[RunningApp] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def live() -> None:
        async with running_app(database, clock, ids) as running:
            started.set_result(running)
            await ended.wait()

    living = asyncio.create_task(live())
    await asyncio.wait((started, living), return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        living.result()
    yield started.result()
    ended.set()
    await living


@pytest.fixture
async def front(app: RunningApp) -> Front:
    """A tenant with its keys, over each store."""
    return await make_front(app)
