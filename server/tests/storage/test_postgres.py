"""What is only true of PostgreSQL: conflicts that are run again, connections that are lost, limits, migrations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import pairwise

import asyncpg
import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.idempotency import KEEP_SECONDS, Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage import postgres
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy, StoreUnavailable
from hellojohn_server.storage.housekeeping import get_next_expiry, purge_idempotency_records
from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from hellojohn_server.storage.postgres import PostgresDatabase, PostgresOptions
from hellojohn_server.storage.postgres_schema import SCHEMAS
from hellojohn_server.storage.sql import TENANT_TABLES, Kind, Statement
from tests.conftest import ManualClock
from tests.postgres_cluster import Cluster
from tests.storage.rows import Rows, list_ids, list_recorded

BACKEND = Statement("SELECT 0", "SELECT pg_backend_pid()")
ISOLATION = Statement("SELECT 0", "SELECT current_setting('transaction_isolation')")
LOCK_ORGANIZATION = Statement(
    "SELECT id FROM organizations WHERE tenant_id = :tenant_id AND id = :id",
    "SELECT id FROM organizations WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE",
)
SLEEP = Statement("SELECT 0 WHERE :seconds > 0", "SELECT pg_sleep(:seconds::float8)::text")
SETTINGS = Statement(
    "SELECT 0",
    "SELECT current_setting('plan_cache_mode'), current_setting('search_path'), current_setting('jit'),"
    " current_setting('default_transaction_isolation')",
)
COUNT_ORGANIZATIONS = Statement("SELECT count(*) FROM organizations WHERE tenant_id = :tenant_id")
INSERT_DELTA = Statement(
    "SELECT 0 WHERE :users IS NULL OR :tenant_id IS NULL",
    "INSERT INTO user_counter_deltas (tenant_id, facet, users) VALUES (:tenant_id, 'total', :users)",
    kind=Kind.BOOKKEEPING,
)
DELETE_DELTAS = Statement(
    "SELECT 0 WHERE :tenant_id IS NULL",
    "DELETE FROM user_counter_deltas WHERE tenant_id = :tenant_id",
    kind=Kind.BOOKKEEPING,
)

Open = Callable[[PostgresOptions], Awaitable[PostgresDatabase]]


@pytest.fixture
def postgres_url(own_postgres_url: str) -> str:
    """A database that nobody has used: tests change its shape."""
    return own_postgres_url


@pytest.fixture
async def open_with(postgres_url: str, clock: ManualClock) -> AsyncIterator[Open]:
    """Opens the test's database with given options; all are closed after the test."""
    opened: list[PostgresDatabase] = []

    async def open_(options: PostgresOptions) -> PostgresDatabase:
        opened.append(await PostgresDatabase.open(postgres_url, clock, options))
        return opened[-1]

    yield open_
    for database in opened:
        await database.close()


@pytest.fixture
async def store(open_with: Open) -> PostgresDatabase:
    return await open_with(PostgresOptions())


@pytest.fixture
async def tenant(store: PostgresDatabase, ids: IdFactory) -> str:
    new_id = ids.new(IdPrefix.TENANT)
    await store.create_tenant(new_id)
    return new_id


@pytest.fixture
def rows(ids: IdFactory, clock: ManualClock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


async def backend(reader: Reader) -> int:
    row = await reader.fetch_one(BACKEND)
    assert row is not None
    return int(row[0])


async def test_every_connection_is_set_up_alike(store: PostgresDatabase, tenant: str) -> None:
    async def settings(reader: Reader) -> tuple[str, ...]:
        row = await reader.fetch_one(SETTINGS)
        assert row is not None
        return tuple(row)

    for scope, schema in ((tenant, "hellojohn_tenant"), (CONTROL_TENANT_ID, "hellojohn_control")):
        for long in (False, True):
            assert await store.read(scope, settings, long=long) == (
                "force_custom_plan",
                f"{schema}, public",
                "off",
                "read committed",
            )


async def test_a_deadlock_is_run_again_whole(store: PostgresDatabase, tenant: str, rows: Rows) -> None:
    for row in ("org_a", "org_b"):
        await store.write(tenant, rows.insert(row), str)
    both_hold_one = asyncio.Barrier(2)
    runs: list[str] = []

    def lock(name: str, first: str, second: str) -> Callable[[Transaction], Awaitable[str]]:
        async def command(tx: Transaction) -> str:
            runs.append(name)
            await tx.fetch_one(LOCK_ORGANIZATION, id=first)
            if runs.count(name) == 1:
                await both_hold_one.wait()
            await tx.fetch_one(LOCK_ORGANIZATION, id=second)
            return await rows.insert(f"org_{name}")(tx)

        return command

    outcomes = await asyncio.gather(
        store.write(tenant, lock("1", "org_a", "org_b"), str), store.write(tenant, lock("2", "org_b", "org_a"), str)
    )

    assert outcomes == ["org_1", "org_2"]
    assert len(runs) == 3
    assert await store.read(tenant, list_ids) == ["org_1", "org_2", "org_a", "org_b"]
    assert sorted(await store.read(tenant, list_recorded)) == ["org_1", "org_2", "org_a", "org_b"]


async def test_a_serialization_conflict_is_run_again_whole(
    store: PostgresDatabase, tenant: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commands each count the rows and add one: serializable, the second must see the first one's."""
    serializable = postgres._BEGIN.replace("BEGIN;", "BEGIN ISOLATION LEVEL SERIALIZABLE;")
    monkeypatch.setattr(postgres, "_BEGIN", serializable)
    both_counted = asyncio.Barrier(2)
    counted: list[int] = []

    async def count_and_add(tx: Transaction, name: str) -> str:
        row = await tx.fetch_one(COUNT_ORGANIZATIONS)
        assert row is not None
        counted.append(row[0])
        if len(counted) <= 2:
            await both_counted.wait()
        return await rows.insert(f"org_{row[0]}_{name}")(tx)  # names that differ: the conflict is in what was counted

    commands = (partial(count_and_add, name=name) for name in "ab")
    outcomes = await asyncio.gather(*(store.write(tenant, command, str) for command in commands))

    assert sorted(outcomes) in (["org_0_a", "org_1_b"], ["org_0_b", "org_1_a"])
    assert counted[:2] == [0, 0]
    assert counted[-1] == 1
    assert sorted(await store.read(tenant, list_recorded)) == sorted(outcomes)


async def test_a_conflict_that_never_ends_is_busy(open_with: Open, tenant: str, cluster: Cluster) -> None:
    store = await open_with(PostgresOptions(tries=3))
    runs: list[int] = []
    fail = Statement("SELECT 0", "SELECT hellojohn_tenant.fail()")
    cluster.psql(
        "CREATE FUNCTION hellojohn_tenant.fail() RETURNS int LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END $$",
        await pg_database(store),
    )

    async def conflict(tx: Transaction) -> None:
        runs.append(1)
        await tx.fetch_one(fail)

    with pytest.raises(StoreBusy):
        await store.write(tenant, conflict, type(None))
    assert len(runs) == 3
    await store.check()


async def pg_database(store: Database) -> str:
    async def name(reader: Reader) -> str:
        row = await reader.fetch_one(Statement("SELECT 0", "SELECT current_database()::text"))
        assert row is not None
        return str(row[0])

    return await store.read(CONTROL_TENANT_ID, name)


async def test_a_connection_killed_in_a_command_is_unavailable_and_the_pool_recovers(
    open_with: Open, tenant: str, rows: Rows, cluster: Cluster
) -> None:
    store = await open_with(PostgresOptions(tenant_connections=2))
    runs: list[str] = []

    async def command(tx: Transaction) -> str:
        runs.append("run")
        await rows.insert("org_lost")(tx)
        cluster.psql(f"SELECT pg_terminate_backend({await backend(tx)})")
        return await rows.insert("org_never")(tx)

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.write(tenant, command, str)

    assert len(runs) == 3
    assert await store.read(tenant, list_ids) == []
    assert await store.write(tenant, rows.insert("org_1"), str) == "org_1"
    assert await store.read(tenant, list_ids) == ["org_1"]


async def test_a_connection_killed_before_commit_is_unavailable_and_not_run_again(
    store: PostgresDatabase, tenant: str, rows: Rows, cluster: Cluster
) -> None:
    runs: list[str] = []

    async def command(tx: Transaction) -> str:
        runs.append(await rows.insert("org_1")(tx))
        cluster.psql(f"SELECT pg_terminate_backend({await backend(tx)})")
        return "org_1"

    with pytest.raises(StoreUnavailable):
        await store.write(tenant, command, str)

    assert runs == ["org_1"]
    assert await store.read(tenant, list_ids) == []


async def test_a_connection_killed_while_idle_is_replaced(
    open_with: Open, tenant: str, rows: Rows, cluster: Cluster
) -> None:
    store = await open_with(PostgresOptions(tenant_connections=1))
    killed = await store.read(tenant, backend)
    cluster.psql(f"SELECT pg_terminate_backend({killed})")

    for _ in range(50):
        try:
            assert await store.write(tenant, rows.insert("org_1"), str) == "org_1"
            break
        except StoreUnavailable:
            await asyncio.sleep(0.01)
    assert await store.read(tenant, backend) != killed
    assert await store.read(tenant, list_ids) == ["org_1"]


async def test_a_killed_read_is_unavailable(store: PostgresDatabase, tenant: str, cluster: Cluster) -> None:
    async def query(reader: Reader) -> None:
        cluster.psql(f"SELECT pg_terminate_backend({await backend(reader)})")
        with pytest.raises(StoreUnavailable):
            await reader.fetch_all(BACKEND)
        await reader.fetch_one(BACKEND)

    with pytest.raises(StoreUnavailable):
        await store.read(tenant, query)
    assert await store.read(tenant, backend) > 0


async def test_a_statement_has_its_time(open_with: Open, tenant: str, rows: Rows) -> None:
    store = await open_with(PostgresOptions(statement_seconds=0.1, long_statement_seconds=0.4))

    def sleep(seconds: float) -> Callable[[Reader], Awaitable[None]]:
        async def query(reader: Reader) -> None:
            await reader.fetch_one(SLEEP, seconds=seconds)

        return query

    async def command(tx: Transaction) -> str:
        await rows.insert("org_1")(tx)
        await tx.fetch_one(SLEEP, seconds=5.0)
        return "org_1"

    with pytest.raises(QueryTimeout):
        await store.read(tenant, sleep(5.0))
    with pytest.raises(QueryTimeout):
        await store.write(tenant, command, str)
    await store.read(tenant, sleep(0.2), long=True)
    with pytest.raises(QueryTimeout):
        await store.read(tenant, sleep(5.0), long=True)
    assert await store.read(tenant, list_ids) == []


async def test_a_server_that_does_not_answer_is_unavailable(
    open_with: Open, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hellojohn_server.storage.postgres._NETWORK_SECONDS", -4.8)
    store = await open_with(PostgresOptions(statement_seconds=5.0))

    async def query(reader: Reader) -> None:
        await reader.fetch_one(SLEEP, seconds=3.0)

    with pytest.raises(StoreUnavailable):
        await store.read(tenant, query)
    assert await store.read(tenant, list_ids) == []


async def test_a_row_that_stays_locked_is_busy(open_with: Open, tenant: str, rows: Rows) -> None:
    store = await open_with(PostgresOptions(lock_seconds=0.05))
    await store.write(tenant, rows.insert("org_1"), str)
    held, done = asyncio.Event(), asyncio.Event()

    async def hold(tx: Transaction) -> None:
        await tx.fetch_one(LOCK_ORGANIZATION, id="org_1")
        held.set()
        await done.wait()

    async def want(tx: Transaction) -> None:
        await tx.fetch_one(LOCK_ORGANIZATION, id="org_1")

    holding = asyncio.create_task(store.write(tenant, hold, type(None)))
    await held.wait()
    with pytest.raises(StoreBusy):
        await store.write(tenant, want, type(None))
    done.set()
    await holding


async def test_when_every_connection_is_taken_too_long_the_store_is_busy(open_with: Open, tenant: str) -> None:
    store = await open_with(PostgresOptions(tenant_connections=1, acquire_seconds=0.05))
    taken, done = asyncio.Event(), asyncio.Event()

    async def take(_: Reader) -> None:
        taken.set()
        await done.wait()

    taking = asyncio.create_task(store.read(tenant, take))
    await taken.wait()
    with pytest.raises(StoreBusy):
        await store.read(tenant, list_ids)
    await store.check()
    done.set()
    await taking
    assert await store.read(tenant, list_ids) == []


async def test_when_the_server_takes_no_more_connections_the_store_is_busy(
    open_with: Open, tenant: str, cluster: Cluster
) -> None:
    store = await open_with(PostgresOptions())
    cluster.psql(f'ALTER DATABASE "{await pg_database(store)}" CONNECTION LIMIT 0')

    with pytest.raises(StoreBusy):
        await store.read(tenant, list_ids)


async def test_a_command_that_is_cancelled_leaves_nothing(open_with: Open, tenant: str, rows: Rows) -> None:
    store = await open_with(PostgresOptions(tenant_connections=1))
    started = asyncio.Event()

    async def command(tx: Transaction) -> str:
        await rows.insert("org_1")(tx)
        started.set()
        await tx.fetch_one(SLEEP, seconds=4.0)
        return "org_1"

    writing = asyncio.create_task(store.write(tenant, command, str))
    await started.wait()
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await store.read(tenant, list_ids) == []
    assert await store.write(tenant, rows.insert("org_1"), str) == "org_1"


async def test_a_reader_is_of_no_use_after_its_query(store: PostgresDatabase, tenant: str) -> None:
    kept: list[Reader] = []

    async def query(reader: Reader) -> None:
        kept.append(reader)

    await store.read(tenant, query)
    with pytest.raises(RuntimeError, match="only while its query runs"):
        await kept[0].fetch_one(BACKEND)


async def test_counter_deltas_are_pending_work(store: PostgresDatabase, ids: IdFactory, clock: ManualClock) -> None:
    tenants = [ids.new(IdPrefix.TENANT) for _ in range(3)]
    for tenant in tenants[:2]:
        await store.create_tenant(tenant)

        async def count(tx: Transaction) -> None:
            await tx.execute(INSERT_DELTA, users=1)
            await tx.execute(INSERT_DELTA, users=-1)

        await store.write(tenant, count, type(None))

    async def fold(tx: Transaction) -> None:
        assert await tx.execute(DELETE_DELTAS) == 2

    assert [found.tenant_id for found in await store.pending(clock.now_ms(), 10)] == tenants[:2]
    await store.write(tenants[0], fold, type(None), exempt=Exempt.COUNTER_FOLD)
    assert [found.tenant_id for found in await store.pending(clock.now_ms(), 10)] == [tenants[1]]


async def test_a_record_that_a_request_claims_again_is_not_thrown_away(
    store: PostgresDatabase, tenant: str, rows: Rows, clock: ManualClock, postgres_url: str
) -> None:
    retry = Idempotency(key="k", scope=("x",), credential="sk", request=b"{}")
    await store.write(tenant, rows.insert("org_1"), str, idempotency=retry)
    clock.advance(KEEP_SECONDS)
    other = await asyncpg.connect(postgres_url, server_settings={"search_path": "hellojohn_tenant"})
    try:
        claiming = other.transaction()
        await claiming.start()
        await other.execute("UPDATE idempotency_records SET expires_at = expires_at + 1")
        purging = asyncio.create_task(purge_idempotency_records(store, tenant, clock.now_ms()))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.005)
        await claiming.commit()
        await purging
        assert await store.read(tenant, get_next_expiry) == clock.now_ms() + 1
    finally:
        await other.close()


async def test_dropping_a_tenant_empties_every_table_in_batches(
    store: PostgresDatabase, ids: IdFactory, rows: Rows, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hellojohn_server.storage.postgres._DROP_BATCH", 2)
    gone, kept = ids.new(IdPrefix.TENANT), ids.new(IdPrefix.TENANT)
    for tenant in (gone, kept):
        await store.create_tenant(tenant)
        for number in range(5):
            await store.write(tenant, rows.insert(f"org_{number}"), str)

    await store.drop_tenant(gone)

    connection = await asyncpg.connect(postgres_url)
    try:
        tables = await owned_tables(connection)
        assert tables == TENANT_TABLES - {"user_sequence_runs"}
        for table in tables:
            count = await connection.fetchval(
                f"SELECT count(*) FROM hellojohn_tenant.{table} WHERE tenant_id = $1", gone
            )
            assert count == 0, table
    finally:
        await connection.close()
    assert len(await store.read(kept, list_ids)) == 5


DUE_INDEXES = (
    "action_tokens_expires_at",
    "banned_addresses_until",
    "emails_next_attempt_at",
    "emails_purge_at",
    "idempotency_records_due",
    "imports_purge_at",
    "jobs_due_at",
    "jobs_purge_at",
    "mfa_challenges_expires_at",
    "mfa_factors_pending",
    "mfa_failures_expires_at",
    "organization_invitations_expires_at",
    "plans_due_at",
    "plans_purge_at",
    "revocations_forget_at",
    "sessions_expires_at",
    "sign_in_failures_expires_at",
    "used_passkey_challenges_expires_at",
    "users_banned_until",
    "users_deleted_at",
    "users_locked_until",
)
"""A time leads them: the worker asks across tenants what is due."""


async def owned_tables(connection: asyncpg.Connection) -> set[str]:
    found = await connection.fetch(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'hellojohn_tenant' AND column_name = 'tenant_id'"
    )
    return {row[0] for row in found}


async def test_the_tenant_leads_every_table_and_every_key_and_index(store: PostgresDatabase, postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        indexes = await connection.fetch(
            """
            SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i
            JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            WHERE n.nspname LIKE 'hellojohn_%' AND EXISTS (
                SELECT 1 FROM pg_attribute t WHERE t.attrelid = i.indrelid AND t.attname = 'tenant_id'
            )
            """
        )
        first = await connection.fetch(
            "SELECT table_name, ordinal_position FROM information_schema.columns"
            " WHERE table_schema LIKE 'hellojohn_%' AND column_name = 'tenant_id'"
        )
    finally:
        await connection.close()

    others = {name.rpartition(".")[2] for name, column in indexes if column != "tenant_id"}
    assert others == {"users_search_prefixes", "users_search_text", *DUE_INDEXES}
    assert {position for _, position in first} == {1}


async def test_every_unique_key_is_named_after_its_columns(store: PostgresDatabase, postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        keys = await connection.fetch(
            """
            SELECT c.relname, k.conname, array_agg(a.attname ORDER BY u.position)
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u (number, position) ON TRUE
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
            WHERE n.nspname LIKE 'hellojohn_%' AND k.contype IN ('p', 'u') AND c.relname <> 'schema_migrations'
            GROUP BY 1, 2, k.oid
            """
        )
        unnamed = await connection.fetch(
            """
            SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname LIKE 'hellojohn_%' AND i.indisunique
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
            """
        )
    finally:
        await connection.close()

    assert keys
    assert unnamed == []
    for table, name, columns in keys:
        told = "_".join(column for column in columns if column != "tenant_id")
        assert name in ({f"{table}_pkey"} if told == "id" else set()) | {f"{table}_{told}_key"}


async def test_closing_twice_is_harmless_and_a_closed_store_is_unavailable(open_with: Open, tenant: str) -> None:
    store = await open_with(PostgresOptions())
    await store.close()
    await store.close()

    with pytest.raises(StoreUnavailable):
        await store.read(tenant, list_ids)
    with pytest.raises(StoreUnavailable):
        await store.check()


async def test_migrations_are_made_once_however_many_processes_start(cluster: Cluster, clock: ManualClock) -> None:
    url = cluster.create_database("fresh")
    try:
        for store in await asyncio.gather(*(PostgresDatabase.open(url, clock) for _ in range(6))):
            await store.check()
            await store.close()
        for plane, schema in SCHEMAS.items():
            made = cluster.psql(
                f"SELECT number || '_' || name FROM {schema}.schema_migrations ORDER BY number", "fresh"
            )
            known = [f"{migration.number}_{migration.name}" for migration in load_migrations(Engine.POSTGRES, plane)]
            assert made.split() == known
    finally:
        cluster.drop_database("fresh")


async def test_a_newer_database_is_refused(store: PostgresDatabase, postgres_url: str, clock: ManualClock) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("INSERT INTO hellojohn_tenant.schema_migrations VALUES (9999, 'later', 0)")
    await connection.close()

    with pytest.raises(StoreUnavailable, match=r"at schema 9999, this program knows \d+: upgrade"):
        await PostgresDatabase.open(postgres_url, clock)


async def test_an_older_database_that_this_role_may_not_change_is_refused(
    store: PostgresDatabase, cluster: Cluster, postgres_url: str, clock: ManualClock
) -> None:
    database = await pg_database(store)
    cluster.psql("DELETE FROM hellojohn_tenant.schema_migrations", database)
    cluster.psql("ALTER SCHEMA hellojohn_tenant OWNER TO postgres", database)

    with pytest.raises(StoreUnavailable, match=r"this role may not make it .*hj migrate"):
        await PostgresDatabase.open(postgres_url, clock)


async def test_an_up_to_date_database_is_opened_by_a_role_that_may_only_use_it(
    store: PostgresDatabase, cluster: Cluster, postgres_url: str, clock: ManualClock, tenant: str, rows: Rows
) -> None:
    database = await pg_database(store)
    cluster.psql("CREATE ROLE only_uses LOGIN")
    try:
        for schema in SCHEMAS.values():
            cluster.psql(f"GRANT USAGE ON SCHEMA {schema} TO only_uses", database)
            cluster.psql(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO only_uses", database
            )
        used = await PostgresDatabase.open(postgres_url.replace("hellojohn@", "only_uses@"), clock)
        assert await used.write(tenant, rows.insert("org_1"), str) == "org_1"
        await used.close()
        assert await store.read(tenant, list_ids) == ["org_1"]
    finally:
        cluster.psql("DROP OWNED BY only_uses", database)
        cluster.psql("DROP ROLE only_uses")


async def test_trigrams_in_another_schema_are_refused(cluster: Cluster, clock: ManualClock) -> None:
    url = cluster.create_database("elsewhere")
    try:
        cluster.psql("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm WITH SCHEMA extensions", "elsewhere")
        with pytest.raises(StoreUnavailable, match="pg_trgm is in schema extensions"):
            await PostgresDatabase.open(url, clock)
    finally:
        cluster.drop_database("elsewhere")


async def test_trigrams_that_may_not_be_made_are_refused(cluster: Cluster, clock: ManualClock) -> None:
    url = cluster.create_database("forbidden")
    try:
        cluster.psql("ALTER DATABASE forbidden OWNER TO postgres")
        with pytest.raises(StoreUnavailable, match="needs the extension pg_trgm"):
            await PostgresDatabase.open(url, clock)
        assert cluster.psql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'hellojohn_%'", "forbidden") == "0"
    finally:
        cluster.drop_database("forbidden")


async def test_another_encoding_is_refused(cluster: Cluster, clock: ManualClock) -> None:
    cluster.psql("CREATE DATABASE latin OWNER hellojohn TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        with pytest.raises(StoreUnavailable, match="encoded in UTF8; this one is LATIN1"):
            await PostgresDatabase.open(cluster.url("latin"), clock)
    finally:
        cluster.drop_database("latin")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda url: url.rpartition("/")[0] + "/no_such_database", "cannot be reached: database .* does not exist"),
        (lambda url: url.replace("hellojohn@", "nobody@"), "cannot be reached: role .* does not exist"),
        (lambda _: "postgresql://hellojohn@127.0.0.1:1/x", "cannot be reached"),
        (lambda _: "mysql://hellojohn@127.0.0.1/x", "cannot be reached: .*invalid DSN"),
    ],
)
async def test_a_database_that_cannot_be_reached_says_why(
    cluster: Cluster, clock: ManualClock, change: Callable[[str], str], message: str
) -> None:
    with pytest.raises(StoreUnavailable, match=message):
        await PostgresDatabase.open(change(cluster.url("postgres")), clock)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://x:hush/word@127.0.0.1/x",
        "postgresql://x@127.0.0.1/x?hush",
        "postgresql://x:hush@127.0.0.1:70000/x",
    ],
)
async def test_an_address_that_cannot_be_read_is_not_shown(clock: ManualClock, url: str) -> None:
    with pytest.raises(StoreUnavailable, match="its address cannot be read") as refused:
        await PostgresDatabase.open(url, clock)

    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(("engine", "plane"), [(engine, plane) for engine in Engine for plane in Plane])
def test_migrations_are_numbered_without_a_gap(engine: Engine, plane: Plane) -> None:
    numbers = [0, *(migration.number for migration in load_migrations(engine, plane))]

    assert len(numbers) > 1
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
