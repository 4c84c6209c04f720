"""A least time for an answer, so that how long it took tells nothing of what was found."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class TimeFloor:
    """Lets nothing through before `seconds` have passed since it began, whatever came of it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Wait at the end of the block until the time has passed."""
        started = time.monotonic()
        try:
            yield
        finally:
            remaining = started + self._seconds - time.monotonic()
            if remaining > 0:
                await asyncio.sleep(remaining)
