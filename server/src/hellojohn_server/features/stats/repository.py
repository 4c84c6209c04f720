"""The statement on the counters."""

from collections.abc import Sequence

from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

# ';' is the character after ':'.
LIST_COUNTERS = Statement(
    """
    SELECT facet, users FROM user_counters
    WHERE tenant_id = :tenant_id AND facet IN (SELECT value FROM json_each(:facets))
    UNION ALL
    SELECT facet, users FROM user_counters
    WHERE tenant_id = :tenant_id AND facet >= 'role:' AND facet < 'role;'
    """,
    """
    SELECT facet, CAST(sum(users) AS bigint) FROM (
        SELECT facet, users FROM user_counters
        WHERE tenant_id = :tenant_id AND (facet = ANY(:facets) OR (facet >= 'role:' AND facet < 'role;'))
        UNION ALL
        SELECT facet, users FROM user_counter_deltas
        WHERE tenant_id = :tenant_id AND (facet = ANY(:facets) OR (facet >= 'role:' AND facet < 'role;'))
    ) AS parts
    GROUP BY facet
    """,
)


async def list_counters(reader: Reader, facets: Sequence[str]) -> dict[str, int]:
    """Return the counters of these names that there are, and those of every role."""
    return {str(facet): int(users) for facet, users in await reader.fetch_all(LIST_COUNTERS, facets=facets)}
