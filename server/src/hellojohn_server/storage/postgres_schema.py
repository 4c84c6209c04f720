"""Bringing a PostgreSQL database to the newest schema: both planes, forward only, safe when several processes start."""

from typing import Final

import asyncpg

from hellojohn_server.storage.errors import StoreUnavailable
from hellojohn_server.storage.migrations import Engine, Migration, Plane, load_migrations

SCHEMAS: Final = {Plane.CONTROL: "hellojohn_control", Plane.TENANT: "hellojohn_tenant"}
MIN_SERVER_VERSION: Final = 15
_LOCK: Final = 0x68656C6C6F6A6F68
"""The advisory lock that migrating processes queue on: the bytes of "hellojoh"."""

_CREATE_VERSIONS: Final = """
    CREATE TABLE IF NOT EXISTS {schema}.schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL
    )
"""
_HAS_VERSIONS: Final = """
    SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_migrations')
"""
"""to_regclass would answer from the connection's cache: it need not see what another process made while we waited."""

_GET_VERSION: Final = "SELECT coalesce(max(number), 0) FROM {schema}.schema_migrations"
_INSERT_VERSION: Final = "INSERT INTO {schema}.schema_migrations (number, name, applied_at) VALUES ($1, $2, $3)"
_NO_RIGHT: Final = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)


async def bring_up_to_date(connection: asyncpg.Connection, now_ms: int) -> None:
    """Apply what is missing, each migration in its own transaction. Does not write when nothing is missing.

    Raises StoreUnavailable when the database is newer than this program, or is not one that it can use.
    """
    await _require_fit(connection)
    try:
        for plane, schema in SCHEMAS.items():
            known = load_migrations(Engine.POSTGRES, plane)
            while await _version(connection, schema, len(known)) < len(known):
                await _apply_next(connection, schema, known, now_ms)
    except _NO_RIGHT as error:
        raise StoreUnavailable(
            f"The database has not the newest schema, and this role may not make it ({error}). "
            "Run `hj migrate` once with a role that may."
        ) from error


async def _require_fit(connection: asyncpg.Connection) -> None:
    version = connection.get_server_version()
    if version.major < MIN_SERVER_VERSION:
        raise StoreUnavailable(f"PostgreSQL {MIN_SERVER_VERSION} or newer is needed; this server is {version.major}.")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreUnavailable(f"The database must be encoded in UTF8; this one is {encoding}.")


async def _version(connection: asyncpg.Connection, schema: str, newest: int) -> int:
    """Return the number of the last migration applied, 0 for none."""
    if not await connection.fetchval(_HAS_VERSIONS, schema):
        return 0
    version = int(await connection.fetchval(_GET_VERSION.format(schema=schema)))
    if version > newest:
        raise StoreUnavailable(
            f"The database has {schema} at schema {version}, this program knows {newest}: upgrade the program."
        )
    return version


async def _apply_next(connection: asyncpg.Connection, schema: str, known: tuple[Migration, ...], now_ms: int) -> None:
    """Apply the one next migration under the lock, if no other process has done so meanwhile."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        version = await _version(connection, schema, len(known))
        if version == len(known):
            return
        migration = known[version]
        if version == 0:
            await _require_trigrams(connection)
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            await connection.execute(_CREATE_VERSIONS.format(schema=schema))
        await connection.execute(f"SET LOCAL search_path TO {schema}, public")
        await connection.execute(migration.sql)
        await connection.execute(
            _INSERT_VERSION.format(schema=schema),
            migration.number,
            migration.name,
            now_ms,
        )


async def _require_trigrams(connection: asyncpg.Connection) -> None:
    """Make the extension pg_trgm, which search stands on, in schema public."""
    found = await connection.fetchval(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'"
    )
    if found is None:
        try:
            await connection.execute("CREATE EXTENSION pg_trgm WITH SCHEMA public")
        except asyncpg.PostgresError as error:
            raise StoreUnavailable(
                f"The database needs the extension pg_trgm (of PostgreSQL's contrib package), and it cannot be made: "
                f"{error}. Let its owner or a superuser run: CREATE EXTENSION pg_trgm WITH SCHEMA public"
            ) from error
    elif found != "public":
        raise StoreUnavailable(
            f"The extension pg_trgm is in schema {found}. Let its owner run: ALTER EXTENSION pg_trgm SET SCHEMA public"
        )
