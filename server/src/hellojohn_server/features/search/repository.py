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
    Condition,
    Counting,
    Direction,
    Extent,
    Match,
    Place,
    Shape,
    SortField,
    Start,
    UserFilter,
    UserOrder,
    conditions_of,
    counter_of,
)
from hellojohn_server.features.users.schemas import User, user_of
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.search_query import trigrams_of
from hellojohn_server.storage.compose import (
    bounded_count,
    conjunction,
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
_SORT_COLUMN: Final = {
    SortField.CREATED_AT: "created_at",
    SortField.EMAIL: "email_key",
    SortField.LAST_SIGN_IN_AT: "last_sign_in_at",
    SortField.NAME: "name_key",
}
_SORT_INDEXES: Final = {SortField.LAST_SIGN_IN_AT: "users_last_sign_in", SortField.NAME: "users_name"}
_NULLABLE: Final = frozenset({SortField.LAST_SIGN_IN_AT, SortField.NAME})
_UNIQUE: Final = (Condition.EMAIL, Condition.EXTERNAL_ID)
_WHOLE: Final = User.__struct_fields__
_NEWEST_FIRST: Final = UserOrder(SortField.CREATED_AT, Direction.DESCENDING)
_ANYBODY: Final = Shape(SortField.CREATED_AT, descending=True, start=Start.TOP, counting=Counting.ROWS, conditions=())
_READ: Final = {
    Extent.IDS: ("id",),
    Extent.FACTS: Match.__struct_fields__[:-2],
    Extent.METADATA: Match.__struct_fields__,
}
# The condition that drives on SQLite is the first of these that is asked: about the most selective one.
_STATE_INDEXES: Final = {
    Condition.DELETED: "users_deleted",
    Condition.LOCKED: "users_locked",
    Condition.BANNED: "users_banned",
    Condition.PENDING: "users_pending",
    Condition.ROLE: "users_role",
    Condition.STATUS_DISABLED: "users_disabled",
    Condition.DISABLED: "users_disabled",
}
_MEMBERSHIPS: Final = "m.tenant_id = :tenant_id AND m.organization_id = :organization_id"
# A member costs about four times as much to look at as a user found by text: another index, and no order to stop early.
_MEMBER_WEIGHT: Final = 4
_IS_SMALL: Final = "(SELECT is_small FROM organization)"
_COUNTER: Final = "SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = "
_DELTAS: Final = "SELECT sum(users) FROM user_counter_deltas WHERE tenant_id = :tenant_id AND facet = "
# seq is the creation time or the next free number, so whoever was created earlier than :created_before has a number
# before the end of the run of taken numbers that it falls in.
_SEQ_BEFORE: Final = """max(:created_before, coalesce((
    SELECT next FROM user_sequence_runs
    WHERE tenant_id = :tenant_id AND first < :created_before ORDER BY first DESC LIMIT 1
), :created_before))"""


class Found(msgspec.Struct, frozen=True):
    """A page of users, the place after it, the number of all that match, and whether more follow.

    `total` comes from a counter (`is_counted`), or it is exact up to the cap and one more when there are more.
    """

    users: list[User]
    last: Place | None
    total: int
    is_counted: bool
    has_more: bool


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
    shape = shape_of(wanted, _NEWEST_FIRST, place, Counting.NONE)
    statement = matches_of(shape, extent)
    given = _parameters(statement, wanted, place, rows=limit, cap=COUNT_CAP + 1, now=now_ms)
    rows = await reader.fetch_all(statement, **given)
    width = len(_READ[extent])
    found = in_order([row for row in rows if row[0] is not None], width + 1, **_order_of(shape))
    last = Place(found[-1][width + 1], found[-1][0]) if len(found) == limit else None
    return [Match(*row[:width]) for row in found], last


async def list_users_among(reader: Reader, user_ids: Sequence[str], extent: Extent) -> list[Match]:
    """Return those of these users whom there are, in the recycle bin or not."""
    return [Match(*row) for row in await reader.fetch_all(among_of(_ANYBODY, extent), user_ids=user_ids)]


async def list_ids_among(reader: Reader, wanted: UserFilter, user_ids: Sequence[str], now_ms: int) -> list[str]:
    """Return those of these users who match."""
    statement = among_of(shape_of(wanted, _NEWEST_FIRST, None, Counting.ROWS), Extent.IDS)
    given = _parameters(statement, wanted, None, now=now_ms, user_ids=user_ids)
    return [str(row[0]) for row in await reader.fetch_all(statement, **given)]


def _order_of(shape: Shape) -> dict[str, bool]:
    return {"descending": shape.descending, "is_nullable": shape.field in _NULLABLE}


def shape_of(wanted: UserFilter, order: UserOrder, place: Place | None, counting: Counting) -> Shape:
    """Return the shape of a question."""
    start = Start.TOP
    if place is not None:
        start = Start.NULLS if place.value is None else Start.VALUES
    return Shape(
        field=order.field,
        descending=order.direction is Direction.DESCENDING,
        start=start,
        counting=counting,
        conditions=tuple(conditions_of(wanted)),
        words=len(wanted.words.anywhere),
        starts=len(wanted.words.starts),
    )


def _parameters(
    statement: Statement, wanted: UserFilter, place: Place | None, **others: Parameter
) -> dict[str, Parameter]:
    """Return the statement's parameters, in both dialects: of `others`, of the filter, of the words, of the place."""
    given = others
    words, starts = wanted.words.anywhere, wanted.words.starts
    if words or starts:
        given |= {"trigrams": fts5_all(trigrams_of(words)), "prefixes": fts5_all(starts), "starts": list(starts)}
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
    return Statement(_sqlite(shape, _READ[extent]), _postgres(shape, _READ[extent]))


@lru_cache(maxsize=256)
def among_of(shape: Shape, extent: Extent) -> Statement:
    """Return the statement that finds those of :user_ids for whom a shape's conditions and words hold."""
    select = f"SELECT {_columns('u', _READ[extent])} FROM users AS u WHERE u.tenant_id = :tenant_id AND u.id "
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
    rows = f"FROM users AS u WHERE {conjunction(('u.tenant_id = :tenant_id', *_holding(shape)))}"
    total = bounded_count(rows, ":cap") if shape.counting is Counting.ROWS else _counter(shape, deltas=True)
    arms = _arms(shape, _columns("u", columns), rows, table="u", name=_SORT_COLUMN[shape.field])
    return f"""
    SELECT {_columns("page", columns)}, total.users, page.position
    FROM (SELECT ({total}) AS users) AS total
    LEFT JOIN ({in_turn(arms, ":rows")}) AS page ON TRUE
    """


class _Source(msgspec.Struct, frozen=True):
    """What drives a statement on SQLite: tables, the condition that selects, what is left to check.

    `seq` is what users.seq is called where the rows come in its order, and None where they do not.
    """

    tables: str
    selects: str | None
    checks: tuple[str, ...]
    seq: str | None = "u.seq"

    def rows(self, *further: str) -> str:
        """Return everything from FROM to the end of WHERE."""
        selects = () if self.selects is None else (self.selects,)
        return f"FROM {self.tables} WHERE {conjunction(('u.tenant_id = :tenant_id', *selects, *self.checks, *further))}"


def _source(shape: Shape) -> _Source:
    """Choose what drives: a unique value, the text, a membership, an index on a state, or else the order itself."""
    for condition in _UNIQUE:
        if condition in shape.conditions:
            return _Source("users AS u", None, _checks(shape, driver=condition), seq=None)
    if shape.words or shape.starts:
        return _text(shape)
    if Condition.ORGANIZATION in shape.conditions:
        return _members(shape)
    for condition, index in _STATE_INDEXES.items():
        if condition in shape.conditions:
            seq = None if condition is Condition.LOCKED else "u.seq"
            return _Source(f"users AS u INDEXED BY {index}", None, _checks(shape, driver=condition), seq)
    return _everyone(shape)


def _text(shape: Shape) -> _Source:
    index, asked = _text_index(shape)
    tables = f"{index} CROSS JOIN users AS u ON u.seq = {index}.rowid"
    return _Source(tables, asked, _checks(shape), seq=f"{index}.rowid")


def _text_index(shape: Shape) -> tuple[str, str]:
    """Return the index that finds the shape's words, and the condition on it."""
    if shape.words:
        return "users_trigrams", "users_trigrams MATCH :trigrams"
    return "users_prefixes", "users_prefixes MATCH :prefixes"


def _members(shape: Shape) -> _Source:
    tables = "memberships AS m CROSS JOIN users AS u ON u.id = m.user_id"
    return _Source(tables, _MEMBERSHIPS, _checks(shape, driver=Condition.ORGANIZATION), seq=None)


def _everyone(shape: Shape) -> _Source:
    return _Source("users AS u NOT INDEXED", None, _checks(shape))


def _walk(shape: Shape, limit: str) -> list[str]:
    """Return the page from the index in the order asked for, with everything checked on the way.

    The index of e-mail addresses belongs to a constraint and has no name of its own: a condition leads to it.
    """
    index = _SORT_INDEXES.get(shape.field)
    checks = _checks(shape)
    if index is None:
        everyone = _Source("users AS u", None, ("u.email_key >= ''", *checks))
    else:
        everyone = _Source(f"users AS u INDEXED BY {index}", None, checks)
    return _sorted(shape, everyone.rows(), "u", limit)


def _checks(shape: Shape, driver: Condition | None = None) -> tuple[str, ...]:
    """Return the conditions as SQLite checks them, the driver's as it selects.

    What the text indexes find is compared as well: they know neither the order of trigrams nor every character apart.
    """
    return (
        *(
            _CONDITIONS[condition].format("" if condition is driver else "+")
            for condition in shape.conditions
            if not condition is driver is Condition.ORGANIZATION
        ),
        *(f"instr(u.search_text, :word_{number})" for number in range(shape.words)),
        *(f"instr(' ' || u.search_prefixes || ' ', :start_{number})" for number in range(shape.starts)),
    )


def _created_range(shape: Shape, seq: str, *, after_place: bool) -> list[str]:
    """Return what the dates asked for, and the place a page starts after, mean for `seq`: a bound on each side."""
    lower = [":created_after"] if Condition.CREATED_AFTER in shape.conditions else []
    upper = [_SEQ_BEFORE] if Condition.CREATED_BEFORE in shape.conditions else []
    if after_place:
        (upper if shape.descending else lower).append(":value")
    return [
        *([f"{seq} > {_extreme('max', lower)}"] if lower else []),
        *([f"{seq} < {_extreme('min', upper)}"] if upper else []),
    ]


def _extreme(function: str, terms: list[str]) -> str:
    return terms[0] if len(terms) == 1 else f"{function}({', '.join(terms)})"


def _newest(shape: Shape, source: _Source, seq: str, limit: str) -> str:
    """Return a page of a source that comes in the order of `seq`, in that order or its reverse."""
    rows = source.rows(*_created_range(shape, seq, after_place=shape.start is Start.VALUES))
    direction = "DESC" if shape.descending else "ASC"
    return f"SELECT {seq} AS position, {seq} AS seq {rows} ORDER BY {seq} {direction} LIMIT {limit}"


def _sqlite(shape: Shape, columns: tuple[str, ...]) -> str:
    source = _source(shape)
    is_counted = shape.counting is not Counting.ROWS
    rows = source.rows(*(_created_range(shape, source.seq, after_place=False) if source.seq else ()))
    tables = ""
    if source.seq is not None and Condition.ORGANIZATION in shape.conditions:
        tables, total, keys = _either(shape, source, rows)
    elif shape.field is SortField.CREATED_AT and source.seq is not None:
        total, keys = bounded_count(rows, ":cap"), _newest(shape, source, source.seq, ":rows")
    elif is_counted and source == _everyone(shape):
        total, keys = "", in_turn(_walk(shape, ":rows"), ":rows")
    else:
        tables = f"WITH matches AS MATERIALIZED ({_matches(shape, rows, ':cap')})"
        total, keys = "SELECT count(*) FROM matches", in_turn(_few_or_many(shape), ":rows")
    return f"""
    {tables}
    SELECT {_columns("u", columns)}, total.users, keys.position
    FROM (SELECT ({_counter(shape, deltas=False) if is_counted else total}) AS users) AS total
    LEFT JOIN ({keys}) AS keys ON TRUE
    LEFT JOIN users AS u ON u.seq = keys.seq AND u.tenant_id = :tenant_id
    """


def _matches(shape: Shape, rows: str, limit: str) -> str:
    columns = "u.seq" if shape.field is SortField.CREATED_AT else f"u.seq, u.id, u.{_SORT_COLUMN[shape.field]}"
    return f"SELECT {columns} {rows} LIMIT {limit}"


def _either(shape: Shape, text: _Source, text_rows: str) -> tuple[str, str, str]:
    """Return tables, total and page where the members of an organization or the text drive, whichever are fewer.

    Both are counted, members no further than could matter. The way not taken has a limit of 0.
    """
    index, asked = _text_index(shape)
    by_text = f"iif({_IS_SMALL}, 0, :cap)"
    matches = f"SELECT * FROM ({_matches(shape, _members(shape).rows(), f'iif({_IS_SMALL}, :cap, 0)')})"
    total = "SELECT count(*) FROM matches"
    if shape.field is SortField.CREATED_AT and text.seq is not None:
        total = f"SELECT ({total}) + ({bounded_count(text_rows, by_text)})"
        arms = _few_or_many(shape)[:1]
        arms.append(_newest(shape, text, text.seq, f"iif({_IS_SMALL}, 0, :rows)"))
    else:
        matches = f"{matches} UNION ALL SELECT * FROM ({_matches(shape, text_rows, by_text)})"
        arms = _few_or_many(shape)
    tables = f"""
    WITH found AS MATERIALIZED (
        SELECT count(*) AS users FROM (SELECT 1 FROM {index} WHERE {asked} LIMIT :cap)
    ),
    organization AS MATERIALIZED (
        SELECT count(*) * {_MEMBER_WEIGHT} <= (SELECT users FROM found) AS is_small
        FROM (
            SELECT 1 FROM memberships AS m WHERE {_MEMBERSHIPS}
            LIMIT (SELECT users FROM found) / {_MEMBER_WEIGHT} + 1
        )
    ),
    matches AS MATERIALIZED ({matches})
    """
    return tables, total, in_turn(arms, ":rows")


def _few_or_many(shape: Shape) -> list[str]:
    """Return the page when the source's order is not the one asked for: first the SELECT over a few.

    Up to the cap the matches are all there already (they had to be counted): sort them. Beyond it they are dense, so
    that walking the index in the order asked for, and checking, ends soon. The way not taken has a limit of 0, which
    SQLite looks at before it begins; a condition would be looked at for every row.
    """
    arms = _sorted(shape, "FROM matches WHERE TRUE", "matches", "iif((SELECT count(*) FROM matches) < :cap, :rows, 0)")
    if not any(condition in _UNIQUE for condition in shape.conditions):
        limit = "iif((SELECT count(*) FROM matches) < :cap, 0, :rows)"
        if shape.field is SortField.CREATED_AT:
            arms.append(_newest(shape, _everyone(shape), "u.seq", limit))
        else:
            arms += _walk(shape, limit)
    return arms


def _sorted(shape: Shape, rows: str, table: str, limit: str) -> list[str]:
    column = "seq" if shape.field is SortField.CREATED_AT else _SORT_COLUMN[shape.field]
    return _arms(shape, f"{table}.seq AS seq", rows, table=table, name=column, limit=limit)
