"""Writing down what verifiers are to refuse, and throwing it away when no token is left that it concerns."""

from collections.abc import Sequence
from typing import Final

from hellojohn_server.features.revocation_log import repository
from hellojohn_server.features.revocation_log.schemas import Revocation
from hellojohn_server.kit.bell import Bell
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

_AT_A_TIME: Final = 500


class RevocationLog:
    """The revocations of every tenant, and in the control store those of signing keys and whole tenants.

    `bell` wakes those in this process who follow them.
    """

    def __init__(self, db: Database, bell: Bell) -> None:
        self._db = db
        self.bell = bell

    async def record(self, tx: Transaction, revocations: Sequence[Revocation]) -> None:
        """Write, in the transaction of the act, what it revokes; what no token is left of is passed over.

        One takes no statement of its own on PostgreSQL, several take one.
        """
        current = [one for one in revocations if one.forget_at > one.revoked_at]
        if not current:
            return
        await repository.insert_revocations(tx, current)
        tx.mark_due(min(one.forget_at for one in current))
        tenant_id = tx.tenant_id
        tx.after_commit(lambda: self.bell.ring(tenant_id))

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Delete what can be forgotten, some hundreds in each transaction."""

        async def get_first(reader: Reader) -> int | None:
            return await repository.get_next_over(reader, now_ms)

        if await self._db.read(tenant_id, get_first) is None:
            return

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_over(tx, now_ms, _AT_A_TIME)

        while await self._db.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _AT_A_TIME:
            pass

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the tenant's next revocation can be forgotten, or None."""
        return await repository.get_next_over(reader)
