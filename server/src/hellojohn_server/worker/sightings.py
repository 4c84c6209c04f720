"""Writes down when keys and users were last seen, beside the server."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import structlog

from hellojohn_server.kit.sightings import SightingKind, Sightings
from hellojohn_server.storage.errors import TenantStoreNotFound

Record: TypeAlias = Callable[[str, Mapping[str, int]], Awaitable[None]]
"""Writes when subjects of a tenant were last seen: the tenant's id, and a time in milliseconds for each id."""

_INTERVAL_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 5.0
_AT_A_TIME: Final = 500

_log: Final = structlog.get_logger()


class SightingsWriter:
    """Every few seconds writes what was seen since, one short transaction for each tenant and kind.

    A write that fails is logged and tried again the next time; nothing of it reaches the server.
    """

    def __init__(
        self,
        sightings: Sightings,
        records: Mapping[SightingKind, Record],
        interval_seconds: float = _INTERVAL_SECONDS,
    ) -> None:
        self._sightings = sightings
        self._records = records
        self._interval_seconds = interval_seconds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name="sightings")

    async def stop(self) -> None:
        """Write what is left and end."""
        self._stopping.set()
        if self._task is not None:
            _, unfinished = await asyncio.wait([self._task], timeout=_STOP_SECONDS)
            for task in unfinished:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def flush(self) -> None:
        """Write what was seen since the last time."""
        for (kind, tenant_id), seen in self._sightings.drain().items():
            subjects = list(seen.items())
            for start in range(0, len(subjects), _AT_A_TIME):
                await self._write(kind, tenant_id, dict(subjects[start : start + _AT_A_TIME]))

    async def _write(self, kind: SightingKind, tenant_id: str, seen: dict[str, int]) -> None:
        try:
            await self._records[kind](tenant_id, seen)
        except TenantStoreNotFound:
            _log.info("the tenant is gone", sightings=kind.value, tenant_id=tenant_id)
        except Exception:  # noqa: BLE001 - the next ones are written whatever this one meets; the log has the cause
            _log.exception("writing what was seen failed", sightings=kind.value, tenant_id=tenant_id)
            self._sightings.put_back(kind, tenant_id, seen)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval_seconds)
            await self.flush()
        await self.flush()  # what was seen while the last one ran
