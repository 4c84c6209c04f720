"""Wakes, within one process, whoever works for a tenant. What is rung gets lost with the process: marks stay."""

import asyncio
import contextlib


class Bell:
    """Holds which tenants rang since they were last taken. Belongs to the event loop that it is waited for on."""

    def __init__(self) -> None:
        self._rung: set[str] = set()
        self._event = asyncio.Event()

    def ring(self, tenant_id: str) -> None:
        """Say that there is something to do for a tenant."""
        self._rung.add(tenant_id)
        self._event.set()

    def wake(self) -> None:
        """End a wait without any tenant."""
        self._event.set()

    async def wait(self, seconds: float | None) -> set[str]:
        """Wait until it is rung or `seconds` are over, and return the tenants that rang since the last time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()
        rung, self._rung = self._rung, set()
        return rung
