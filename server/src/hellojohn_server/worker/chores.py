"""The chores of housekeeping: what is done for one tenant when it is due."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from hellojohn_server.features.revocation_log.service import RevocationLog
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


class TenantChore:
    """What a service does in one tenant: `run` does what is due by a time, `next_due` says when there will be more."""

    def __init__(
        self,
        name: str,
        run: Callable[[str, int], Awaitable[None]],
        next_due: Callable[[Reader], Awaitable[int | None]],
    ) -> None:
        self.name = name
        self._run = run
        self._next_due = next_due

    async def run(self, tenant_id: str, now_ms: int) -> None:
        if tenant_id != CONTROL_TENANT_ID:
            await self._run(tenant_id, now_ms)

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        del now_ms
        return await self._next_due(reader)


class PurgeChore(TenantChore):
    """Throws something away that nobody waits for: it is not looked for again within the hour."""

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        due = await super().next_due(reader, now_ms)
        return None if due is None else max(due, now_ms + _PURGE_EVERY_MS)


class PurgeRevocations:
    """Deletes revocations that no token is left of, the control store's too. Once an hour at most for each tenant."""

    name = "purge_revocations"

    def __init__(self, revocations: RevocationLog) -> None:
        self._revocations = revocations

    async def run(self, tenant_id: str, now_ms: int) -> None:
        await self._revocations.purge(tenant_id, now_ms)

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        due = await self._revocations.get_next_purge(reader)
        return None if due is None else max(due, now_ms + _PURGE_EVERY_MS)


class PurgeSigningKeys:
    """Deletes the keys that no access token is left of. `purge` does it; they are in the control store."""

    name = "purge_signing_keys"

    def __init__(self, purge: Callable[[], Awaitable[None]]) -> None:
        self._purge = purge

    async def run(self, tenant_id: str, now_ms: int) -> None:
        del now_ms
        if tenant_id == CONTROL_TENANT_ID:
            await self._purge()

    async def next_due(self, reader: Reader, now_ms: int) -> int | None:
        del reader, now_ms
        return None


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
