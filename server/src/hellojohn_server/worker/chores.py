"""The chores of housekeeping: what is done for one tenant when it is due."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.housekeeping import get_next_expiry, purge_idempotency_records

_PURGE_EVERY_MS: Final = 3_600_000


class Chore(Protocol):
    """Something to do for a tenant now and then. Doing it again, or in two processes at once, is harmless."""

    @property
    def name(self) -> str: ...

    async def run(self, tenant_id: str, now_ms: int) -> None:
        """Do what is due at `now_ms`."""
        ...

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        """Return when the tenant that is read will have more to do, or None."""
        ...


class PurgeIdempotencyRecords:
    """Deletes answers that were kept for retries and are past their day. At most once an hour for each tenant."""

    name = "purge_idempotency_records"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, tenant_id: str, now_ms: int) -> None:
        await purge_idempotency_records(self._database, tenant_id, now_ms)

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        next_expiry = await get_next_expiry(reader)
        return None if next_expiry is None else max(next_expiry, now_ms + _PURGE_EVERY_MS)


class FoldCounters:
    """Adds up the changes of a tenant's counters, where the store appends them. `fold` does it for one tenant."""

    name = "fold_counters"

    def __init__(self, fold: Callable[[str], Awaitable[object]]) -> None:
        self._fold = fold

    async def run(self, tenant_id: str, now_ms: int) -> None:
        del now_ms
        if tenant_id != CONTROL_TENANT_ID:
            await self._fold(tenant_id)

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        del reader, now_ms
        return None
