"""Empty, migrated PostgreSQL databases for one test after another: making and dropping one takes longer than a test.

After a test its connections are ended and the tables that have rows are truncated. When the database is not what it was
(a test changed tables, functions, rights or migrations, or had it analysed), it is dropped, and another one made.
"""

import asyncio
from typing import Any, Final

import asyncpg

from tests.postgres_cluster import SUPERUSER, Cluster

_LOCK_MILLISECONDS: Final = 2_000
_FIRST_OID_OF_OURS: Final = 16_384

_SHAPE: Final = f"""
    SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_depend),
           (SELECT string_agg(concat_ws(' ', nspowner, nspacl), ' ' ORDER BY oid) FROM pg_namespace),
           (SELECT count(*) FROM pg_class WHERE relacl IS NOT NULL),
           (SELECT count(*) FROM pg_statistic WHERE starelid >= {_FIRST_OID_OF_OURS}),
           (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
            WHERE d.datname = current_database()),
           (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
           (SELECT string_agg(name, ' ' ORDER BY number) FROM hellojohn_control.schema_migrations),
           (SELECT string_agg(name, ' ' ORDER BY number) FROM hellojohn_tenant.schema_migrations)
"""
_TABLES: Final = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('hellojohn_control', 'hellojohn_tenant') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> 'schema_migrations'
"""
_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Spare:
    """One database, and the connection that empties it."""

    def __init__(self, name: str, url: str, connection: "asyncpg.Connection[Any]") -> None:
        self.name = name
        self.url = url
        self._connection = connection
        self._shape: Any = None
        self._filled = ""

    async def remember(self) -> None:
        """Take what the database is like now for what it is like when it is new."""
        self._shape = await self._connection.fetchrow(_SHAPE)
        tables = [table for (table,) in await self._connection.fetch(_TABLES)]
        self._filled = " UNION ALL ".join(f"SELECT '{each}' WHERE EXISTS (SELECT FROM {each})" for each in tables)
        if await self._connection.fetch(self._filled):
            raise RuntimeError("a migrated database has rows, which no test would find after the first")

    async def empty(self) -> bool:
        """Remove what a test wrote; False when the database is not what it was."""
        try:
            await self._connection.execute(_END_OTHERS)
            filled = [table for (table,) in await self._connection.fetch(self._filled)]
            if filled:
                await self._connection.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
            return bool(await self._connection.fetchrow(_SHAPE) == self._shape)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False

    async def close(self) -> None:
        await self._connection.close(timeout=_LOCK_MILLISECONDS / 1000)


class Spares:
    """The databases of one test process. Nothing here is called while an event loop runs."""

    def __init__(self, cluster: Cluster, template: str, prefix: str = "spare") -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._template = template
        self._loop = asyncio.new_event_loop()
        self._idle: list[Spare] = []
        self._made = 0

    def take(self) -> Spare:
        """Return an empty, migrated database that nobody uses."""
        return self._idle.pop() if self._idle else self._loop.run_until_complete(self._make())

    def give_back(self, spare: Spare) -> bool:
        """Empty a database for the next test, or drop it. Say whether it is kept."""
        kept = self._loop.run_until_complete(spare.empty())
        if kept:
            self._idle.append(spare)
        else:
            self._loop.run_until_complete(spare.close())
            self._cluster.drop_database(spare.name)
        return kept

    def close(self) -> None:
        for spare in self._idle:
            self._loop.run_until_complete(spare.close())
        self._loop.close()

    async def _make(self) -> Spare:
        self._made += 1
        name = f"{self._prefix}_{self._made}"
        url = self._cluster.create_database(name, self._template)
        connection = await asyncpg.connect(
            url, user=SUPERUSER, server_settings={"lock_timeout": str(_LOCK_MILLISECONDS), "application_name": "spares"}
        )
        spare = Spare(name, url, connection)
        await spare.remember()
        return spare
