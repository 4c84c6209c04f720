"""What is in a store, behind the program's back: every row of every table, and every byte of its files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

import apsw
import asyncpg

from tests.postgres_cluster import SUPERUSER, Cluster

SEARCH_INDEXES: Final = ("users_prefixes", "users_trigrams")


class Store(Protocol):
    """The store of one tenant."""

    async def rows(self, table: str, condition: str = "", **values: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a table of the tenant's, all or those for which `condition` holds."""
        ...

    async def tables(self) -> Sequence[str]:
        """Return the names of the tenant's tables."""
        ...

    def settle(self) -> None:
        """Have the store write everything to its files."""
        ...

    def clean(self) -> None:
        """Have the store throw away what it keeps of deleted rows. No server runs on it any more."""
        ...

    def files(self) -> Iterable[Path]:
        """Return every file that the store keeps data in."""
        ...


class EmbeddedStore:
    """The embedded store under a directory, with one tenant."""

    def __init__(self, data_dir: Path, tenant_id: str) -> None:
        self._data_dir = data_dir
        self._path = data_dir / "tenants" / f"{tenant_id}.db"

    async def rows(self, table: str, condition: str = "", **values: str) -> Sequence[Sequence[Any]]:
        where = f" WHERE {condition}" if condition else ""
        used = {name: value for name, value in values.items() if f":{name}" in condition}
        with closing(apsw.Connection(str(self._path))) as connection:
            return list(connection.execute(f"SELECT * FROM {table}{where}", used))

    async def tables(self) -> Sequence[str]:
        listed = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'users\\_%' ESCAPE '\\'"
        with closing(apsw.Connection(str(self._path))) as connection:
            return [name for (name,) in connection.execute(listed)]

    def settle(self) -> None:
        """Nothing to do: whatever is committed is in the file or in its log."""

    def clean(self) -> None:
        with closing(apsw.Connection(str(self._path))) as connection:
            connection.pragma("secure_delete", value=True)
            for index in SEARCH_INDEXES:
                connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
            connection.pragma("wal_checkpoint(TRUNCATE)")

    def files(self) -> Iterable[Path]:
        return [path for path in self._data_dir.rglob("*") if path.is_file()]


class PostgresStore:
    """A database of a private server, with one tenant in it."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self._cluster = cluster
        self._url = url
        self._name = url.rpartition("/")[2]

    async def rows(self, table: str, condition: str = "", **values: str) -> Sequence[Sequence[Any]]:
        used = [name for name in values if f":{name}" in condition]
        for place, name in enumerate(used, start=1):
            condition = condition.replace(f":{name}", f"${place}")
        where = f" WHERE {condition}" if condition else ""
        connection = await asyncpg.connect(
            self._url, user=SUPERUSER, server_settings={"search_path": "hellojohn_tenant"}
        )
        try:
            found = await connection.fetch(f"SELECT * FROM {table}{where}", *(values[name] for name in used))
            return [list(row) for row in found]
        finally:
            await connection.close()

    async def tables(self) -> Sequence[str]:
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'hellojohn_tenant'"
        return self._cluster.psql(listed, self._name).split()

    def settle(self) -> None:
        self._cluster.psql("CHECKPOINT", self._name)

    def clean(self) -> None:
        self._cluster.psql("VACUUM FULL", self._name)
        self.settle()

    def files(self) -> Iterable[Path]:
        number = self._cluster.psql("SELECT oid FROM pg_database WHERE datname = current_database()", self._name)
        return [path for path in (self._cluster.directory / "data" / "base" / number).iterdir() if path.is_file()]


def found_in_rows(rows: Iterable[Sequence[Any]], needles: Sequence[str]) -> set[str]:
    """Return which needles stand anywhere in rows, whatever their case."""
    return {needle for row in rows for text in _texts(row) for needle in needles if needle in text}


def found_in_files(files: Iterable[Path], needles: Sequence[str]) -> Mapping[str, set[str]]:
    """Return which needles stand in which files, whatever their case."""
    found: dict[str, set[str]] = {}
    for path in files:
        content = path.read_bytes().lower()
        here = {needle for needle in needles if needle.encode() in content}
        if here:
            found[path.name] = here
    return found


def _texts(row: Sequence[Any]) -> Iterator[str]:
    for value in row:
        if isinstance(value, bytes):
            yield value.decode("latin-1").lower()
        elif value is not None:
            yield str(value).lower()
