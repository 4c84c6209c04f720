"""asyncpg, spoken the house's way: parameters in, our errors out. Nothing above meets the driver's exceptions."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg

from hellojohn_server.storage.database import Parameter
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy, StoreUnavailable, UniqueViolation
from hellojohn_server.storage.sql import Statement

T = TypeVar("T")

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_RERUN: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
"""The database rolled the transaction back for a reason that is gone when it runs again (SQLSTATE 40001, 40P01; a
migration changed the result of a prepared statement)."""

_BUSY: Final = (asyncpg.LockNotAvailableError, asyncpg.TooManyConnectionsError)
_UNAVAILABLE_CLASSES: Final = frozenset({"08", "28", "3D", "53", "57", "58"})
"""SQLSTATE classes: connection, authorization, no such database, resources, operator intervention, system errors."""
_UNAVAILABLE_STATES: Final = frozenset({"25006", "25P03"})
"""Read-only (a standby after a failover); the server ended a transaction that was left idle."""


class TransactionRerun(StoreBusy):
    """The transaction was rolled back by the database and may be run again from its start."""


def translate(error: BaseException, connection: Connection | None) -> BaseException:
    """Return the store's error for a driver's; programming errors are returned as they are."""
    if isinstance(error, asyncpg.PostgresError):
        return _refused(error)
    if isinstance(error, asyncpg.InterfaceError) and connection is not None and not is_gone(connection):
        return error
    return StoreUnavailable()


def _refused(error: asyncpg.PostgresError) -> BaseException:
    """Return the store's error for what the server said."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return _unique(error)
    if isinstance(error, asyncpg.QueryCanceledError):
        return QueryTimeout()
    if isinstance(error, _RERUN):
        return TransactionRerun()
    if isinstance(error, _BUSY):
        return StoreBusy()
    state = error.sqlstate or ""
    unavailable = state[:2] in _UNAVAILABLE_CLASSES or state in _UNAVAILABLE_STATES
    return StoreUnavailable() if unavailable else error


@contextmanager
def translated(connection: Connection | None = None) -> Generator[None]:
    """Turn the driver's exceptions into the store's."""
    try:
        yield
    except DRIVER_ERRORS as error:
        found = translate(error, connection)
        if found is error:
            raise
        raise found from error


def _unique(error: asyncpg.UniqueViolationError) -> Exception:
    """Read table and column from the name of the constraint: <table>_<column>_key, or <table>_pkey for the id."""
    table, constraint = error.table_name, error.constraint_name
    if table is None or constraint is None or not constraint.startswith(f"{table}_"):
        return error
    column = constraint.removeprefix(f"{table}_").removesuffix("_key")
    return UniqueViolation(table, "id" if column == "pkey" else column)


def bind(statement: Statement, tenant_id: str, parameters: Mapping[str, Parameter]) -> list[Any]:
    """Return the arguments of `statement` in its order, the tenant included. TypeError when the names do not fit."""
    try:
        arguments = [tenant_id if name == "tenant_id" else parameters[name] for name in statement.postgres_names]
    except KeyError as missing:
        raise TypeError(f"{statement!r} needs the parameter {missing.args[0]}") from None
    unknown = parameters.keys() - statement.names
    if unknown:
        raise TypeError(f"{statement!r} has no parameter {', '.join(sorted(unknown))}")
    return arguments


def is_gone(connection: Connection) -> bool:
    """Say whether a connection is closed, or no longer ours because it was."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def run(connection: Connection, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Call a method of the connection and translate its failure; one that fails to answer is not used again."""
    try:
        return await call(*arguments)
    except DRIVER_ERRORS as error:
        found = translate(error, connection)
        if isinstance(found, StoreUnavailable) and not is_gone(connection):
            connection.terminate()
        if found is error:
            raise
        raise found from error


async def roll_back(connection: Connection) -> None:
    """End a transaction without effect. A connection on which that fails is closed, which has the same effect."""
    if is_gone(connection):
        return
    try:
        await connection.execute("ROLLBACK")
    except DRIVER_ERRORS:
        connection.terminate()
    except BaseException:
        connection.terminate()
        raise
