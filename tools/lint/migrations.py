"""The tables that the migrations of an engine make, read from their text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_CREATE: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN: Final = re.compile(r"^ {4}([a-z_][a-z0-9_]*) ", re.MULTILINE)
_ADDED: Final = re.compile(r"^ALTER TABLE (\w+) ADD COLUMN ([a-z_]\w*) ", re.MULTILINE)

ONE_ENGINE: Final = {
    "tenant_stores": "on SQLite a tenant may be written to while its file is there",
    "pending_work": "on PostgreSQL a plain read finds the tenants with work that is due",
    "user_counter_deltas": "PostgreSQL appends what SQLite updates in place",
    "user_sequence_runs": "SQLite's row numbers are creation times; PostgreSQL has none",
}
"""Tables that only one engine has, and why."""

_ROW_NUMBERS: Final = frozenset({"seq", "user_seq"})
"""A row's own number, and that of the user it is about."""

COMMIT_ORDER: Final = {"revocations": frozenset({"xid", "seq"})}
"""Columns by which PostgreSQL tells what was committed since; on SQLite the rows' own numbers do."""

_TENANT: Final = "tenant_id"


def tables_of(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return each table's columns, in order, from the texts of an engine's migrations in order."""
    tables: dict[str, list[str]] = {}
    for text in texts:
        for name, body in _CREATE.findall(text):
            tables[name] = _COLUMN.findall(body)
        for name, column in _ADDED.findall(text):
            tables[name].append(column)
    return tables


def tenant_tables_of(tables: Mapping[str, list[str]]) -> frozenset[str]:
    """Return the tables that a tenant owns."""
    return frozenset(name for name, columns in tables.items() if _TENANT in columns)


def differences(sqlite: Mapping[str, list[str]], postgres: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield where the tables of the two engines differ, but for row numbers, COMMIT_ORDER and ONE_ENGINE."""
    for name in sorted(sqlite.keys() | postgres.keys()):
        if name in ONE_ENGINE:
            continue
        if name not in sqlite or name not in postgres:
            yield f"{name} exists on one engine only"
            continue
        ours = [c for c in sqlite[name] if c not in _ROW_NUMBERS]
        theirs = [c for c in postgres[name] if c not in COMMIT_ORDER.get(name, ())]
        if ours != theirs:
            odd = sorted(set(ours) ^ set(theirs))
            yield f"{name} differs: {', '.join(odd) if odd else 'the order of its columns'}"
