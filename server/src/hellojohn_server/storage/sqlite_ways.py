"""The ways of a read statement on SQLite: what drives it, which of two does, and what is done where many match.

docs/adr/0005-search-statements.md explains them. All ways stand in a statement; those not taken have a limit of 0.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.storage.compose import conjunction, limited

PROBED: Final = 2000
WALKED: Final = 4000
"""Rows looked at in another order than the driver's before all matches are sorted instead."""
KNOWN_ALREADY: Final = "TRUE"
"""What stands in `knows` for a condition that holds for all that a source finds."""
_SIZE_OF: Final = "SELECT count(*) AS users, max(seq) - min(seq) AS reach FROM"
_SECOND: Final = 1
_FIRST_PROBED: Final = 2


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What drives a statement: tables, what selects, and the column that is the key, which orders what it finds.

    `driver` is the condition that it stands for. `is_narrow`: the whole row is not among the tables, and is joined
    where it is needed. `knows` are the conditions that its own index tells, as they are asked of it. `probed_by`: the
    newest are looked for by this instead, which finds these and perhaps more. `floor` is less than every key of its own
    (others are below). `is_ordered`: it yields the newest first.
    `weight` is how much dearer than the first source's one of what it finds is.
    """

    tables: str
    seq: str
    selects: tuple[str, ...]
    driver: str | None = None
    is_narrow: bool = True
    is_text: bool = False
    knows: dict[str, str] = {}
    probed_by: tuple[str, ...] = ()
    floor: str = ""
    is_ordered: bool = True
    weight: int = 1

    def probe(self, limit: str) -> str:
        """Return a query of the newest: all, if they are fewer than the limit."""
        rows = f"FROM {self.tables} WHERE {conjunction(self.probed_by or self.selects)}"
        order = f"ORDER BY {self.seq} DESC " if self.is_ordered else ""
        return f"SELECT {self.seq} AS seq {rows} {order}LIMIT {limit}"

    def probed(self, name: str) -> "Source":
        """Return the source that what was probed is."""
        known = {condition: KNOWN_ALREADY for condition, held in self.knows.items() if held == KNOWN_ALREADY}
        return msgspec.structs.replace(
            self, tables=f"{name} AS p", seq="p.seq", selects=("TRUE",), knows=known, floor=""
        )


def choice(sources: Sequence[Source]) -> tuple[list[str], list[tuple[Source, str]]]:
    """Return the tables that choose a source, and each way with its limit around what it is when the way is taken.

    The newest of the first are looked at. If that is all that it finds, they are the source; else those of the second
    are, likewise. Where both have many, the one drives whose newest reach further back, as they are further apart.
    """
    first = sources[0]
    if not first.is_narrow or not first.is_ordered or (len(sources) == 1 and not first.is_text):
        return [], [(first, "{}")]
    tables = [f"probe AS MATERIALIZED ({first.probe(str(PROBED))})", f"probed AS MATERIALIZED ({_SIZE_OF} probe)"]
    way = f"iif(probed.users < {PROBED}, {_FIRST_PROBED}, 0)"
    ways = [(0, first), (_FIRST_PROBED, first.probed("probe"))]
    if len(sources) > 1:
        second = sources[1]
        if_many = f"iif((SELECT users FROM probed) < {PROBED}, 0, {PROBED})"
        tables += [
            f"other_probe AS MATERIALIZED ({second.probe(if_many)})",
            f"others AS MATERIALIZED ({_SIZE_OF} other_probe)",
        ]
        is_other = f"others.users < {PROBED}"
        if second.is_ordered:
            is_other += f" OR others.reach > probed.reach * {second.weight}"
        way = f"iif(probed.users >= {PROBED} AND ({is_other}), {_SECOND}, {way})"
        ways.append((_SECOND, second if second.is_ordered else second.probed("other_probe")))
    compared = ", others" if len(sources) > 1 else ""
    tables.append(f"choice AS MATERIALIZED (SELECT {way} AS way FROM probed{compared})")
    return tables, [(source, f"iif((SELECT way FROM choice) = {number}, {{}}, 0)") for number, source in ways]


def few_table(column: str, limit: str) -> str:
    """Return the table of the matches with what they are sorted by, as many as `limit` says."""
    return f"""few AS MATERIALIZED (
        SELECT u.seq, u.id, u.{column} FROM matches CROSS JOIN users AS u ON u.seq = matches.seq
        WHERE u.tenant_id = :tenant_id LIMIT {limit}
    )"""


def walked_or_sorted(near: str, every: Sequence[str], limit: str) -> tuple[list[str], list[str]]:
    """Return tables, and a page: what a few steps find (`near`) if they fill it, else the first of all, sorted."""
    tables = [
        f"walked AS MATERIALIZED ({near})",
        "is_page AS MATERIALIZED (SELECT count(*) >= :rows AS holds FROM walked)",
    ]
    return tables, [
        "SELECT position, seq FROM walked LIMIT iif((SELECT holds FROM is_page), :rows, 0)",
        limited(every, f"iif((SELECT holds FROM is_page), 0, {limit})"),
    ]
