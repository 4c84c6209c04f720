"""Statements: SQL written by hand once, with :named parameters, in the form each driver wants.

A Statement is made at import (or composed once and cached). It knows whether it writes, and it refuses to exist if it
names a tenant-owned table without saying `tenant_id = :tenant_id` for it (tenant_rule.py): the transaction supplies
that parameter, so a repository cannot name another tenant.
"""

from enum import Enum
from typing import Final

from hellojohn_server.storage.sql_text import MalformedStatement, Token, numbered, tokens_of, tree_of
from hellojohn_server.storage.tenant_rule import UnscopedStatement, check_tenant

TENANT_TABLES: Final = frozenset(
    {
        "action_tokens",
        "api_keys",
        "audit_denials",
        "audit_entries",
        "audit_values",
        "banned_addresses",
        "emails",
        "idempotency_records",
        "job_users",
        "jobs",
        "import_refused_rows",
        "imports",
        "memberships",
        "mfa_backup_codes",
        "mfa_challenges",
        "mfa_factors",
        "mfa_failures",
        "organization_invitations",
        "organizations",
        "plan_users",
        "plans",
        "revocations",
        "roles",
        "sessions",
        "sign_in_failures",
        "tenant_settings",
        "used_passkey_challenges",
        "user_counter_deltas",
        "user_counters",
        "user_sequence_runs",
        "users",
    }
)
"""Tables that a tenant owns. Their columns start with tenant_id; a test compares this list with the migrations."""


class Kind(Enum):
    """What a statement's changes mean for the rule that every change is audited.

    DATA: a change that needs an audit entry. AUDIT: the entry itself. BOOKKEEPING: neither (counters, idempotency).
    """

    DATA = "data"
    AUDIT = "audit"
    BOOKKEEPING = "bookkeeping"


class Statement:
    """One SQL statement in both dialects. `sqlite` keeps :names; `postgres` has $1.. in the order of `postgres_names`.

    With `postgres_sql` the two dialects differ and stand side by side; without it one text serves both. `names` are the
    parameters that the caller gives, of both dialects: all but tenant_id. `writes` and `matches`, whether it asks a
    full-text index, are said of the SQLite form.
    """

    __slots__ = ("kind", "matches", "names", "postgres", "postgres_names", "postgres_writes", "sqlite", "writes")

    def __init__(self, sqlite_sql: str, postgres_sql: str | None = None, *, kind: Kind = Kind.DATA) -> None:
        self.sqlite = sqlite_sql
        tokens, self.writes = _checked(sqlite_sql)
        self.matches = " MATCH " in sqlite_sql
        names = numbered(tokens)[1]
        self.postgres_writes = self.writes
        if postgres_sql is not None:
            tokens, self.postgres_writes = _checked(postgres_sql)
        self.postgres, self.postgres_names = numbered(tokens)
        self.names = frozenset({*names, *self.postgres_names} - {"tenant_id"})
        self.kind = kind

    def __repr__(self) -> str:
        return f"Statement({' '.join(self.sqlite.split())[:120]!r})"


class RowUpdate(Statement):
    """A statement that changes rows and returns of each its id and then the `columns` that it may have changed.

    These are given as one text, as they stand in its RETURNING after the id.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: str, sqlite_sql: str, postgres_sql: str) -> None:
        super().__init__(sqlite_sql, postgres_sql)
        self.columns = tuple(columns.split(", ")) if columns else ()


def _checked(sql: str) -> tuple[list[Token], bool]:
    try:
        tokens = tokens_of(sql)
        return tokens, check_tenant(tree_of(tokens), TENANT_TABLES)
    except (MalformedStatement, UnscopedStatement) as refused:
        raise type(refused)(f"{refused}: {' '.join(sql.split())}") from None
