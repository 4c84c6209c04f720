"""The shared store: one PostgreSQL database, for several processes and machines.

Two schemas, hellojohn_control and hellojohn_tenant, hold the two planes; every connection has one of them in its search
path, so that statements and table names are the same in both. Built from postgres_driver (arguments, errors),
postgres_transaction (what queries and commands are given) and postgres_schema (migrations).

Settings of every connection:
- READ COMMITTED, whatever the role's default: updates are guarded, single-use rows are claimed by one statement.
- plan_cache_mode=force_custom_plan, for what is read: tenants differ by orders of magnitude, and a generic plan made
  for a small one (or without knowing the search word) is the wrong one for a large one. It costs planning each time.
  What a command runs finds its rows by their keys, so that there the server may keep a plan (auto).
- random_page_cost=1.1: pages come from memory or flash, where the next one is not nearer than another. By default users
  who stand together at one end of an index were looked for in the whole table.
- Prepared statements are kept for the life of the connection, up to _STATEMENT_CACHE of them.
- Nothing changes a connection's state, so it is lent again as it is, without the driver's reset round trip.
"""

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, is_id
from hellojohn_server.kit.retention import ENDED_SESSION_MS, PENDING_FACTOR_MS, RECYCLE_BIN_MS
from hellojohn_server.storage.database import (
    NO_MARK,
    Command,
    Database,
    Exempt,
    Guard,
    Pending,
    Query,
    Work,
    run_actions,
    run_work,
)
from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable, TenantStoreNotFound
from hellojohn_server.storage.migrations import Plane
from hellojohn_server.storage.postgres_connections import Connections
from hellojohn_server.storage.postgres_driver import (
    DRIVER_ERRORS,
    Connection,
    TransactionRerun,
    roll_back,
    run,
    translated,
)
from hellojohn_server.storage.postgres_schema import SCHEMAS, bring_up_to_date
from hellojohn_server.storage.postgres_transaction import PostgresReader, PostgresTransaction

T = TypeVar("T")

_STATEMENT_CACHE: Final = 500
_CLOSE_SECONDS: Final = 10
_DROP_BATCH: Final = 5_000
_FIRST_WAIT_SECONDS: Final = 0.005
_LONGEST_WAIT_SECONDS: Final = 0.25
_NETWORK_SECONDS: Final = 5
"""How much longer than the server the driver waits for an answer, before it takes the connection for dead."""

_TENANT_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname
"""
_DROP: Final = "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE tenant_id = $1 LIMIT $2))"

_ADMIT: Final = "INSERT INTO tenant_stores (id) VALUES ($1) ON CONFLICT DO NOTHING"
_BEGIN: Final = """
    BEGIN; SET LOCAL plan_cache_mode = auto; SELECT pg_advisory_xact_lock_shared({lock});
    SELECT 1 FROM tenant_stores WHERE id = '{tenant_id}'
"""
_SHUT: Final = """
    BEGIN; SELECT pg_advisory_xact_lock({lock}); DELETE FROM tenant_stores WHERE id = '{tenant_id}'; COMMIT
"""
"""Several statements in one round trip take no arguments: the tenant id was checked to be one, so it holds no quote."""

_DUE: Final = f"""
    SELECT tenant_id, min(due_at) AS due_at FROM (
        SELECT tenant_id, expires_at AS due_at FROM idempotency_records WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, $1 FROM user_counter_deltas
        UNION ALL
        SELECT tenant_id, banned_until FROM users WHERE banned_until <= $1
        UNION ALL
        SELECT tenant_id, locked_until FROM users WHERE locked_until <= $1
        UNION ALL
        SELECT tenant_id, deleted_at + {RECYCLE_BIN_MS} FROM users WHERE deleted_at <= $1 - {RECYCLE_BIN_MS}
        UNION ALL
        SELECT tenant_id, expires_at + {ENDED_SESSION_MS} FROM sessions WHERE expires_at <= $1 - {ENDED_SESSION_MS}
        UNION ALL
        SELECT tenant_id, forget_at FROM revocations WHERE forget_at <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM sign_in_failures WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, banned_until FROM banned_addresses WHERE banned_until <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM action_tokens WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM organization_invitations WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, next_attempt_at FROM emails WHERE next_attempt_at <= $1
        UNION ALL
        SELECT tenant_id, purge_at FROM emails WHERE purge_at <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM mfa_challenges WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM mfa_failures WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, expires_at FROM used_passkey_challenges WHERE expires_at <= $1
        UNION ALL
        SELECT tenant_id, due_at FROM plans WHERE due_at <= $1
        UNION ALL
        SELECT tenant_id, purge_at FROM plans WHERE purge_at <= $1
        UNION ALL
        SELECT tenant_id, due_at FROM jobs WHERE due_at <= $1
        UNION ALL
        SELECT tenant_id, purge_at FROM jobs WHERE purge_at <= $1
        UNION ALL
        SELECT tenant_id, purge_at FROM imports WHERE purge_at <= $1
        UNION ALL
        SELECT tenant_id, created_at + {PENDING_FACTOR_MS} FROM mfa_factors
        WHERE confirmed_at IS NULL AND created_at <= $1 - {PENDING_FACTOR_MS}
    ) AS due
    WHERE tenant_id <> ALL($3)
    GROUP BY tenant_id ORDER BY due_at, tenant_id LIMIT $2
"""
"""Who has due rows: the one question that is put across tenants. A new kind of work adds its SELECT: a range of an
index of times, and what is done is no longer in it."""


_SINCE_EVER: Final = "1:1:"
_COMMITTED_SINCE: Final = """
    xid >= pg_snapshot_xmin(CAST(CAST($2 AS text) AS pg_snapshot))
    AND NOT pg_visible_in_snapshot(xid, CAST(CAST($2 AS text) AS pg_snapshot))
"""
_REVISED: Final = f"""
    SELECT CAST(pg_current_snapshot() AS text), found.tenant_id FROM (SELECT 1) AS one LEFT JOIN (
        SELECT tenant_id FROM {SCHEMAS[Plane.TENANT]}.revocations WHERE tenant_id = ANY($1) AND {_COMMITTED_SINCE}
        UNION
        SELECT tenant_id FROM {SCHEMAS[Plane.CONTROL]}.revocations WHERE tenant_id = ANY($1) AND {_COMMITTED_SINCE}
    ) AS found ON TRUE
"""
"""In whose feed something is new: the other question that is put across tenants, by ranges of each one's key."""


def _end_of(snapshot: str) -> int:
    """Return the first transaction number that was not given yet."""
    return int(snapshot.split(":")[1])


class PostgresOptions(msgspec.Struct, frozen=True):
    """Limits of the shared store, for one process. Each plane has a pool for most statements and one for long reads."""

    tenant_connections: int = 10
    control_connections: int = 4
    long_connections: int = 2
    connect_seconds: float = 5.0
    acquire_seconds: float = 5.0
    lock_seconds: float = 4.0
    statement_seconds: float = 5.0
    long_statement_seconds: float = 60.0
    tries: int = 10


class _Connection(asyncpg.Connection):
    """A connection that nothing needs resetting on."""

    def get_reset_query(self) -> str:
        return ""


class PostgresDatabase(Database):
    """Every tenant's rows and the control store in one database. Belongs to the event loop it was opened on.

    A tenant that was never made has no rows: TenantStoreNotFound is raised only for what is no tenant's id.
    """

    def __init__(self, dsn: str, clock: Clock, options: PostgresOptions) -> None:
        self._dsn = dsn
        self._clock = clock
        self._options = options
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._pools: list[asyncpg.Pool] = []
        sizes = {Plane.CONTROL: options.control_connections, Plane.TENANT: options.tenant_connections}
        self._connections = {plane: self._lending(plane, sizes[plane], options.statement_seconds) for plane in Plane}
        self._long_connections = {
            plane: self._lending(plane, options.long_connections, options.long_statement_seconds) for plane in Plane
        }

    @classmethod
    async def open(cls, dsn: str, clock: Clock, options: PostgresOptions | None = None) -> "PostgresDatabase":
        """Connect, and bring both schemas to the newest version.

        Raises StoreUnavailable, with a message for the operator, when the database cannot be reached or used, or is
        newer than this program.
        """
        chosen = options or PostgresOptions()
        await _migrate(dsn, clock, chosen)
        database = cls(dsn, clock, chosen)
        with translated():
            for pool in database._pools:
                await pool
        return database

    async def read(self, tenant_id: str, query: Query[T], *, long: bool = False) -> T:
        async with self._connection(_plane_of(tenant_id), long=long) as connection:
            reader = PostgresReader(connection, tenant_id)
            try:
                return await query(reader)
            finally:
                reader.close()

    async def write(  # noqa: PLR0913 - the protocol's signature
        self,
        tenant_id: str,
        command: Command[T],
        result: type[T],
        *,
        guard: Guard | None = None,
        idempotency: Idempotency | None = None,
        exempt: Exempt | None = None,
    ) -> T:
        work = Work(command, result, guard, idempotency, exempt)
        wait = _FIRST_WAIT_SECONDS
        for _ in range(self._options.tries):
            try:
                outcome: T = await self._attempt(tenant_id, work)
            except TransactionRerun:
                await asyncio.sleep(self._random.uniform(0, wait))
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            else:
                return outcome
        raise StoreBusy

    async def create_tenant(self, tenant_id: str) -> None:
        """Let a tenant be written to: its rows stand in the same tables as everyone's. Again is harmless."""
        plane = _plane_of(tenant_id)
        if plane is Plane.CONTROL:
            raise TenantStoreNotFound
        async with self._connection(plane, long=False) as connection:
            await run(connection, connection.execute, _ADMIT, tenant_id)

    async def drop_tenant(self, tenant_id: str) -> None:
        """Delete every row of a tenant, in batches that are each committed: when it fails midway, call it again.

        Writes that are running end first; later ones find no tenant, so that nothing is left behind.
        """
        plane = _plane_of(tenant_id)
        if plane is Plane.CONTROL:
            raise TenantStoreNotFound
        async with self._connection(plane, long=True) as connection:
            try:
                await run(connection, connection.execute, _SHUT.format(lock=_lock_of(tenant_id), tenant_id=tenant_id))
            except BaseException:
                await roll_back(connection)
                raise
            tables = await run(connection, connection.fetch, _TENANT_TABLES, SCHEMAS[plane])
            for (table,) in tables:
                statement = _DROP.format(table=table)
                while await run(connection, connection.execute, statement, tenant_id, _DROP_BATCH) != "DELETE 0":
                    pass

    async def pending(self, now_ms: int, limit: int, besides: Sequence[str] = ()) -> list[Pending]:
        async with self._connection(Plane.TENANT, long=True) as connection:
            rows = await run(connection, connection.fetch, _DUE, now_ms, limit, besides)
        return [Pending(tenant_id, due_at, NO_MARK) for tenant_id, due_at in rows]

    async def settle(self, pending: Pending, next_due: Query[int | None]) -> None:
        """Do nothing: what is done is no longer found."""

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> tuple[set[str], str | None]:
        async with self._connection(Plane.TENANT, long=False) as connection:
            rows = await run(connection, connection.fetch, _REVISED, tenant_ids, since or _SINCE_EVER)
        mark: str = rows[0][0]
        was_put_back = since is not None and _end_of(mark) < _end_of(since)
        return set(tenant_ids) if was_put_back else {row[1] for row in rows if row[1] is not None}, mark

    async def check(self) -> None:
        async with self._connection(Plane.CONTROL, long=False) as connection:
            await run(connection, connection.fetchval, "SELECT 1")

    async def close(self) -> None:
        """Wait a while for what is running, then close every connection."""
        lenders = [*self._connections.values(), *self._long_connections.values()]
        await asyncio.gather(*(_close(connections) for connections in lenders))

    async def _attempt(self, tenant_id: str, work: Work) -> Any:
        async with self._connection(_plane_of(tenant_id), long=False) as connection:
            tx = PostgresTransaction(connection, tenant_id)
            try:
                await self._begin(connection, tenant_id)
                outcome = await run_work(tx, tx.ledger, work, self._clock.now_ms())
                await tx.send_waiting()
                tx.close()
                # An answer to COMMIT that is lost leaves its effect unknown: StoreUnavailable, never run again.
                status = await run(connection, connection.execute, "COMMIT")
            except BaseException:
                tx.abandon()
                await roll_back(connection)
                raise
        if status != "COMMIT":
            raise RuntimeError(f"COMMIT was answered {status}")
        run_actions(tx.actions)
        return outcome

    @staticmethod
    async def _begin(connection: Connection, tenant_id: str) -> None:
        """Begin a transaction; a tenant's holds its store open for as long, in the same round trip."""
        if _plane_of(tenant_id) is Plane.CONTROL:
            await run(connection, connection.execute, "BEGIN")
            return
        begin = _BEGIN.format(lock=_lock_of(tenant_id), tenant_id=tenant_id)
        if await run(connection, connection.execute, begin) != "SELECT 1":
            raise TenantStoreNotFound

    @asynccontextmanager
    async def _connection(self, plane: Plane, *, long: bool) -> AsyncGenerator[asyncpg.pool.PoolConnectionProxy]:
        connections = (self._long_connections if long else self._connections)[plane]
        connection = await connections.acquire()
        try:
            yield connection
        except Exception:
            await connections.release(connection)
            raise
        except BaseException:  # what was running on it may still be
            await connections.end(connection)
            raise
        else:
            await connections.release(connection)

    def _lending(self, plane: Plane, size: int, statement_seconds: float) -> Connections:
        pool = self._pool(plane, size, statement_seconds)
        self._pools.append(pool)
        return Connections(pool, size, self._options.acquire_seconds)

    def _pool(self, plane: Plane, size: int, statement_seconds: float) -> asyncpg.Pool:
        options = self._options
        return asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            max_queries=2**62,
            connection_class=_Connection,
            timeout=options.connect_seconds,
            command_timeout=statement_seconds + _NETWORK_SECONDS,
            statement_cache_size=_STATEMENT_CACHE,
            max_cached_statement_lifetime=0,
            max_inactive_connection_lifetime=0,
            server_settings={
                "application_name": "hellojohn",
                "default_transaction_isolation": "read committed",
                "idle_in_transaction_session_timeout": _milliseconds(options.long_statement_seconds),
                "jit": "off",
                "lock_timeout": _milliseconds(options.lock_seconds),
                "plan_cache_mode": "force_custom_plan",
                "random_page_cost": "1.1",
                "search_path": f"{SCHEMAS[plane]}, public",
                "statement_timeout": _milliseconds(statement_seconds),
            },
        )


async def _migrate(dsn: str, clock: Clock, options: PostgresOptions) -> None:
    try:
        connection: asyncpg.Connection = await asyncpg.connect(
            dsn,
            timeout=options.connect_seconds,
            statement_cache_size=0,
            server_settings={"application_name": "hellojohn"},
        )
    except DRIVER_ERRORS as error:
        raise StoreUnavailable(f"The database cannot be reached: {str(error) or type(error).__name__}") from error
    except (ValueError, OverflowError):  # its words may show a piece of the password
        raise StoreUnavailable("The database cannot be reached: its address cannot be read.") from None
    try:
        with translated(connection):
            await bring_up_to_date(connection, clock.now_ms())
    finally:
        await connection.close(timeout=_CLOSE_SECONDS)


async def _close(connections: Connections) -> None:
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connections.close()
    except TimeoutError:
        connections.terminate()


def _plane_of(tenant_id: str) -> Plane:
    if tenant_id == CONTROL_TENANT_ID:
        return Plane.CONTROL
    if not is_id(tenant_id, IdPrefix.TENANT):
        raise TenantStoreNotFound
    return Plane.TENANT


def _lock_of(tenant_id: str) -> int:
    """Return the number of the advisory lock that a tenant's writes share and its end takes alone."""
    return int.from_bytes(hashlib.sha256(tenant_id.encode()).digest()[:8], "big", signed=True)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
