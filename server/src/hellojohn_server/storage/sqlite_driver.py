"""apsw, spoken the house's way: parameters in, our errors out. The only module that knows the driver's exceptions."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol, cast

import apsw
import msgspec

from hellojohn_server.storage.database import Parameter, Row
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy, StoreUnavailable, UniqueViolation
from hellojohn_server.storage.sql import Statement

_SCALARS: Final = frozenset({str, int, float, bytes, bool, type(None)})
_UNIQUE: Final = re.compile(r"UNIQUE constraint failed: (.+)")
_UNIQUE_RESULTS: Final = frozenset(
    {apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID}
)
_STATEMENT_CACHE: Final = 256
_CACHE_KIB: Final = 8 * 1024
_MEMORY_BYTES: Final = 64 * 1024 * 1024
_OPENING_BUSY_MS: Final = 5_000
"""How long opening waits, in its thread, for another process that makes or recovers the same file."""
_FAILURES: Final = (
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.FullError,
    apsw.IOError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ReadOnlyError,
)


class Connection(Protocol):
    """What the store uses of the driver's connection."""

    @property
    def in_transaction(self) -> bool: ...

    def changes(self) -> int: ...
    def close(self) -> None: ...
    def execute(self, statements: str, bindings: Mapping[str, Any] | None = None) -> Iterable[Row]: ...
    def executemany(self, statements: str, sequenceofbindings: Iterable[Mapping[str, Any]]) -> Iterable[Row]: ...
    def interrupt(self) -> None: ...
    def pragma(self, name: str, value: str | int | None = None) -> Any: ...
    def set_busy_timeout(self, milliseconds: int) -> None: ...
    def set_progress_handler(self, callable: Callable[[], bool] | None, nsteps: int = 100) -> None: ...  # noqa: A002 - the driver's name
    def total_changes(self) -> int: ...


def limit_memory() -> None:
    """Let the pages of all connections of the process take no more than 64 MiB together, but for those in use.

    Each may keep 8 MiB: what a search among a million users looks at again and again.
    """
    apsw.soft_heap_limit(_MEMORY_BYTES)


def connect(path: Path, *, create: bool = False, read_only: bool = False, vfs: str | None = None) -> Connection:
    """Open a file as every connection of ours is: WAL, fsync at each commit, freed content overwritten, no waiting.

    Plans do not depend on values (SQLITE_DBCONFIG_ENABLE_QPSG): else a statement in which one might matter, as where
    there are partial indexes, is parsed and planned again each time that it is bound: half of the time of inserting a
    user, and more of that of reading a page of them.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    opened = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=_STATEMENT_CACHE)
    opened.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection = cast("Connection", opened)
    connection.set_busy_timeout(_OPENING_BUSY_MS)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("secure_delete", value=True)
    connection.pragma("temp_store", "memory")
    connection.pragma("cache_size", -_CACHE_KIB)
    if read_only:
        connection.pragma("query_only", value=True)
    connection.set_busy_timeout(0)
    return connection


class _Translation:
    """Every statement runs in it: a class, as entering and leaving a generator takes three times as long."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case None:
                return
            case apsw.ConstraintError():
                raise _constraint(error) from error
            case apsw.BusyError() | apsw.LockedError():
                raise StoreBusy from error
            case apsw.InterruptError():
                raise QueryTimeout from error
            case _ if isinstance(error, _FAILURES):
                raise StoreUnavailable from error
            case _:
                return


_TRANSLATION: Final = _Translation()


def translated() -> AbstractContextManager[None]:
    """Turn the driver's exceptions into the store's; leave programming errors as they are."""
    return _TRANSLATION


def _constraint(error: apsw.ConstraintError) -> Exception:
    named = _UNIQUE.search(str(error))
    if getattr(error, "extendedresult", None) not in _UNIQUE_RESULTS or named is None:
        return error
    columns = [column.strip().rpartition(".") for column in named[1].split(",")]
    return UniqueViolation(columns[0][0], "_".join(column for _, _, column in columns))


def bind(statement: Statement, tenant_id: str, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the bindings of `statement`: the tenant, lists as JSON for json_each. TypeError on an unknown name."""
    unknown = parameters.keys() - statement.names
    if unknown:
        raise TypeError(f"{statement!r} has no parameter {', '.join(sorted(unknown))}")
    bindings: dict[str, Any] = {"tenant_id": tenant_id}
    for name, value in parameters.items():
        if type(value) in _SCALARS:  # asked first: a command may bind thousands
            bindings[name] = value
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            bindings[name] = msgspec.json.encode(value).decode()
        else:
            bindings[name] = value
    return bindings


def fetch(connection: Connection, statement: Statement, bindings: Mapping[str, Any]) -> list[Row]:
    """Run `statement` and return every row; the statement is finished when this returns."""
    return list(connection.execute(statement.sqlite, bindings))
