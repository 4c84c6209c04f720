"""Recording what has ended by itself, and throwing away what is kept no longer. For the worker; nobody calls it."""

from collections.abc import Awaitable, Callable
from typing import Final

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.expiry import repository
from hellojohn_server.features.expiry.events import ban_ended, lock_ended
from hellojohn_server.features.user_acts.service import UserActs
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context, system_context
from hellojohn_server.kit.retention import RECYCLE_BIN_MS
from hellojohn_server.storage.database import Command, Database, Exempt, Reader, Transaction

_AT_A_TIME: Final = 100
"""Rows in one transaction: requests go on between two of them."""


class ExpiryService:
    """Each act does what is due in one tenant, in small transactions. A `get_next_` says when there is more, or None.

    Any number may run at once, in any number of processes: each end is recorded once.
    """

    def __init__(self, db: Database, ids: IdFactory, audit: AuditLog, acts: UserActs) -> None:
        self._db = db
        self._ids = ids
        self._audit = audit
        self._acts = acts

    async def end_bans(self, tenant_id: str, now_ms: int) -> None:
        """Clear the bans that ended by `now_ms`, each with an entry of `system`. One that was lengthened stays."""
        context = self._context(tenant_id)

        async def end_some(tx: Transaction) -> int:
            ended = await repository.list_ended_bans(tx, now_ms, _AT_A_TIME)
            await repository.update_ended_bans(tx, [one.user_id for one in ended])
            await tx.slice()
            await self._audit.record_many(tx, context, [ban_ended(one.user_id, one.until) for one in ended])
            return len(ended)

        await self._in_steps(tenant_id, now_ms, repository.get_next_ban_end, end_some)

    async def end_locks(self, tenant_id: str, now_ms: int) -> None:
        """Clear the locks that ended by `now_ms`, each with an entry of `system`."""
        context = self._context(tenant_id)

        async def end_some(tx: Transaction) -> int:
            ended = await repository.list_ended_locks(tx, now_ms, _AT_A_TIME)
            await repository.update_ended_locks(tx, [one.user_id for one in ended])
            await tx.slice()
            await self._audit.record_many(tx, context, [lock_ended(one.user_id, one.until) for one in ended])
            return len(ended)

        await self._in_steps(tenant_id, now_ms, repository.get_next_lock_end, end_some)

    async def purge_recycle_bin(self, tenant_id: str, now_ms: int) -> None:
        """Erase the users whose time in the recycle bin is over, each with an entry of `system`.

        One who is restored at the same moment is either restored or erased.
        """
        context = self._context(tenant_id)
        before = now_ms - RECYCLE_BIN_MS

        async def erase_some(tx: Transaction) -> int:
            users = await repository.list_overdue_users(tx, before, _AT_A_TIME)
            return await self._acts.erase_locked(tx, context, users)

        await self._in_steps(tenant_id, before, repository.get_next_deleted, erase_some)

    async def purge_failures(self, tenant_id: str, now_ms: int) -> None:
        """Delete the failed sign-ins that count no longer."""

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_ended_failures(tx, now_ms, _AT_A_TIME)

        await self._in_steps(
            tenant_id, now_ms, repository.get_next_failures_end, delete_some, exempt=Exempt.HOUSEKEEPING
        )

    async def purge_addresses(self, tenant_id: str, now_ms: int) -> None:
        """Delete the banned addresses of erased users whose ban has ended."""

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_ended_addresses(tx, now_ms, _AT_A_TIME)

        await self._in_steps(
            tenant_id, now_ms, repository.get_next_address_end, delete_some, exempt=Exempt.HOUSEKEEPING
        )

    async def get_next_ban_end(self, reader: Reader) -> int | None:
        """Return when the next ban ends."""
        return await repository.get_next_ban_end(reader)

    async def get_next_lock_end(self, reader: Reader) -> int | None:
        """Return when the next lock ends."""
        return await repository.get_next_lock_end(reader)

    async def get_next_bin_purge(self, reader: Reader) -> int | None:
        """Return when the time of the next user in the recycle bin is over."""
        deleted_at = await repository.get_next_deleted(reader)
        return None if deleted_at is None else deleted_at + RECYCLE_BIN_MS

    async def get_next_failures_end(self, reader: Reader) -> int | None:
        """Return when the next failed sign-ins stop to count."""
        return await repository.get_next_failures_end(reader)

    async def get_next_address_end(self, reader: Reader) -> int | None:
        """Return when the next banned address opens."""
        return await repository.get_next_address_end(reader)

    async def _in_steps(
        self,
        tenant_id: str,
        until: int,
        get_next: Callable[[Reader, int], Awaitable[int | None]],
        step: Command[int],
        *,
        exempt: Exempt | None = None,
    ) -> None:
        """Write step after step until one is not full. When nothing is due by `until` nothing is written."""

        async def first_due(reader: Reader) -> int | None:
            return await get_next(reader, until)

        if await self._db.read(tenant_id, first_due) is None:
            return
        while await self._db.write(tenant_id, step, int, exempt=exempt) == _AT_A_TIME:
            pass

    def _context(self, tenant_id: str) -> Context:
        return system_context(self._ids.new(IdPrefix.REQUEST), tenant_id)
