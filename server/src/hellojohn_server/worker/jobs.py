"""Works jobs off, beside the server: within moments of their start, and those that another process left."""

import asyncio
import contextlib
from typing import Final

import structlog

from hellojohn_server.features.job_runs.service import JobRunner
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.errors import TenantStoreNotFound

_TURN_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 5.0
_AFTER_ERROR_SECONDS: Final = 5.0

_log: Final = structlog.get_logger()


class JobWorker:
    """Goes on with the jobs of the tenants that rang, one tenant after the other, each for a moment.

    Nothing of it reaches the server.
    """

    def __init__(self, runner: JobRunner, bell: Bell, clock: Clock) -> None:
        self._runner = runner
        self._bell = bell
        self._clock = clock
        self._due: dict[str, float] = {}
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        """End after the step that is running. What is left is gone on with after the next start, or elsewhere."""
        self._stopping = True
        self._bell.wake()
        if self._task is None:
            return
        _, unfinished = await asyncio.wait([self._task], timeout=_STOP_SECONDS)
        for task in unfinished:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            for tenant_id in await self._bell.wait(self._seconds_to_wait(loop.time())):
                self._due[tenant_id] = loop.time()
            ready = [(at, tenant_id) for tenant_id, at in self._due.items() if at <= loop.time()]
            if ready and not self._stopping:
                await self._work(min(ready)[1])

    def _seconds_to_wait(self, now: float) -> float | None:
        return max(min(self._due.values()) - now, 0) if self._due else None

    async def _work(self, tenant_id: str) -> None:
        """Have a tenant's jobs be gone on with for a moment, and note when to come back."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + _TURN_SECONDS
        del self._due[tenant_id]
        try:
            next_at = await self._runner.work(tenant_id, lambda: self._stopping or loop.time() > ends)
        except TenantStoreNotFound:
            _log.info("the tenant is gone", tenant_id=tenant_id)
        except Exception:  # noqa: BLE001 - jobs go on whatever one tenant meets; the log has the cause
            _log.exception("working jobs off failed", tenant_id=tenant_id)
            self._due[tenant_id] = loop.time() + _AFTER_ERROR_SECONDS
        else:
            if next_at is not None:
                self._due[tenant_id] = loop.time() + max(next_at - self._clock.now_ms(), 0) / 1000
