"""The loop that housekeeping runs in, beside the server."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from hellojohn_server.features.tenants.schemas import ListTenantsQuery
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.metrics import Metrics, Outcome
from hellojohn_server.storage.database import NO_MARK, Database, Pending, Reader
from hellojohn_server.storage.errors import TenantStoreNotFound
from hellojohn_server.worker.chores import Chore

_PAGE: Final = 100
_PAGES_AT_ONCE: Final = 100
_RETRY_MS: Final = 60_000
_SWEEP_PAUSE_SECONDS: Final = 0.01
_STOP_SECONDS: Final = 5.0

_log: Final = structlog.get_logger()


class Worker:
    """Does chores for tenants with work that is due; when it starts, once for every tenant, slowly.

    A chore that fails is logged and tried again a minute later, and until then its tenant keeps no other waiting.
    Nothing of it reaches the server.
    """

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        database: Database,
        clock: Clock,
        tenants: TenantService,
        chores: Sequence[Chore],
        interval_seconds: float,
        *,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tenants = tenants
        self._metrics = metrics
        self._chores = tuple(chores)
        self._interval_seconds = interval_seconds
        self._failed: dict[str, int] = {}
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        """End after the transaction that is running; return when it has ended."""
        self._stopping.set()
        if self._task is not None:
            _, unfinished = await asyncio.wait([self._task], timeout=_STOP_SECONDS)
            for task in unfinished:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def sweep(self) -> None:
        """Finish tenants that were being made or deleted, do every chore for every tenant, and mark what is due later.

        So nothing is forgotten whose mark got lost, or that was there before anything marked it.
        """
        await self._attempt("resume_creating", CONTROL_TENANT_ID, self._tenants.resume_creating)
        await self._attempt("resume_deleting", CONTROL_TENANT_ID, self._tenants.resume_deleting)
        await self._do_chores(CONTROL_TENANT_ID)
        cursor: str | None = None
        while True:
            page = await self._tenants.list_tenants(ListTenantsQuery(limit=_PAGE, cursor=cursor))
            for tenant in page.rows:
                await self._work_for(Pending(tenant.id, self._clock.now_ms(), NO_MARK))
                if await self._pause(_SWEEP_PAUSE_SECONDS):
                    return
            cursor = page.pagination.next_cursor
            if cursor is None:
                return

    async def work_off(self) -> int:
        """Do the chores of every tenant whose work is due, each once, and return how many tenants that were.

        The control store is nobody's mark: it is looked at each time.
        """
        now = self._clock.now_ms()
        self._failed = {tenant_id: until for tenant_id, until in self._failed.items() if until > now}
        passed_over = len(self._failed)
        seen = set(self._failed)
        await self._do_chores(CONTROL_TENANT_ID)
        for _ in range(_PAGES_AT_ONCE):
            found = await self._database.pending(now, _PAGE, sorted(seen))
            for pending in found:
                if self._stopping.is_set():
                    return len(seen) - passed_over
                await self._work_for(pending)
                seen.add(pending.tenant_id)
            if len(found) < _PAGE:
                break
        return len(seen) - passed_over

    async def _run(self) -> None:
        await self._attempt("sweep", CONTROL_TENANT_ID, self.sweep)
        while not await self._pause(self._interval_seconds):
            await self._attempt("work_off", CONTROL_TENANT_ID, self.work_off)

    async def _work_for(self, pending: Pending) -> None:
        """Do every chore for a tenant, and settle it; one that failed is left alone for a minute."""
        all_done = await self._do_chores(pending.tenant_id)
        settled = await self._settle(pending, all_done=all_done)
        if not (all_done and settled):
            self._failed[pending.tenant_id] = self._clock.now_ms() + _RETRY_MS

    async def _do_chores(self, tenant_id: str) -> bool:
        """Do every chore for one tenant; say whether none failed. A tenant that is gone has none."""
        all_done = True
        for chore in self._chores:
            try:
                await chore.run(tenant_id, self._clock.now_ms())
            except TenantStoreNotFound:
                self._metrics.count_run(chore.name, Outcome.TENANT_GONE)
                return True
            except Exception:  # noqa: BLE001 - housekeeping goes on whatever one chore meets; the log has the cause
                self._metrics.count_run(chore.name, Outcome.FAILED)
                _log.exception("housekeeping failed", chore=chore.name, tenant_id=tenant_id)
                all_done = False
            else:
                self._metrics.count_run(chore.name, Outcome.OK)
        return all_done

    async def _settle(self, pending: Pending, *, all_done: bool) -> bool:
        async def next_due(reader: Reader) -> int | None:
            now = self._clock.now_ms()
            due = [await chore.next_due(reader, now) for chore in self._chores]
            if not all_done:
                due.append(now + _RETRY_MS)
            return min((at for at in due if at is not None), default=None)

        return await self._attempt("settle", pending.tenant_id, lambda: self._database.settle(pending, next_due))

    async def _attempt(self, name: str, tenant_id: str, step: Callable[[], Awaitable[object]]) -> bool:
        """Take a step, and say whether it did not fail. There is nothing to do for a tenant that is gone."""
        outcome = Outcome.OK
        try:
            await step()
        except TenantStoreNotFound:
            outcome = Outcome.TENANT_GONE
            _log.info("the tenant is gone", chore=name, tenant_id=tenant_id)
        except Exception:  # noqa: BLE001 - the same
            outcome = Outcome.FAILED
            _log.exception("housekeeping failed", chore=name, tenant_id=tenant_id)
        self._metrics.count_run(name, outcome)
        return outcome is not Outcome.FAILED

    async def _pause(self, seconds: float) -> bool:
        """Wait, and say whether the worker is to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()
