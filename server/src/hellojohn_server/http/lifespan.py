"""The outermost ASGI application: there while its lifespan lasts, and a start that failed is told to the server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import structlog

from hellojohn_server.http.application import Application
from hellojohn_server.kit.routing import STOPPING


class Living:
    """An ASGI application that `running` opens at the start of its lifespan, and closes at the end."""

    def __init__(self, running: Callable[[], AbstractAsyncContextManager[Application]]) -> None:
        self._open = running
        self._app: Application | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI connection, or the lifespan."""
        if scope["type"] == "lifespan":
            scope.get("state", {})[STOPPING] = self.stopping
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        else:
            raise RuntimeError("a request came before the start was complete")

    def stopping(self) -> None:
        """End the answers that would go on for as long as the server does."""
        if self._app is not None:
            self._app.end_streams()

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                self._app = await stack.enter_async_context(self._open())
            except Exception as error:  # noqa: BLE001 - it ends here, as uvicorn's failed start
                structlog.get_logger().exception("the start failed")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
