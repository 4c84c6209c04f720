"""A server on a socket that says which operations it was asked for."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import uvicorn

from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.database import Database
from tests.sdk.typescript.packages import Application
from tests.walk.world import World, walked_world
from tools.sdk.model import Operation

_PARAMETER: Final = re.compile(r"\\\{\w+\\\}")


class Seen(msgspec.Struct, frozen=True):
    """A request that arrived, and the status of its answer."""

    method: str
    path: str
    status: int

    def is_of(self, operation: Operation) -> bool:
        """Whether this is a request for an operation: its method, and its path with anything for its parameters."""
        pattern = _PARAMETER.sub("[^/]+", re.escape(operation.path))
        return self.method == operation.method and re.fullmatch(pattern, self.path) is not None


class Recorder:
    """Passes every request on to the app. `seen` are those that were answered, in the order in which that began."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.seen: list[Seen] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def watched(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.seen.append(Seen(scope["method"], scope["path"], message["status"]))
            await send(message)

        await self._app(scope, receive, watched)


class Site(msgspec.Struct, frozen=True):
    """A running server: its address, what is in it, and what it has seen."""

    url: str
    world: World
    recorder: Recorder

    def environ(self, **further: str) -> dict[str, str]:
        """Return the environment of an application of the site's tenant."""
        return {"HELLOJOHN_API_URL": self.url, "HELLOJOHN_SECRET_KEY": self.world.secret_key, **further}

    async def run(self, application: Application, name: str, *arguments: str, sent: str = "") -> str:
        """Run a program of an application while the server serves; return what it printed."""
        environ = self.environ(PUBLISHABLE_KEY=self.world.publishable_key, MASTER_KEY=self.world.master_key)
        return await asyncio.to_thread(application.run, name, *arguments, environ=environ, sent=sent)


@asynccontextmanager
async def recorded_site(database: Database) -> AsyncGenerator[Site]:
    """Serve a tenant over `database` on a free loopback port."""
    async with walked_world(database, SystemClock()) as world, served(world.running._transport.app) as (url, recorder):
        yield Site(url, world, recorder)


@asynccontextmanager
async def served(app: Any) -> AsyncGenerator[tuple[str, Recorder]]:
    """Serve an app on a free loopback port; the block has its address and its recorder."""
    recorder = Recorder(app)
    server = uvicorn.Server(uvicorn.Config(recorder, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", recorder
        finally:
            server.should_exit = True
            await serving
