"""The statements that find users: composed from the fragments below, one for each shape of question, and kept.

docs/adr/0005-search-statements.md explains how. In short, a statement is a page and its total in one. PostgreSQL gets
the conditions as they are and chooses the way itself. SQLite keeps no statistics, so the way is chosen here: one
condition drives (`_Source`), the others are checked on what it finds, with a unary + so that no other index is used.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from hellojohn_server.features.search.schemas import (
    ACTIVITY,
    BROAD,
    DISABLING,
    DRIVERS,
    KNOWN,
    KNOWN_OF_MARKED,
    MARKED,
    NEWEST_FIRST,
    NULLABLE,
    OF_THE_ROW,
    READ,
    SORT_COLUMN,
    UNIQUE,
    Condition,
    Counting,
    Direction,
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
from hellojohn_server.features.users.schemas import User, UserStatus, user_of
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.search_query import indexed_part, looked_up_by_letters
from hellojohn_server.storage.compose import (
    bounded_count,
    conjunction,
    counted_users,
    extreme,
    fts5_all,
    in_order,
    in_turn,
    like_anywhere,
    limited,
    ordered_arms,
    stepwise,
)
from hellojohn_server.storage.database import Parameter, Reader
from hellojohn_server.storage.postgres_ways import STEPS, few_or_many, near_or_far
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite_marks import DATES, MARKS, is_member, mark_of, seq_before
from hellojohn_server.storage.sqlite_ways import KNOWN_ALREADY, WALKED, Source, choice, few_table, walked_or_sorted
from hellojohn_server.storage.user_conditions import CONDITIONS, NOT_STOPPED, on_postgres

_OWN: Final = "{}.tenant_id = :tenant_id"
_SORT_INDEXES: Final = {SortField.LAST_SIGN_IN_AT: "users_last_sign_in", SortField.NAME: "users_name"}
_WHOLE: Final = User.__struct_fields__
_ANYBODY: Final = Shape(SortField.CREATED_AT, descending=True, start=Start.TOP, counting=Counting.ROWS, conditions=())
_BROAD_TOGETHER: Final = 2
_ROW_WEIGHT: Final = 3
"""How much dearer it is to compare a word with a row than to look for the marks of one that the text index finds."""
_AFTER_ALL: Final = "~"
_IF_FEW: Final = "iif({} < :cap, {}, {})"


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
    if place is None and wanted.status is UserStatus.PENDING and order.field is SortField.LAST_SIGN_IN_AT:
        place = Place(None, _AFTER_ALL if order.direction is Direction.DESCENDING else "")  # none of them has signed in
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
        given |= {"phrases": fts5_all(map(indexed_part, words)), "whole_phrases": fts5_all(words)}
        given |= {"prefixes": fts5_all(starts), "starts": list(starts)}
        for number, word in enumerate(words):
            given[f"word_{number}"] = word
            given[f"like_{number}"] = like_anywhere(looked_up_by_letters(word))
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
    if shape.counting is Counting.NONE:
        return "SELECT 0"
    facet = counted_users(":facet", deltas=deltas)
    if shape.counting is Counting.COMPLEMENT:
        everyone = counted_users("'total'", deltas=deltas)
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
    conditions = [on_postgres(each, beside_words=shape.words + shape.starts > 0) for each in shape.conditions]
    conditions += [f"u.search_text LIKE :like_{number}" for number in range(shape.words)]
    conditions += [f"strpos(u.search_text, :word_{number}) > 0" for number in range(shape.words * shape.is_shortened)]
    return conditions + (["u.search_prefixes @> CAST(:starts AS text[])"] if shape.starts else [])


def _postgres(shape: Shape, columns: tuple[str, ...]) -> str:
    """Find the matches once, and sort them if they are few; else walk the index in the order asked for.

    Without words an index may tell how many there are, so that what many are sorted by is not read.
    """
    rows = f"FROM users AS u WHERE {conjunction(('u.tenant_id = :tenant_id', *_holding(shape)))}"
    column = SORT_COLUMN[shape.field]
    if shape.counting is not Counting.ROWS:
        arms = _arms(shape, _columns("u", columns), rows, table="u", name=column)
        return f"""
        SELECT {_columns("page", columns)}, total.users, page.position
        FROM (SELECT ({_counter(shape, deltas=True)}) AS users) AS total
        LEFT JOIN ({in_turn(arms, ":rows")}) AS page ON TRUE
        """
    tables, many = _many_on_postgres(shape, rows)
    if shape.field is SortField.CREATED_AT or shape.words or shape.starts:
        few = in_turn(_arms(shape, "matches.id", "FROM matches WHERE TRUE", table="matches", name=column), ":rows")
        return few_or_many(_columns("u", columns), f"SELECT u.id, u.{column} {rows}", tables, few, many)
    return few_or_many(_columns("u", columns), f"SELECT 1 {rows}", tables, _sorted_on_postgres(shape, rows), many)


def _many_on_postgres(shape: Shape, rows: str) -> tuple[str, str]:
    """Return further tables, and the page of more than the cap: as _many does, but that words alone stand together."""
    column = SORT_COLUMN[shape.field]
    if shape.field is SortField.CREATED_AT or not (shape.words or shape.starts):
        return "", in_turn(_arms(shape, "u.id", rows, table="u", name=column), ":rows")
    select = f"u.id AS seq, ({conjunction(_holding(shape))}) AS holds"
    steps = _arms(shape, select, f"FROM users AS u WHERE {_OWN.format('u')}", table="u", name=column, limit=STEPS)[0]
    return near_or_far(steps, _sorted_on_postgres(shape, rows))


def _sorted_on_postgres(shape: Shape, rows: str) -> str:
    """Return the page from all that match, which are sorted whatever the planner makes of that."""
    every = f"FROM (SELECT u.id, u.{SORT_COLUMN[shape.field]} {rows} OFFSET 0) AS every WHERE TRUE"
    return in_turn(_arms(shape, "every.id", every, table="every", name=SORT_COLUMN[shape.field]), ":rows")


_EVERYBODY: Final = Source(tables="users AS u NOT INDEXED", seq="u.seq", selects=(_OWN.format("u"),), is_narrow=False)


def _sources(shape: Shape) -> list[Source]:
    """Return what can drive, the most selective first as far as one can say beforehand: one, or two to choose from."""
    for condition in UNIQUE:
        if condition in shape.conditions:
            selects = ("u.tenant_id = :tenant_id", CONDITIONS[condition].format(""))
            return [Source(tables="users AS u", seq="u.seq", selects=selects, driver=condition, is_narrow=False)]
    has_text = bool(shape.words or shape.starts)
    is_broad = len(BROAD.union(DISABLING).intersection(shape.conditions)) < _BROAD_TOGETHER
    left_out = BROAD if not ACTIVITY.isdisjoint(shape.conditions) or (has_text and is_broad) else frozenset[Condition]()
    rivals = [_state(shape, each, has_text) for each in DRIVERS if each in shape.conditions and each not in left_out]
    rivals += [_activity(shape)] if not ACTIVITY.isdisjoint(shape.conditions) else []
    found = [_text(shape), *rivals] if has_text else rivals
    return found[:2] or [_EVERYBODY]


def _text(shape: Shape) -> Source:
    """Return what the text index finds. Those in the recycle bin are there under their number with a minus."""
    index, asked = ("users_trigrams", ":whole_phrases") if shape.words else ("users_prefixes", ":prefixes")
    is_of_bin = Condition.DELETED in shape.conditions
    return Source(
        tables=index,
        seq=f"(-{index}.rowid)" if is_of_bin else f"{index}.rowid",
        selects=(f"{index} MATCH {asked}", *((f"{index}.rowid < 0",) if is_of_bin else ())),
        is_text=True,
        is_ordered=not is_of_bin,
        knows={Condition.DELETED: KNOWN_ALREADY},
        probed_by=(f"{index} MATCH {':phrases' if shape.is_shortened else asked}", f"{index}.rowid > 0"),
        floor="" if is_of_bin else "0",
    )


def _state(shape: Shape, condition: Condition, has_text: bool) -> Source:  # noqa: FBT001 - whether it is a rival of a text
    weight = _ROW_WEIGHT if has_text else 1
    if condition is Condition.ORGANIZATION:
        return Source(
            tables="memberships AS m INDEXED BY memberships_newest",
            seq="m.user_seq",
            selects=(_OWN.format("m"), "m.organization_id = :organization_id"),
            driver=condition,
            weight=weight,
        )
    name = DRIVERS[condition]
    index, holds = MARKS[name]
    known: dict[str, str] = {
        each: CONDITIONS[each].format("").replace("u.", "x.") for each in KNOWN.get(name, KNOWN_OF_MARKED)
    }
    if condition is Condition.PENDING:
        known[condition] = NOT_STOPPED.replace("u.", "x.")
    return Source(
        tables=f"users AS x INDEXED BY {index}",
        seq="x.seq",
        selects=(_OWN.format("x"), holds),
        driver=condition,
        knows=known,
        probed_by=(_OWN.format("x"), holds, *(held for each, held in known.items() if each in shape.conditions)),
        weight=weight,
    )


def _activity(shape: Shape) -> Source:
    """Return those last active in a range, in no order. Nobody was active before being created."""
    asked = [each for each in (Condition.LAST_ACTIVE_AFTER, Condition.LAST_ACTIVE_BEFORE) if each in shape.conditions]
    known: dict[str, str] = {**dict.fromkeys(asked, KNOWN_ALREADY), Condition.NOT_DELETED: "x.deleted_at IS NULL"}
    selects = (_OWN.format("x"), *(CONDITIONS[each].format("").replace("u.", "x.") for each in asked))
    return Source(
        tables="users AS x INDEXED BY users_last_active",
        seq="x.seq",
        selects=selects,
        driver=asked[0],
        knows=known,
        is_ordered=False,
        weight=_ROW_WEIGHT,
    )


def _rows(shape: Shape, source: Source, *further: str, has_row: bool = False) -> str:
    """Return everything from FROM to the end of WHERE: what a source finds and every other condition.

    `has_row`: the user's row is there as `u`.
    """
    if not source.is_narrow:
        return f"FROM {source.tables} WHERE {conjunction((*source.selects, *_checks(shape, source.driver), *further))}"
    conditions = [*source.selects, *further, *_known(shape, source)]
    residual = [
        CONDITIONS[each].format("+") for each in shape.conditions if each in OF_THE_ROW and each not in source.knows
    ]
    is_probed = source.tables.endswith(" AS p")
    is_compared = shape.is_compared or (shape.is_shortened and is_probed)
    residual += _compared(shape, words=not source.is_text or is_compared, starts=not source.is_text or shape.words > 0)
    tables = source.tables
    if residual or has_row:
        tables += f" CROSS JOIN users AS u ON u.seq = {source.seq}"
        conditions += [_OWN.format("u"), *residual]
    return f"FROM {tables} WHERE {conjunction(conditions)}"


def _known(shape: Shape, source: Source) -> list[str]:
    """Return the conditions that need no row: what the source's own index tells, then what small ones answer."""
    own = [source.knows[each] for each in shape.conditions if each in source.knows]
    positive: list[str] = []
    negative: list[str] = []
    for condition in shape.conditions:
        if condition in source.knows:
            continue
        must, must_not = MARKED.get(condition, ((), ()))
        positive += [name for name in must if source.driver is None or name != DRIVERS.get(Condition(source.driver))]
        negative += [name for name in must_not if name != "deleted" or not source.is_text]
    marks = [mark_of(name, source.seq) for name in dict.fromkeys(positive)]
    marks += [f"NOT {mark_of(name, source.seq)}" for name in dict.fromkeys(negative)]
    if Condition.ORGANIZATION in shape.conditions and source.driver is not Condition.ORGANIZATION:
        marks.append(is_member(source.seq))
    dates = [
        DATES[each].format(seq=source.seq) for each in shape.conditions if each in DATES and each not in source.knows
    ]
    return [*(condition for condition in own if condition != KNOWN_ALREADY), *marks, *dates]


def _checks(shape: Shape, driver: str | None = None) -> tuple[str, ...]:
    """Return the conditions as they are checked on a user's row, without those of the driver."""
    conditions = (CONDITIONS[each].format("+") for each in shape.conditions if each is not driver)
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
    """Return the page from the index in the order asked for, all checked on the way."""
    rows = _sorted_rows(shape, *_checks(shape))
    return _arms(shape, "u.seq AS seq", rows, table="u", name=SORT_COLUMN[shape.field], limit=limit)


def _few_steps(shape: Shape, limit: str) -> str:
    """Return what is found among the next few of the index in the order asked for: those who have a sort value."""
    select = f"u.seq AS seq, ({conjunction(_checks(shape))}) AS holds"
    arms = _arms(shape, select, _sorted_rows(shape), table="u", name=SORT_COLUMN[shape.field], limit=str(WALKED))
    return stepwise(arms[0], limit)


def _sorted_rows(shape: Shape, *conditions: str) -> str:
    index = _SORT_INDEXES.get(shape.field)  # that of addresses has no name
    is_led = index is not None or (shape.start is Start.VALUES and not shape.descending)  # of two bounds one is used
    leads = () if is_led else ("u.email_key >= ''",)
    table = "users AS u" if index is None else f"users AS u INDEXED BY {index}"
    return f"FROM {table} WHERE {conjunction((_OWN.format('u'), *leads, *conditions))}"


def _created_range(shape: Shape, source: Source, *, after_place: bool) -> list[str]:
    """Return what the dates asked for, and the place a page starts after, mean for the key: one bound on each side."""
    lower = [source.floor] * bool(source.floor) + [":created_after"] * (Condition.CREATED_AFTER in shape.conditions)
    dates = (Condition.CREATED_BEFORE, Condition.LAST_ACTIVE_BEFORE)  # nobody was active before being created
    upper = [seq_before(f":{each}") for each in dates if each in shape.conditions]
    if after_place:
        (upper if shape.descending else lower).append(":value")
    return [
        *([f"{source.seq} > {extreme('max', lower)}"] if lower else []),
        *([f"{source.seq} < {extreme('min', upper)}"] if upper else []),
    ]


def _found(shape: Shape, source: Source, *, after_place: bool = False) -> str:
    return _rows(shape, source, *_created_range(shape, source, after_place=after_place))


def _newest(shape: Shape, source: Source, limit: str) -> str:
    """Return a page of a source in its order, or the reverse."""
    return _by_seq(shape, source.seq, _found(shape, source, after_place=shape.start is Start.VALUES), limit)


def _by_seq(shape: Shape, seq: str, rows: str, limit: str) -> str:
    direction = "DESC" if shape.descending else "ASC"
    return f"SELECT {seq} AS position, {seq} AS seq {rows} ORDER BY {seq} {direction} LIMIT {limit}"


def _sqlite(shape: Shape, columns: tuple[str, ...]) -> str:
    sources = _sources(shape)
    tables, ways = choice(sources)
    is_counted = shape.counting is not Counting.ROWS
    counter = f"({_counter(shape, deltas=False)})"
    if shape.field is SortField.CREATED_AT and sources[0].is_ordered:
        counts = [bounded_count(_found(shape, source), limit.format(":cap")) for source, limit in ways]
        total = f"({' + '.join(f'({count})' for count in counts)})"
        keys = in_turn([_newest(shape, source, limit.format(":rows")) for source, limit in ways], ":rows")
    elif is_counted and sources[0] == _EVERYBODY:
        total, keys = "", in_turn(_walk(shape, ":rows"), ":rows")
    else:
        total = "(SELECT users FROM size)"
        is_known = shape.counting not in {Counting.ROWS, Counting.NONE}
        cap = f"iif({counter} < :cap, :cap, 0)" if is_known else ":cap"
        found = [
            f"SELECT * FROM (SELECT {source.seq} AS seq {_found(shape, source)} LIMIT {limit.format(cap)})"
            for source, limit in ways
        ]
        tables.append(f"matches AS MATERIALIZED ({' UNION ALL '.join(found)})")
        tables.append(
            f"size AS MATERIALIZED (SELECT {counter if is_known else '(SELECT count(*) FROM matches)'} AS users)"
        )
        further, arms = _few_or_many(shape, sources[0], total)
        tables += further
        keys = in_turn(arms, ":rows")
    return f"""
    {f"WITH {', '.join(tables)}" if tables else ""}
    SELECT {_columns("u", columns)}, total.users, keys.position
    FROM (SELECT {counter if is_counted else total} AS users) AS total
    LEFT JOIN ({keys}) AS keys ON TRUE
    LEFT JOIN users AS u ON u.seq = keys.seq AND u.tenant_id = :tenant_id
    """


def _few_or_many(shape: Shape, source: Source, total: str) -> tuple[list[str], list[str]]:
    """Return tables, and the page from them, when the source's order is not the one asked for.

    Up to the cap the matches are all there: sort them. Every mention of a table is parsed anew, up to a thousand.
    """
    few, many = _IF_FEW.format(total, ":rows", "0"), _IF_FEW.format(total, "0", ":rows")
    if shape.field is SortField.CREATED_AT:
        after = f" WHERE few.seq {'<' if shape.descending else '>'} :value" if shape.start is Start.VALUES else ""
        return [], [_by_seq(shape, "few.seq", f"FROM matches AS few{after}", few), _newest(shape, _EVERYBODY, many)]
    column = SORT_COLUMN[shape.field]
    tables = [few_table(column, _IF_FEW.format(total, ":cap", "0"))]
    ways = [limited(_arms(shape, "few.seq AS seq", "FROM few WHERE TRUE", table="few", name=column), ":rows")]
    if source.driver in UNIQUE:
        return tables, ways
    if source == _EVERYBODY:
        return tables, [*ways, limited(_walk(shape, ":rows"), many)]
    further, others = _many(shape, source, many)
    return tables + further, ways + others


def _many(shape: Shape, source: Source, limit: str) -> tuple[list[str], list[str]]:
    """Return a table, and the page from it or from all matches, of which there are many, so that a few steps find it.

    Unless they stand at one end of the order (names in Latin letters): then to sort all costs less than the walk.
    """
    rows = _rows(shape, source, *_created_range(shape, source, after_place=False), has_row=True)
    every = _arms(shape, "u.seq AS seq", rows, table="u", name=SORT_COLUMN[shape.field])
    return walked_or_sorted(_few_steps(shape, limit), every, limit)
