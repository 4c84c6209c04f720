"""Parts that composed read statements have in common: a page with its total, and text as each engine matches it."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Final

from hellojohn_server.storage.database import Row

_COUNTER: Final = "SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = "
_DELTAS: Final = "SELECT sum(users) FROM user_counter_deltas WHERE tenant_id = :tenant_id AND facet = "
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


def extreme(function: str, terms: list[str]) -> str:
    """Return the least or the greatest (`min`, `max`: SQLite's functions of several arguments) of one or more terms."""
    return terms[0] if len(terms) == 1 else f"{function}({', '.join(terms)})"


def bounded_count(rows: str, limit: str) -> str:
    """Return a query of one number: how many rows `rows` (from FROM on) has, counting no further than `limit`."""
    return f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {limit}) AS counted"


def counted_users(facet: str, *, deltas: bool) -> str:
    """Return a counter's number of users as an expression, with what is not folded into it yet if there are deltas."""
    stored = f"coalesce(({_COUNTER}{facet}), 0)"
    return f"{stored} + coalesce(({_DELTAS}{facet}), 0)" if deltas else stored


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


def stepwise(arm: str, limit: str) -> str:
    """Return the rows that hold among the first that `arm` walks: it selects position, seq, holds, and is limited."""
    return f"SELECT position, seq FROM ({arm}) AS walk WHERE holds LIMIT {limit}"


def limited(arms: Iterable[str], limit: str) -> str:
    """Return the first rows of several ordered SELECTs, each limited to :rows, as many as `limit` says: 0 runs none."""
    return f"SELECT position, seq FROM ({in_turn(arms, ':rows')}) AS some LIMIT {limit}"


def ordered_arms(  # noqa: PLR0913 - what a page depends on, each by name
    select: str,
    rows: str,
    *,
    column: str,
    tie: str | None,
    id_column: str,
    limit: str,
    descending: bool,
    is_nullable: bool,
    after_value: bool,
    after_null: bool,
) -> list[str]:
    """Return a page as one or two ordered and limited SELECTs: rows with a sort value, then those without.

    `rows` is everything from FROM to the end of WHERE. Each walks one stretch of the index on the column and `tie`
    (None: the column is unique), after :value and :id.
    """
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    end = f"ORDER BY {column} {direction}{'' if tie is None else f', {tie} {direction}'} LIMIT {limit}"
    place = f"{column} {beyond} :value" if tie is None else f"({column}, {tie}) {beyond} (:value, :id)"
    arms: list[str] = []
    if not (after_null and is_nullable):
        present = f" AND {column} IS NOT NULL" if is_nullable else ""
        after = f" AND {place}" if after_value else ""
        arms.append(f"SELECT {column} AS position, {select} {rows}{present}{after} {end}")
    if is_nullable:
        after = f" AND {id_column} {beyond} :id" if after_null else ""
        arms.append(f"SELECT {column} AS position, {select} {rows} AND {column} IS NULL{after} {end}")
    return arms


def in_order(rows: list[Row], position: int, *, descending: bool, is_nullable: bool) -> list[Row]:
    """Return the rows by the value at `position` and their first column: joining them with a total promises no order.

    Those without a value come last.
    """
    if not is_nullable:
        rows.sort(key=itemgetter(position, 0), reverse=descending)
        return rows
    with_value = [row for row in rows if row[position] is not None]
    without = [row for row in rows if row[position] is None]
    with_value.sort(key=itemgetter(position, 0), reverse=descending)
    without.sort(key=itemgetter(0), reverse=descending)
    return with_value + without
