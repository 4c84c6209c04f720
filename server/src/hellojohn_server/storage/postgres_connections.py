"""The connections of a pool, kept ready from one use to the next.

The driver's pool makes and ends them. To give one back to it costs a task and three layers of calls, a fifth of what a
small request takes; so one that is whole is kept here for the next who asks, and what goes back is what went wrong.
"""

import asyncio
from collections import deque
from typing import Final, TypeAlias

import asyncpg

from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable
from hellojohn_server.storage.postgres_driver import is_gone, translated

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy

IDLE_SECONDS: Final = 240.0
"""After so long without use a connection is made anew: what stands between may have forgotten the old one silently."""


class Connections:
    """Lends at most `most` connections of a pool, the one that came back last first. Belongs to one event loop."""

    def __init__(self, pool: asyncpg.Pool, most: int, acquire_seconds: float) -> None:
        self._pool = pool
        self._most = most
        self._seconds = acquire_seconds
        self._taken = 0
        self._idle: list[tuple[Connection, float]] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closing = False

    async def acquire(self) -> Connection:
        """Return a connection; StoreBusy when all stay lent for too long, StoreUnavailable when none can be made."""
        while True:
            while self._idle:
                connection, since = self._idle.pop()
                if not is_gone(connection) and asyncio.get_running_loop().time() - since < IDLE_SECONDS:
                    return connection
                await self.end(connection)
            if self._taken < self._most:
                return await self._take()
            handed = await self._wait()
            if handed is not None:
                return handed

    async def release(self, connection: Connection) -> None:
        """Take back a connection on which nothing runs."""
        if self._closing or is_gone(connection) or connection.is_in_transaction():
            await self._give_back(connection)
        elif not self._hand(connection):
            self._idle.append((connection, asyncio.get_running_loop().time()))

    async def end(self, connection: Connection) -> None:
        """Take back a connection that nobody is to use again."""
        if not is_gone(connection):
            connection.terminate()
        await self._give_back(connection)

    async def close(self) -> None:
        """Give back what is idle, and whatever else comes, and close the pool when everything is back."""
        self._closing = True
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await self._give_back(connection)
        await self._pool.close()

    def terminate(self) -> None:
        """Close everything without waiting for anybody."""
        self._pool.terminate()

    async def _take(self) -> Connection:
        """Have the pool make a connection, or look for one that it has."""
        self._taken += 1
        try:
            with translated():
                async with asyncio.timeout(self._seconds):
                    return await self._pool.acquire()
        except BaseException as error:
            self._taken -= 1
            self._hand(None)
            if isinstance(error, TimeoutError):
                raise StoreUnavailable from error
            raise

    async def _give_back(self, connection: Connection) -> None:
        try:
            with translated(connection):
                await self._pool.release(connection)
        finally:
            self._taken -= 1
            self._hand(None)

    async def _wait(self) -> Connection | None:
        """Return a connection that was released; None when there is room for another."""
        handed: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(handed)
        try:
            async with asyncio.timeout(self._seconds):
                return await handed
        except BaseException as error:
            if handed.done() and not handed.cancelled():  # it came in the turn in which the wait was given up
                await self._pass_on(handed.result())
            if isinstance(error, TimeoutError):
                raise StoreBusy from error
            raise

    async def _pass_on(self, handed: Connection | None) -> None:
        if handed is None:
            self._hand(None)
        else:
            await self.release(handed)

    def _hand(self, connection: Connection | None) -> bool:
        """Hand a connection, or the news that there is room, to whoever waits longest; say whether anybody did."""
        while self._waiting:
            handed = self._waiting.popleft()
            if not handed.done():
                handed.set_result(connection)
                return True
        return False
