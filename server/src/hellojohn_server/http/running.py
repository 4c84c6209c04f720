"""The requests that are running: how many there are, and which of them take too long."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from hellojohn_server.http.call import Call

_TICK_SECONDS: Final = 1.0


class Running:
    """The requests of one event loop. Those that have no answer after `seconds` are cancelled, to within a tick.

    An upload is not: it takes as long as it comes in, and ends when nothing comes.

    One timer looks after all of them, and there is none while nothing runs: a timer for each request would cost more
    than many a request.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tick_seconds = min(_TICK_SECONDS, seconds / 4)
        self._tasks: dict[Call, asyncio.Task[Any] | None] = {}
        self._overdue: set[Call] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, call: Call) -> None:
        """Take note of a request; the task that this is called in is the one that may be cancelled."""
        loop = self._loop
        if loop is None or self._timer is None:
            loop = self._loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._tick_seconds, self._tick)
        self._tasks[call] = asyncio.current_task(loop)  # to find the running loop costs a system call

    def end(self, call: Call) -> None:
        """Forget a request."""
        del self._tasks[call]
        self._overdue.discard(call)

    def take_cancelled(self, call: Call) -> bool:
        """Say whether a request was cancelled because it took too long, and if so let its task go on."""
        if call not in self._overdue:
            return False
        task = self._tasks[call]
        if task is not None:
            task.uncancel()
        return True

    def _tick(self) -> None:
        for call, task in self._late(time.perf_counter()):
            self._overdue.add(call)
            if task is not None:
                task.cancel()
        again = bool(self._tasks)
        self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self._tick) if again else None

    def _late(self, now: float) -> Iterable[tuple[Call, asyncio.Task[Any] | None]]:
        """Yield the requests that take too long, in the order of their start: no uploads, and none being answered."""
        for call, task in self._tasks.items():
            if now - call.started < self._seconds:
                break
            if not call.status and not call.is_upload and call not in self._overdue:
                yield call, task
