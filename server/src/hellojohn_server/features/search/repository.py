"""The statements that find users: composed from the fragments below, one for each shape of question, and kept.

docs/adr/0005-search-statements.md explains how. In short, a statement is a page and its total in one. PostgreSQL gets
the conditions as they are and chooses the way itself. SQLite keeps no statistics, so the way is chosen here: one
condition drives (`_Source`), the others are checked on what it finds, with a unary + so that no other index is used.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from hellojohn_server.features.search.schemas import (
    BROAD,
    DRIVERS,
    MARKED,
    NEWEST_FIRST,
    NULLABLE,
    OF_THE_ROW,
    READ,
    SORT_COLUMN,
    UNIQUE,
    Condition,
    Counting,
    Extent,
    Found,
    Match,
    Place,
    Shape,
    SortField,
    Start,
    UserFilter,
    UserOrder,
    counter_of,
    shape_of,
)
from hellojohn_server.features.users.schemas import User, user_of
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.search_query import indexed_part
from hellojohn_server.storage.compose import (
    bounded_count,
    conjunction,
    extreme,
    fts5_all,
    in_order,
    in_turn,
    like_anywhere,
    ordered_arms,
)
from hellojohn_server.storage.database import Parameter, Reader
from hellojohn_server.storage.sql import Statement

_NOT_BANNED: Final = "(u.banned_at IS NULL OR u.banned_until <= :now)"
_NOT_LOCKED: Final = "(u.locked_until IS NULL OR u.locked_until <= :now)"
_MEMBER: Final = """EXISTS (
    SELECT 1 FROM memberships AS m
    WHERE m.tenant_id = :tenant_id AND m.organization_id = :organization_id AND m.user_id = u.id
)"""

# {0} is a + on SQLite when another condition drives; it keeps the planner from the column's index.
_CONDITIONS: Final = {
    Condition.ACTIVE: (
        f"u.deleted_at IS NULL AND {_NOT_BANNED} AND NOT u.disabled AND {_NOT_LOCKED} "
        "AND (u.invited_at IS NULL OR u.last_sign_in_at IS NOT NULL)"
    ),
    Condition.BANNED: (
        "u.deleted_at IS NULL AND {0}u.banned_at IS NOT NULL AND (u.banned_until IS NULL OR u.banned_until > :now)"
    ),
    Condition.CREATED_AFTER: "{0}u.created_at > :created_after",
    Condition.CREATED_BEFORE: "{0}u.created_at < :created_before",
    Condition.DELETED: "{0}u.deleted_at IS NOT NULL",
    Condition.DISABLED: "{0}u.disabled",
    Condition.EMAIL: "{0}u.email_key = :email_key",
    Condition.EMAIL_NOT_VERIFIED: "NOT u.email_verified",
    Condition.EMAIL_VERIFIED: "u.email_verified",
    Condition.ENABLED: "NOT u.disabled",
    Condition.EXTERNAL_ID: "{0}u.external_id = :external_id",
    Condition.LAST_ACTIVE_AFTER: "{0}u.last_active_at > :last_active_after",
    Condition.LAST_ACTIVE_BEFORE: "{0}u.last_active_at < :last_active_before",
    Condition.LOCKED: f"u.deleted_at IS NULL AND {_NOT_BANNED} AND NOT u.disabled AND {{0}}u.locked_until > :now",
    Condition.MFA_ENROLLED: "u.mfa_enrolled",
    Condition.MFA_NOT_ENROLLED: "NOT u.mfa_enrolled",
    Condition.NOT_DELETED: "u.deleted_at IS NULL",
    Condition.ORGANIZATION: _MEMBER,
    Condition.PENDING: (
        f"u.deleted_at IS NULL AND {_NOT_BANNED} AND NOT u.disabled AND {_NOT_LOCKED} "
        "AND {0}u.invited_at IS NOT NULL AND {0}u.last_sign_in_at IS NULL"
    ),
    Condition.ROLE: "{0}u.role = :role",
    Condition.STATUS_DISABLED: f"u.deleted_at IS NULL AND {_NOT_BANNED} AND {{0}}u.disabled",
}
_SORT_INDEXES: Final = {SortField.LAST_SIGN_IN_AT: "users_last_sign_in", SortField.NAME: "users_name"}
_WHOLE: Final = User.__struct_fields__
_ANYBODY: Final = Shape(SortField.CREATED_AT, descending=True, start=Start.TOP, counting=Counting.ROWS, conditions=())
# What SQLite knows of users without their rows: small indexes in the order of creation, of those for whom it holds.
_MARKS: Final = {
    "banned": ("users_banned", "x.banned_at IS NOT NULL AND (x.banned_until IS NULL OR x.banned_until > :now)"),
    "deleted": ("users_deleted", "x.deleted_at IS NOT NULL"),
    "disabled": ("users_disabled", "x.disabled"),
    "locked": ("users_lock_marks", "x.locked_until > :now"),
    "mfa": ("users_mfa", "x.mfa_enrolled"),
    "pending": ("users_pending", "x.invited_at IS NOT NULL AND x.last_sign_in_at IS NULL"),
    "role": ("users_role", "x.role = :role"),
    "unverified": ("users_unverified", "NOT x.email_verified"),
}
_PROBED: Final = 2000
_ALL_PROBED: Final = 2
_OTHER_WEIGHT: Final = 4
_IS_MEMBER: Final = """EXISTS (
    SELECT 1 FROM memberships AS y INDEXED BY memberships_newest
    WHERE y.tenant_id = :tenant_id AND y.organization_id = :organization_id AND y.user_seq = {}
)"""
_IF_FEW: Final = "iif({} < :cap, {}, {})"
_COUNTER: Final = "SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = "
_DELTAS: Final = "SELECT sum(users) FROM user_counter_deltas WHERE tenant_id = :tenant_id AND facet = "
# seq is the creation time or the next free number, so whoever was created earlier than :created_before has a number
# before the end of the run of taken numbers that it falls in.
_SEQ_BEFORE: Final = """max(:created_before, coalesce((
    SELECT next FROM user_sequence_runs
    WHERE tenant_id = :tenant_id AND first < :created_before ORDER BY first DESC LIMIT 1
), :created_before))"""


async def search_users(  # noqa: PLR0913 - a question has this many parts
    reader: Reader,
    wanted: UserFilter,
    order: UserOrder,
    place: Place | None,
    *,
    limit: int,
    now_ms: int,
    cap: int = COUNT_CAP,
    is_counted: bool = True,
) -> Found:
    """Return up to `limit` users that match, after `place`. Rows are counted to one beyond `cap`.

    Without `is_counted` the total is 0 and costs nothing.
    """
    facet, counting = counter_of(wanted) if is_counted else ("", Counting.NONE)
    shape = shape_of(wanted, order, place, counting)
    statement = statement_of(shape)
    given = _parameters(statement, wanted, place, rows=limit + 1, cap=cap + 1, now=now_ms, facet=facet)
    rows = await reader.fetch_all(statement, **given)
    after_user = len(User.__struct_fields__)
    total = int(rows[0][after_user])
    found = in_order([row for row in rows if row[0] is not None], after_user + 1, **_order_of(shape))
    page = found[:limit]
    last = Place(page[-1][after_user + 1], page[-1][0]) if page else None
    return Found([user_of(row) for row in page], last, total, counting is not Counting.ROWS, len(found) > limit)


async def search_matches(  # noqa: PLR0913 - the same, without a total
    reader: Reader, wanted: UserFilter, place: Place | None, *, limit: int, now_ms: int, extent: Extent
) -> tuple[list[Match], Place | None]:
    """Return up to `limit` users that match, after `place`, the newest first, and where to go on; None at the end."""
    shape = shape_of(wanted, NEWEST_FIRST, place, Counting.NONE)
    statement = matches_of(shape, extent)
    given = _parameters(statement, wanted, place, rows=limit, cap=COUNT_CAP + 1, now=now_ms)
    rows = await reader.fetch_all(statement, **given)
    width = len(READ[extent])
    found = in_order([row for row in rows if row[0] is not None], width + 1, **_order_of(shape))
    last = Place(found[-1][width + 1], found[-1][0]) if len(found) == limit else None
    return [Match(*row[:width]) for row in found], last


async def list_users_among(reader: Reader, user_ids: Sequence[str], extent: Extent) -> list[Match]:
    """Return those of these users whom there are, in the recycle bin or not."""
    return [Match(*row) for row in await reader.fetch_all(among_of(_ANYBODY, extent), user_ids=user_ids)]


async def list_ids_among(reader: Reader, wanted: UserFilter, user_ids: Sequence[str], now_ms: int) -> list[str]:
    """Return those of these users who match."""
    statement = among_of(shape_of(wanted, NEWEST_FIRST, None, Counting.ROWS), Extent.IDS)
    given = _parameters(statement, wanted, None, now=now_ms, user_ids=user_ids)
    return [str(row[0]) for row in await reader.fetch_all(statement, **given)]


def _order_of(shape: Shape) -> dict[str, bool]:
    return {"descending": shape.descending, "is_nullable": shape.field in NULLABLE}


def _parameters(
    statement: Statement, wanted: UserFilter, place: Place | None, **others: Parameter
) -> dict[str, Parameter]:
    """Return the statement's parameters, in both dialects: of `others`, of the filter, of the words, of the place."""
    given = others
    words, starts = wanted.words.anywhere, wanted.words.starts
    if words or starts:
        given |= {"phrases": fts5_all(map(indexed_part, words)), "prefixes": fts5_all(starts), "starts": list(starts)}
        for number, word in enumerate(words):
            given[f"word_{number}"] = word
            given[f"like_{number}"] = like_anywhere(word)
        for number, start in enumerate(starts):
            given[f"start_{number}"] = f" {start} "
    if place is not None:
        given |= {"value": place.value, "id": place.id}
    return {name: given[name] if name in given else getattr(wanted, name) for name in statement.names}


@lru_cache(maxsize=1024)
def statement_of(shape: Shape) -> Statement:
    """Return the shape's statement. A row is a user's columns, the total, and what the user is sorted by.

    When there is nobody on the page, one row carries the total alone.
    """
    return Statement(_sqlite(shape, _WHOLE), _postgres(shape, _WHOLE))


@lru_cache(maxsize=256)
def matches_of(shape: Shape, extent: Extent) -> Statement:
    """Return the shape's statement with the columns of a Match in the place of a user's."""
    return Statement(_sqlite(shape, READ[extent]), _postgres(shape, READ[extent]))


@lru_cache(maxsize=256)
def among_of(shape: Shape, extent: Extent) -> Statement:
    """Return the statement that finds those of :user_ids for whom a shape's conditions and words hold."""
    select = f"SELECT {_columns('u', READ[extent])} FROM users AS u WHERE u.tenant_id = :tenant_id AND u.id "
    return Statement(
        select + conjunction(("IN (SELECT value FROM json_each(:user_ids))", *_checks(shape))),
        select + conjunction(("= ANY(:user_ids)", *_holding(shape))),
    )


def _columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _counter(shape: Shape, *, deltas: bool) -> str:
    def users(facet: str) -> str:
        stored = f"coalesce(({_COUNTER}{facet}), 0)"
        return f"{stored} + coalesce(({_DELTAS}{facet}), 0)" if deltas else stored

    if shape.counting is Counting.NONE:
        return "SELECT 0"
    facet = users(":facet")
    if shape.counting is Counting.COMPLEMENT:
        everyone = users("'total'")
        return f"SELECT {everyone} - ({facet})"
    return f"SELECT {facet}"


def _arms(shape: Shape, select: str, rows: str, *, table: str, name: str, limit: str = ":rows") -> list[str]:  # noqa: PLR0913 - what differs between the engines and the ways
    """Return the page: `rows` is everything from FROM to the end of WHERE, `name` the column of `table` to sort by."""
    return ordered_arms(
        select,
        rows,
        column=f"{table}.{name}",
        tie=None if name in {"email_key", "seq"} else f"{table}.id",
        id_column=f"{table}.id",
        limit=limit,
        **_order_of(shape),
        after_value=shape.start is Start.VALUES,
        after_null=shape.start is Start.NULLS,
    )


def _holding(shape: Shape) -> list[str]:
    """Return the conditions as PostgreSQL is given them."""
    conditions = [_CONDITIONS[condition].format("") for condition in shape.conditions]
    conditions += [f"u.search_text LIKE :like_{number}" for number in range(shape.words)]
    return conditions + (["u.search_prefixes @> CAST(:starts AS text[])"] if shape.starts else [])


def _postgres(shape: Shape, columns: tuple[str, ...]) -> str:
    """Find the matches once, and sort them if they are few; else walk the index in the order asked for."""
    rows = f"FROM users AS u WHERE {conjunction(('u.tenant_id = :tenant_id', *_holding(shape)))}"
    column = SORT_COLUMN[shape.field]
    if shape.counting is not Counting.ROWS:
        arms = _arms(shape, _columns("u", columns), rows, table="u", name=column)
        return f"""
        SELECT {_columns("page", columns)}, total.users, page.position
        FROM (SELECT ({_counter(shape, deltas=True)}) AS users) AS total
        LEFT JOIN ({in_turn(arms, ":rows")}) AS page ON TRUE
        """
    few = in_turn(_arms(shape, "matches.id", "FROM matches WHERE TRUE", table="matches", name=column), ":rows")
    many = in_turn(_arms(shape, "u.id", rows, table="u", name=column), ":rows")
    return f"""
    WITH matches AS MATERIALIZED (SELECT u.id, u.{column} {rows} LIMIT :cap),
    counted AS MATERIALIZED (SELECT count(*) AS users FROM matches)
    SELECT {_columns("u", columns)}, counted.users, keys.position
    FROM counted
    LEFT JOIN (
        SELECT * FROM ({few}) AS few WHERE (SELECT users FROM counted) < :cap
        UNION ALL
        SELECT * FROM ({many}) AS many WHERE (SELECT users FROM counted) >= :cap
    ) AS keys ON TRUE
    LEFT JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = keys.id
    """


class _Source(msgspec.Struct, frozen=True):
    """What drives a statement on SQLite: tables, what selects, and the column that is users.seq, which orders it.

    `driver` is the condition that it stands for. `is_narrow`: the user's row is not among the tables, and is joined
    where it is needed; else it is there as `u`.
    """

    tables: str
    seq: str
    selects: tuple[str, ...]
    driver: Condition | None = None
    is_narrow: bool = True

    def probe(self) -> str:
        """Return a query of the newest: all, if they are fewer than are probed."""
        rows = f"FROM {self.tables} WHERE {conjunction(self.selects)}"
        return f"SELECT {self.seq} AS seq {rows} ORDER BY {self.seq} DESC LIMIT {_PROBED}"


def _sources(shape: Shape) -> list[_Source]:
    """Return what can drive, the most selective first as far as one can say beforehand: one, or two to choose from."""
    for condition in UNIQUE:
        if condition in shape.conditions:
            selects = ("u.tenant_id = :tenant_id", _CONDITIONS[condition].format(""))
            return [_Source("users AS u", "u.seq", selects, condition, is_narrow=False)]
    has_text = bool(shape.words or shape.starts)
    left_out = BROAD if has_text or not OF_THE_ROW.isdisjoint(shape.conditions) else frozenset[Condition]()
    rivals = [_state(each) for each in DRIVERS if each in shape.conditions and each not in left_out]
    found = [_text(shape), *rivals] if has_text else rivals
    return found[:2] or [_Source("users AS u NOT INDEXED", "u.seq", ("u.tenant_id = :tenant_id",), is_narrow=False)]


def _text(shape: Shape) -> _Source:
    index, asked = ("users_trigrams", ":phrases") if shape.words else ("users_prefixes", ":prefixes")
    return _Source(index, f"{index}.rowid", (f"{index} MATCH {asked}",))


def _state(condition: Condition) -> _Source:
    if condition is Condition.ORGANIZATION:
        selects = ("m.tenant_id = :tenant_id", "m.organization_id = :organization_id")
        return _Source("memberships AS m INDEXED BY memberships_newest", "m.user_seq", selects, condition)
    index, holds = _MARKS[DRIVERS[condition]]
    return _Source(f"users AS x INDEXED BY {index}", "x.seq", ("x.tenant_id = :tenant_id", holds), condition)


def _rows(shape: Shape, source: _Source, *further: str) -> str:
    """Return everything from FROM to the end of WHERE: what a source finds and every other condition."""
    is_text = source.driver is None and source.is_narrow  # what a text has found, probed or not, is exact
    if not source.is_narrow:
        return f"FROM {source.tables} WHERE {conjunction((*source.selects, *_checks(shape, source.driver), *further))}"
    conditions = [*source.selects, *further, *_marked(shape, source)]
    residual = [_CONDITIONS[each].format("+") for each in shape.conditions if each in OF_THE_ROW]
    residual += _compared(shape, words=not is_text or shape.is_compared, starts=not is_text or shape.words > 0)
    tables = source.tables
    if residual:
        tables += f" CROSS JOIN users AS u ON u.seq = {source.seq}"
        conditions += ["u.tenant_id = :tenant_id", *residual]
    return f"FROM {tables} WHERE {conjunction(conditions)}"


def _marked(shape: Shape, source: _Source) -> list[str]:
    """Return the conditions that small indexes answer without the user's row, first those that must hold."""
    positive: list[str] = []
    negative: list[str] = []
    for condition in shape.conditions:
        must, must_not = MARKED.get(condition, ((), ()))
        positive += [name for name in must if source.driver is None or name != DRIVERS.get(source.driver)]
        negative += must_not
    marks = [_mark(name, source.seq) for name in dict.fromkeys(positive)]
    marks += [f"NOT {_mark(name, source.seq)}" for name in dict.fromkeys(negative)]
    if Condition.ORGANIZATION in shape.conditions and source.driver is not Condition.ORGANIZATION:
        marks.append(_IS_MEMBER.format(source.seq))
    return marks


def _mark(name: str, seq: str) -> str:
    index, holds = _MARKS[name]
    row = f"y.tenant_id = :tenant_id AND y.seq = {seq} AND {holds.replace('x.', 'y.')}"
    return f"EXISTS (SELECT 1 FROM users AS y INDEXED BY {index} WHERE {row})"


def _checks(shape: Shape, driver: Condition | None = None) -> tuple[str, ...]:
    """Return the conditions as they are checked on a user's row, without those of the driver."""
    conditions = (_CONDITIONS[each].format("+") for each in shape.conditions if each is not driver)
    return (*conditions, *_compared(shape, words=True, starts=True))


def _compared(shape: Shape, *, words: bool, starts: bool) -> list[str]:
    """Return the words as they are looked for in a user's row."""
    return [
        *(f"instr(u.search_text, :word_{number})" for number in range(shape.words if words else 0)),
        *(
            f"instr(' ' || u.search_prefixes || ' ', :start_{number})"
            for number in range(shape.starts if starts else 0)
        ),
    ]


def _walk(shape: Shape, limit: str) -> list[str]:
    """Return the page from the index in the order asked for (that of addresses has no name), all checked on the way."""
    index = _SORT_INDEXES.get(shape.field)
    table, leads = ("users AS u", ["u.email_key >= ''"]) if index is None else (f"users AS u INDEXED BY {index}", [])
    rows = f"FROM {table} WHERE {conjunction(('u.tenant_id = :tenant_id', *leads, *_checks(shape)))}"
    return _arms(shape, "u.seq AS seq", rows, table="u", name=SORT_COLUMN[shape.field], limit=limit)


def _created_range(shape: Shape, seq: str, *, after_place: bool) -> list[str]:
    """Return what the dates asked for, and the place a page starts after, mean for `seq`: a bound on each side."""
    lower = [":created_after"] if Condition.CREATED_AFTER in shape.conditions else []
    upper = [_SEQ_BEFORE] if Condition.CREATED_BEFORE in shape.conditions else []
    if after_place:
        (upper if shape.descending else lower).append(":value")
    return [
        *([f"{seq} > {extreme('max', lower)}"] if lower else []),
        *([f"{seq} < {extreme('min', upper)}"] if upper else []),
    ]


def _found(shape: Shape, source: _Source, *, after_place: bool = False) -> str:
    return _rows(shape, source, *_created_range(shape, source.seq, after_place=after_place))


def _newest(shape: Shape, source: _Source, limit: str) -> str:
    """Return a page of a source in its order, or the reverse."""
    rows = _found(shape, source, after_place=shape.start is Start.VALUES)
    direction = "DESC" if shape.descending else "ASC"
    return (
        f"SELECT {source.seq} AS position, {source.seq} AS seq {rows} ORDER BY {source.seq} {direction} LIMIT {limit}"
    )


def _sqlite(shape: Shape, columns: tuple[str, ...]) -> str:
    sources = _sources(shape)
    tables, ways = _choice(sources)
    is_counted = shape.counting is not Counting.ROWS
    counter = f"({_counter(shape, deltas=False)})"
    if shape.field is SortField.CREATED_AT:
        counts = [bounded_count(_found(shape, source), limit.format(":cap")) for source, limit in ways]
        total = f"({' + '.join(f'({count})' for count in counts)})"
        keys = in_turn([_newest(shape, source, limit.format(":rows")) for source, limit in ways], ":rows")
    elif is_counted and sources[0].driver is None and not sources[0].is_narrow:
        total, keys = "", in_turn(_walk(shape, ":rows"), ":rows")
    else:
        total = "(SELECT count(*) FROM matches)"
        known = total if shape.counting in {Counting.ROWS, Counting.NONE} else counter
        cap = ":cap" if known is total else f"iif({known} < :cap, :cap, 0)"
        found = [
            f"SELECT * FROM (SELECT {source.seq} AS seq {_found(shape, source)} LIMIT {limit.format(cap)})"
            for source, limit in ways
        ]
        tables += _few(shape, " UNION ALL ".join(found), known)
        keys = in_turn(_few_or_many(shape, sources[0], known), ":rows")
    return f"""
    {f"WITH {', '.join(tables)}" if tables else ""}
    SELECT {_columns("u", columns)}, total.users, keys.position
    FROM (SELECT {counter if is_counted else total} AS users) AS total
    LEFT JOIN ({keys}) AS keys ON TRUE
    LEFT JOIN users AS u ON u.seq = keys.seq AND u.tenant_id = :tenant_id
    """


def _choice(sources: Sequence[_Source]) -> tuple[list[str], list[tuple[_Source, str]]]:
    """Return the tables that choose a source, and each way with its limit around what it is when the way is taken.

    The newest of each are looked at. If that is all that the first finds, they are the source. Else the one with fewer
    drives; where both have many, the one whose newest reach further back, as its users are further apart.
    """
    if (len(sources) == 1 and sources[0].driver is not None) or not sources[0].is_narrow:
        return [], [(sources[0], "{}")]
    tables = [
        f"probe AS MATERIALIZED ({sources[0].probe()})",
        "probed AS MATERIALIZED (SELECT count(*) AS users FROM probe)",
    ]
    way = f"iif(probed.users < {_PROBED}, {_ALL_PROBED}, 0)"
    if len(sources) > 1:
        tables.append(f"other_probe AS MATERIALIZED ({sources[1].probe()})")
        others = "(SELECT count(*) FROM other_probe)"
        is_other = f"""iif(
            {others} < {_PROBED},
            probed.users >= {_PROBED} OR {others} * {_OTHER_WEIGHT} <= probed.users,
            probed.users >= {_PROBED} AND (SELECT min(seq) FROM other_probe) < (SELECT min(seq) FROM probe)
        )"""
        way = f"iif({is_other}, 1, {way})"
    tables.append(f"choice AS MATERIALIZED (SELECT {way} AS way FROM probed)")
    ways = [*enumerate(sources), (_ALL_PROBED, _Source("probe AS p", "p.seq", ("TRUE",), sources[0].driver))]
    return tables, [(source, f"iif((SELECT way FROM choice) = {number}, {{}}, 0)") for number, source in ways]


def _few(shape: Shape, matches: str, total: str) -> list[str]:
    """Return the tables of the matches up to the cap, and of what a few of them are sorted by."""
    few = f"""
    few AS MATERIALIZED (
        SELECT u.seq, u.id, u.{SORT_COLUMN[shape.field]} FROM matches CROSS JOIN users AS u ON u.seq = matches.seq
        WHERE u.tenant_id = :tenant_id LIMIT {_IF_FEW.format(total, ":cap", "0")}
    )
    """
    return [f"matches AS MATERIALIZED ({matches})", few]


def _few_or_many(shape: Shape, source: _Source, total: str) -> list[str]:
    """Return the page when the source's order is not the one asked for: first the SELECT over a few.

    Up to the cap the matches are all there already: sort them. Beyond it they are dense, so that walking the index in
    the order asked for ends soon. The way not taken has a limit of 0, looked at before it begins.
    """
    few = _IF_FEW.format(total, ":rows", "0")
    arms = _arms(shape, "few.seq AS seq", "FROM few WHERE TRUE", table="few", name=SORT_COLUMN[shape.field], limit=few)
    return arms if source.driver in UNIQUE else [*arms, *_walk(shape, _IF_FEW.format(total, "0", ":rows"))]
