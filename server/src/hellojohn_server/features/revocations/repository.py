"""The statement that reads the feed of one store.

What counts is what was committed since a mark, in whatever order. On PostgreSQL a mark is the snapshot of a read: what
a later read sees and that one did not is what came between, also where a transaction with a lower number committed
later. On SQLite, where there is one writer, it is the highest number that there was. A mark from the future is of a
store that was put back to an earlier state: all is read again.
"""

from typing import Any, Final

from hellojohn_server.features.revocation_log.schemas import Revocation, RevocationType
from hellojohn_server.features.revocations.schemas import Place
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

_MOST_MARK: Final = 3_000
_SHOWN: Final = """
    forget_at > :now AND (CAST(:subject AS text) IS NULL OR type <> 'tenant' OR subject_id = CAST(:subject AS text))
"""
_COLUMNS: Final = "type, subject_id, revoked_at, forget_at, gen_below"

LIST_REVOCATIONS: Final = Statement(
    f"""
    WITH newest (mark) AS (
        SELECT COALESCE((SELECT seq FROM revocations WHERE tenant_id = :tenant_id ORDER BY seq DESC LIMIT 1), 0)
    )
    SELECT CAST(newest.mark AS text), page.* FROM newest LEFT JOIN (
        SELECT {_COLUMNS}, '0' AS xid, seq FROM revocations
        WHERE tenant_id = :tenant_id AND {_SHOWN}
            AND seq > max(:seq, (
                SELECT CASE WHEN CAST(:since AS integer) <= mark THEN CAST(:since AS integer) ELSE 0 END FROM newest
            ))
            AND (:until IS NULL OR seq <= CAST(:until AS integer))
        ORDER BY seq LIMIT :rows
    ) AS page ON TRUE
    ORDER BY page.seq
    """,
    f"""
    WITH base (mark) AS MATERIALIZED (
        SELECT CASE
            WHEN pg_snapshot_xmax(CAST(CAST(:since AS text) AS pg_snapshot)) <= pg_snapshot_xmax(pg_current_snapshot())
            THEN CAST(CAST(:since AS text) AS pg_snapshot)
            ELSE CAST('1:1:' AS pg_snapshot)
        END
    )
    SELECT CAST(pg_current_snapshot() AS text), page.type, page.subject_id, page.revoked_at, page.forget_at,
        page.gen_below, CAST(page.xid AS text), page.seq
    FROM base LEFT JOIN (
        SELECT {_COLUMNS}, xid, seq FROM revocations
        WHERE tenant_id = :tenant_id AND {_SHOWN}
            AND xid >= (SELECT pg_snapshot_xmin(mark) FROM base)
            AND NOT pg_visible_in_snapshot(xid, (SELECT mark FROM base))
            AND (xid, seq) > (CAST(CAST(:xid AS text) AS xid8), CAST(:seq AS bigint))
            AND (CAST(:until AS text) IS NULL
                OR pg_visible_in_snapshot(xid, CAST(CAST(:until AS text) AS pg_snapshot)))
        ORDER BY xid, seq LIMIT :rows
    ) AS page ON TRUE
    ORDER BY page.xid, page.seq
    """,
)


async def list_revocations(
    reader: Reader, place: Place, rows: int, now_ms: int, subject: str | None = None
) -> tuple[list[Revocation], Place, bool]:
    """Return up to `rows` revocations after a place, the place after them, and whether there are more.

    Those of whole tenants are `subject`'s alone; None: every tenant's.
    """
    found = await reader.fetch_all(
        LIST_REVOCATIONS,
        since=place.since,
        until=place.until,
        xid=place.xid,
        seq=place.seq,
        rows=rows + 1,
        now=now_ms,
        subject=subject,
    )
    mark = _mark_of(found[0][0]) if place.until is None else place.until
    page = [row[1:] for row in found if row[1] is not None]
    revocations = [_revocation_of(*row[:-2]) for row in page[:rows]]
    if len(page) <= rows:
        return revocations, Place(mark), False
    xid, seq = page[rows - 1][-2:] if rows else (place.xid, place.seq)
    return revocations, Place(place.since, mark, xid, seq), True


def _mark_of(snapshot: str) -> str:
    """Return a mark of any length as one that a cursor has room for: in place of a long one an earlier one.

    That is of when the oldest transaction that runs began. What is found again since is told again.
    """
    if len(snapshot) <= _MOST_MARK:
        return snapshot
    oldest = snapshot.partition(":")[0]
    return f"{oldest}:{oldest}:"


def _revocation_of(kind: str, *values: Any) -> Revocation:
    return Revocation(RevocationType(kind), *values)
