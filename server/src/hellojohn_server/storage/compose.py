"""Parts that composed read statements have in common: a page with its total, and text as each engine matches it."""

from collections.abc import Iterable
from typing import Final

_LIKE_SPECIAL: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def fts5_all(terms: Iterable[str]) -> str:
    """Return an FTS5 expression that every one of `terms` must match, each as a string: no syntax passes through."""
    return " AND ".join('"' + term.replace('"', '""') + '"' for term in terms)


def like_anywhere(text: str) -> str:
    """Return the LIKE pattern (with the default escape, a backslash) of what contains `text` literally."""
    return f"%{text.translate(_LIKE_SPECIAL)}%"


def conjunction(conditions: Iterable[str]) -> str:
    """Return the conditions joined by AND. There must be one at least."""
    return " AND ".join(conditions)


def bounded_count(rows: str, limit: str) -> str:
    """Return a query of one number: how many rows `rows` (from FROM on) has, counting no further than `limit`."""
    return f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {limit}) AS counted"


def in_turn(arms: Iterable[str], limit: str) -> str:
    """Return the first `limit` rows of several ordered and limited SELECTs, one after the other.

    Both engines run the arms of UNION ALL in the order written and stop at the limit: a later arm that is not needed
    costs nothing. (PostgreSQL runs no SELECT with a LIMIT in parallel.)
    """
    listed = list(arms)
    if len(listed) == 1:
        return listed[0]
    joined = " UNION ALL ".join(f"SELECT * FROM ({arm}) AS arm_{number}" for number, arm in enumerate(listed))
    return f"{joined} LIMIT {limit}"
