"""Keeping the counters over users, which every command changes with what it does to users."""

from hellojohn_server.features.user_counters import repository
from hellojohn_server.features.user_counters.schemas import WrongCounter
from hellojohn_server.storage.database import Database, Exempt


class UserCounters:
    """Keeping the counters: folding what commands appended, and counting anew."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def fold_counters(self, tenant_id: str) -> None:
        """Fold the appended changes into the counters (PostgreSQL; on SQLite there are none). Any number may run."""
        await self._db.write(tenant_id, repository.update_folded_counters, type(None), exempt=Exempt.COUNTER_FOLD)

    async def rebuild_counters(self, tenant_id: str) -> None:
        """Set every counter to what the users' rows say, whatever it was.

        One pass over all users. On PostgreSQL commands go on meanwhile; on SQLite they wait, and so does the loop.
        """
        await self._db.write(tenant_id, repository.update_rebuilt_counters, type(None), exempt=Exempt.COUNTER_FOLD)

    async def list_wrong_counters(self, tenant_id: str) -> list[WrongCounter]:
        """Return the counters that do not say what the users' rows say, both read at one moment: whoever writes, none.

        One pass over all users, beside which everything goes on. Sign-ins by the day are not looked at.
        """
        return await self._db.read(tenant_id, repository.list_wrong_counters, long=True)
