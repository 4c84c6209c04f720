"""Race-safe building blocks for whatever is single-use or counted; to read a row and then change it is not race-safe.

Each takes one guarded statement: an UPDATE or DELETE whose WHERE says when it may still be done, with RETURNING. Of any
number of callers, in any number of processes, both stores let exactly those through that the guard allows: SQLite runs
commands one after another, and PostgreSQL has a later one wait for the earlier and then look at its guard again.
"""

import re
from typing import Final

from hellojohn_server.storage.database import Parameter, Row, Transaction
from hellojohn_server.storage.sql import Statement

_RETURNING: Final = re.compile(r"\bRETURNING\b", re.IGNORECASE)


async def consume_once(tx: Transaction, statement: Statement, **parameters: Parameter) -> Row | None:
    """Use up one row, and return what it returns to the one caller that did; None when it is used, or is not there.

    `UPDATE ... SET used_at = :now WHERE ... AND used_at IS NULL RETURNING ...`, or a DELETE.
    """
    _require_guarded(statement)
    rows = await tx.fetch_all(statement, **parameters)
    if len(rows) > 1:
        raise ValueError(f"{statement!r} used up {len(rows)} rows, not one")
    return rows[0] if rows else None


async def increment_guarded(tx: Transaction, statement: Statement, **parameters: Parameter) -> int | None:
    """Count on one row, and return the new number; None when the guard refuses, or there is no such row.

    `UPDATE ... SET n = n + 1 WHERE ... AND n < :limit RETURNING n`, or the same after ON CONFLICT of an INSERT.
    """
    row = await consume_once(tx, statement, **parameters)
    return None if row is None else int(row[0])


def _require_guarded(statement: Statement) -> None:
    returns = all(_RETURNING.search(text) for text in (statement.sqlite, statement.postgres))
    if not (statement.writes and statement.postgres_writes and returns):
        raise TypeError(f"{statement!r} is no statement that changes rows and returns them")
