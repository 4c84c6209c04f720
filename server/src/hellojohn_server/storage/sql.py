"""Statements: SQL written by hand once, with :named parameters, in the form each driver wants.

A Statement is made at import (or composed once and cached). It knows whether it writes, and it refuses to exist if it
names a tenant-owned table without saying `tenant_id = :tenant_id` for it: the transaction supplies that parameter.
"""

import re
from enum import Enum
from typing import Final

TENANT_TABLES: Final = frozenset(
    {
        "api_keys",
        "audit_denials",
        "audit_entries",
        "audit_values",
        "idempotency_records",
        "memberships",
        "mfa_factors",
        "organizations",
        "roles",
        "sessions",
        "user_counter_deltas",
        "user_counters",
        "user_sequence_runs",
        "users",
    }
)
"""Tables that a tenant owns. Their columns start with tenant_id; a test compares this list with the migrations."""

_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_STRING: Final = re.compile(r"'(?:[^']|'')*'")
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TABLE: Final = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?([a-z_]+)\b", re.IGNORECASE)
_TENANT: Final = re.compile(r"\btenant_id\s*=\s*:tenant_id\b")
_INSERT: Final = re.compile(r"\bINTO\s+([a-z_]+)\s*(?:AS\s+[a-z_]+\s*)?\(\s*(?:\w+\s*,\s*)*?tenant_id\b", re.IGNORECASE)
_WRITES: Final = re.compile(r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+[a-z_]+\s|DELETE\s+FROM|REPLACE\s+INTO)", re.IGNORECASE)


class Kind(Enum):
    """What a statement's changes mean for the rule that every change is audited.

    DATA: a change that needs an audit entry. AUDIT: the entry itself. BOOKKEEPING: neither (counters, idempotency).
    """

    DATA = "data"
    AUDIT = "audit"
    BOOKKEEPING = "bookkeeping"


class Statement:
    """One SQL statement in both dialects. `sqlite` keeps :names; `postgres` has $1.. in the order of `postgres_names`.

    With `postgres_sql` the two dialects differ and stand side by side; without it one text serves both.
    """

    __slots__ = ("kind", "names", "postgres", "postgres_names", "sqlite", "writes")

    def __init__(self, sqlite_sql: str, postgres_sql: str | None = None, *, kind: Kind = Kind.DATA) -> None:
        self.sqlite = _require_tenant(sqlite_sql)
        self.postgres, self.postgres_names = _numbered(_require_tenant(postgres_sql or sqlite_sql))
        self.names = frozenset((*self.postgres_names, *_numbered(sqlite_sql)[1]))
        self.kind = kind
        self.writes = _WRITES.search(_bare(self.sqlite)) is not None

    def __repr__(self) -> str:
        return f"Statement({' '.join(self.sqlite.split())[:120]!r})"


class UnscopedStatement(ValueError):
    """A statement names a tenant-owned table and not its tenant."""


def _bare(sql: str) -> str:
    return _STRING.sub("''", _COMMENT.sub(" ", sql))


def _require_tenant(sql: str) -> str:
    bare = _bare(sql)
    named = [table for table in _TABLE.findall(bare) if table.lower() in TENANT_TABLES]
    inserted = [table for table in _INSERT.findall(bare) if table.lower() in TENANT_TABLES]
    if len(_TENANT.findall(bare)) + len(inserted) < len(named):
        raise UnscopedStatement(f"names {', '.join(named)} and not each one's tenant_id = :tenant_id: {sql.strip()}")
    return sql


def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    pieces = re.split(r"('(?:[^']|'')*')", sql)
    rewritten = "".join(piece if piece.startswith("'") else _PARAMETER.sub(number, piece) for piece in pieces)
    return rewritten, tuple(names)
