"""Sends mail, beside the server: within moments of its commit, and again later what could not be sent."""

import asyncio
import contextlib
from typing import Final

import structlog

from hellojohn_server.features.emails.schemas import Delivery
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.errors import TenantStoreNotFound

_TENANTS_AT_ONCE: Final = 4
_STOP_SECONDS: Final = 5.0
_AFTER_ERROR_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_HOLD_SECONDS: Final = 120.0
"""What is due later than this is left to housekeeping, which finds it by its mark."""

_log: Final = structlog.get_logger()


class Mailer:
    """Delivers for the tenants that rang, some at a time, each a few mails and then the next one's turn.

    When no mail can be handed over it pauses as a whole, longer each time, and goes on with one tenant: what waits is
    not tried in vain meanwhile. Nothing of it reaches the server.
    """

    def __init__(self, emails: EmailService, bell: Bell, clock: Clock) -> None:
        self._emails = emails
        self._bell = bell
        self._clock = clock
        self._due: dict[str, float] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._pause_seconds = 0.0
        self._paused_until = 0.0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name="mailer")

    async def stop(self) -> None:
        """End after the mails that are being sent; one that takes long is left, and sent again after the next start."""
        self._stopping = True
        self._bell.wake()
        tasks = [task for task in (self._task, *self._running.values()) if task is not None]
        if not tasks:
            return
        _, unfinished = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for task in unfinished:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            for tenant_id in await self._bell.wait(self._seconds_to_wait(loop.time())):
                self._due[tenant_id] = loop.time()
            if not self._stopping:
                self._start_some(loop.time())

    def _seconds_to_wait(self, now: float) -> float | None:
        waiting = [at for tenant_id, at in self._due.items() if tenant_id not in self._running]
        if not waiting or len(self._running) >= self._width:
            return None
        return max(min(waiting), self._paused_until, now) - now

    @property
    def _width(self) -> int:
        """How many tenants are delivered for at once: one, as long as it is not known that the server is up again."""
        return 1 if self._pause_seconds else _TENANTS_AT_ONCE

    def _start_some(self, now: float) -> None:
        if now < self._paused_until:
            return
        ready = sorted((at, tenant_id) for tenant_id, at in self._due.items() if at <= now)
        for _, tenant_id in ready:
            if tenant_id not in self._running and len(self._running) < self._width:
                del self._due[tenant_id]
                self._running[tenant_id] = asyncio.create_task(self._deliver(tenant_id), name="deliver mail")

    async def _deliver(self, tenant_id: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            delivery = await self._emails.deliver(tenant_id)
        except TenantStoreNotFound:
            _log.info("the tenant is gone", tenant_id=tenant_id)
        except Exception:  # noqa: BLE001 - mail goes on whatever one tenant meets; the log has the cause
            _log.exception("sending mail failed", tenant_id=tenant_id)
            self._due[tenant_id] = loop.time() + _AFTER_ERROR_SECONDS
        else:
            self._note(tenant_id, delivery, loop.time())
        finally:
            del self._running[tenant_id]
            self._bell.wake()

    def _note(self, tenant_id: str, delivery: Delivery, now: float) -> None:
        if delivery.server_is_down:
            self._pause_seconds = min(max(self._pause_seconds * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            self._paused_until = now + self._pause_seconds
        else:
            self._pause_seconds = 0.0
        if delivery.next_at is not None:
            seconds = (delivery.next_at - self._clock.now_ms()) / 1000
            if seconds <= _HOLD_SECONDS:
                self._due[tenant_id] = min(self._due.get(tenant_id, now + seconds), now + max(seconds, 0.0))
