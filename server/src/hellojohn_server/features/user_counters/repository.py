"""The statements that fold the counters over users, count them anew, and compare."""

from typing import Final

from hellojohn_server.features.user_counters.schemas import WrongCounter
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

# Folding and rebuilding both begin by taking the row `total`, so that only one of them runs in a tenant at a time, and
# each looks at the rows only after that.
CLAIM_COUNTERS = Statement(
    """
    INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, 'total', 0)
    ON CONFLICT (facet) DO UPDATE SET users = user_counters.users
    """,
    """
    INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, 'total', 0)
    ON CONFLICT (tenant_id, facet) DO UPDATE SET users = user_counters.users
    """,
    kind=Kind.BOOKKEEPING,
)
FOLD_COUNTERS = Statement(
    "SELECT 0 WHERE :tenant_id IS NULL",
    """
    WITH gone AS (
        DELETE FROM user_counter_deltas WHERE tenant_id = :tenant_id RETURNING facet, users
    )
    INSERT INTO user_counters (tenant_id, facet, users)
    SELECT :tenant_id, facet, sum(users) FROM gone GROUP BY facet
    ON CONFLICT (tenant_id, facet) DO UPDATE SET users = user_counters.users + excluded.users
    """,
    kind=Kind.BOOKKEEPING,
)
"""On SQLite the counters are always folded: nothing is there to do."""

# What users there are: what each role has of every kind, then one row for each facet; those that are left with no
# user are set to nothing.
_BY_ROLE: Final = """
    SELECT role, count(*) AS users, sum(CASE WHEN disabled THEN 1 ELSE 0 END) AS disabled,
        sum(CASE WHEN mfa_enrolled THEN 1 ELSE 0 END) AS mfa_enrolled,
        sum(CASE WHEN email_verified THEN 1 ELSE 0 END) AS email_verified
    FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NULL GROUP BY role
"""
_BY_FACET: Final = """
    SELECT 'total' AS facet, users FROM by_role
    UNION ALL SELECT 'disabled', disabled FROM by_role
    UNION ALL SELECT 'mfa_enrolled', mfa_enrolled FROM by_role
    UNION ALL SELECT 'email_verified', email_verified FROM by_role
    UNION ALL SELECT 'role:' || role, users FROM by_role
    UNION ALL SELECT 'created:' || (created_at / 86400000), count(*) FROM users
        WHERE tenant_id = :tenant_id AND deleted_at IS NULL GROUP BY created_at / 86400000
    UNION ALL SELECT 'active:' || (last_active_at / 86400000), count(*) FROM users
        WHERE tenant_id = :tenant_id AND deleted_at IS NULL AND last_active_at IS NOT NULL
        GROUP BY last_active_at / 86400000
"""
_KEPT: Final = "FROM user_counters WHERE tenant_id = :tenant_id AND substr(facet, 1, 4) <> 'sign'"
_KEPT_DELTAS: Final = "FROM user_counter_deltas WHERE tenant_id = :tenant_id AND substr(facet, 1, 4) <> 'sign'"
_TO_REBUILD: Final = f"{_BY_FACET} UNION ALL SELECT facet, 0 {_KEPT}"
# Sign-ins are counted as they happen: nothing is there to count them anew from.
REBUILD_COUNTERS = Statement(
    f"""
    WITH by_role AS MATERIALIZED ({_BY_ROLE})
    INSERT INTO user_counters (tenant_id, facet, users)
    SELECT :tenant_id, facet, sum(users) FROM ({_TO_REBUILD}) AS counted WHERE true GROUP BY facet
    ON CONFLICT (facet) DO UPDATE SET users = excluded.users
    """,
    f"""
    WITH by_role AS MATERIALIZED ({_BY_ROLE}),
    gone AS (DELETE FROM user_counter_deltas WHERE tenant_id = :tenant_id AND substr(facet, 1, 4) <> 'sign')
    INSERT INTO user_counters (tenant_id, facet, users)
    SELECT :tenant_id, facet, sum(users) FROM ({_TO_REBUILD}) AS counted GROUP BY facet
    ON CONFLICT (tenant_id, facet) DO UPDATE SET users = excluded.users
    """,
    kind=Kind.BOOKKEEPING,
)


def _wrong(kept: str) -> str:
    """Return the counters that do not say what a count anew does, from one moment, without locking anything."""
    return f"""
    WITH by_role AS MATERIALIZED ({_BY_ROLE})
    SELECT facet, CAST(sum(kept) AS bigint), CAST(sum(counted) AS bigint) FROM (
        {kept}
        UNION ALL SELECT facet, 0, users FROM ({_BY_FACET}) AS anew
    ) AS each_of_both
    GROUP BY facet HAVING sum(kept) <> sum(counted) ORDER BY facet
    """


_KEPT_ONCE: Final = f"SELECT facet, users AS kept, 0 AS counted {_KEPT}"
LIST_WRONG_COUNTERS = Statement(
    _wrong(_KEPT_ONCE), _wrong(f"{_KEPT_ONCE} UNION ALL SELECT facet, users, 0 {_KEPT_DELTAS}")
)


async def list_wrong_counters(reader: Reader) -> list[WrongCounter]:
    """Return the counters that do not say what the users' rows say now, by name."""
    return [WrongCounter(*row) for row in await reader.fetch_all(LIST_WRONG_COUNTERS)]


async def update_folded_counters(tx: Transaction) -> None:
    """Fold the deltas that have been committed into their counters."""
    await tx.execute(CLAIM_COUNTERS)
    await tx.execute(FOLD_COUNTERS)


async def update_rebuilt_counters(tx: Transaction) -> None:
    """Count every user anew, and set the counters to what was counted."""
    await tx.execute(CLAIM_COUNTERS)
    await tx.execute(REBUILD_COUNTERS)
