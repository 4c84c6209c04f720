"""How the composed statements are run: every shape on SQLite, without statistics and with; the main on PostgreSQL."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from hellojohn_server.features.search.repository import statement_of
from hellojohn_server.features.search.schemas import UNIQUE, Condition, Counting, Shape, SortField, Start
from hellojohn_server.features.users.schemas import UserStatus
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.storage.database import Reader, Row
from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from hellojohn_server.storage.postgres import PostgresDatabase
from hellojohn_server.storage.postgres_schema import SCHEMAS
from hellojohn_server.storage.sql import TENANT_TABLES, Statement
from hellojohn_server.storage.sqlite_driver import connect
from tests.conftest import START_MS, ManualClock
from tests.features.search.people import DAY_MS, insert_people, people
from tools.lint.statements import check_statement, with_names

STATUSES = {
    UserStatus.ACTIVE: Condition.ACTIVE,
    UserStatus.BANNED: Condition.BANNED,
    UserStatus.DELETED: Condition.DELETED,
    UserStatus.DISABLED: Condition.STATUS_DISABLED,
    UserStatus.LOCKED: Condition.LOCKED,
    UserStatus.PENDING: Condition.PENDING,
}
TEXTS = [(0, 0), (2, 1), (0, 2)]
HAVE_AN_INDEX = {
    Condition.BANNED: "users_banned",
    Condition.DELETED: "users_deleted",
    Condition.DISABLED: "users_disabled",
    Condition.EMAIL: "sqlite_autoindex_users_2",
    Condition.EXTERNAL_ID: "sqlite_autoindex_users_4",
    Condition.EMAIL_NOT_VERIFIED: "users_unverified",
    Condition.LOCKED: "users_lock_marks",
    Condition.MFA_ENROLLED: "users_mfa",
    Condition.ORGANIZATION: "memberships_newest",
    Condition.PENDING: "users_pending",
    Condition.ROLE: "users_role",
    Condition.STATUS_DISABLED: "users_disabled",
}
SORTED_BY = {
    SortField.CREATED_AT: "PRIMARY KEY",
    SortField.EMAIL: "sqlite_autoindex_users_2",
    SortField.LAST_SIGN_IN_AT: "users_last_sign_in",
    SortField.NAME: "users_name",
}
BROAD = {Condition.EMAIL_NOT_VERIFIED, Condition.MFA_ENROLLED}
"""Conditions whose index drives only where no user's row need be looked at: else to read them in order is cheaper."""
ACTIVITY = {Condition.LAST_ACTIVE_AFTER, Condition.LAST_ACTIVE_BEFORE}
SORTED_BY_NEED = {"SCAN few", "SCAN p"}
"""What is sorted whatever the order: a few that were found in none."""
TOLD_BY_THE_KEY = {Condition.CREATED_AFTER, Condition.CREATED_BEFORE, Condition.DELETED, Condition.NOT_DELETED}
SIZES = {"SCAN size", "SCAN choice", "SCAN probed", "SCAN is_page", "SCAN CONSTANT ROW"}


def shapes() -> Iterator[Shape]:
    """Yield every sort, direction and start with each condition and kind of text, and the pairs of conditions."""
    singles = [(status,) for status in (Condition.NOT_DELETED, *STATUSES.values())]
    others = [each for each in Condition if (each,) not in singles]
    singles += [(Condition.NOT_DELETED, other) for other in others]
    for field, descending, conditions in itertools.product(SortField, (True, False), singles):
        for start, text in itertools.product(Start, TEXTS):
            yield Shape(field, descending, start, Counting.ROWS, conditions, *text)
        yield Shape(field, descending, Start.TOP, Counting.COMPLEMENT, conditions)
    for field, pair in itertools.product(SortField, itertools.combinations(others, 2)):
        yield Shape(field, True, Start.VALUES, Counting.ROWS, (Condition.NOT_DELETED, *pair))


@pytest.fixture
def postgres_url(own_postgres_url: str) -> str:
    """A database that nobody has used: plans depend on what was there."""
    return own_postgres_url


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    for migration in load_migrations(Engine.SQLITE, Plane.TENANT):
        connection.execute(migration.sql)
    yield connection
    connection.close()


def plan_of(connection: apsw.Connection, shape: Shape) -> list[str]:
    statement = statement_of(shape)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", bindings_of(statement))
    return [str(row[3]) for row in rows]


def bindings_of(statement: Statement) -> dict[str, Any]:
    return {**dict.fromkeys(statement.names, 1), "tenant_id": "t", "phrases": '"abc"', "prefixes": '"a"'}


def wrong_plans(connection: apsw.Connection, step: int) -> list[tuple[Shape, str, list[str]]]:
    wrong: list[tuple[Shape, str, list[str]]] = []
    for shape in itertools.islice(shapes(), 0, None, step):
        plan = plan_of(connection, shape)
        wrong.extend((shape, fault, plan) for fault in faults_of(shape, plan))
    return wrong


def test_every_statement_on_sqlite_goes_the_way_it_is_composed_for(connection: apsw.Connection) -> None:
    assert wrong_plans(connection, 1)[:1] == []


def test_it_does_so_whatever_statistics_there_are(connection: apsw.Connection) -> None:
    connection.execute("INSERT INTO memberships VALUES (1, 't', 'o', 'u', 'r', 0, 1); ANALYZE")
    assert wrong_plans(connection, 7)[:1] == []


def test_no_statement_is_parsed_again_when_it_is_bound_again(tmp_path: Path) -> None:
    connection: Any = connect(tmp_path / "tenant.db", create=True)
    for migration in load_migrations(Engine.SQLITE, Plane.TENANT):
        connection.execute(migration.sql)
    asked: list[int] = []
    connection.authorizer = lambda *asked_of: asked.append(asked_of[0]) or apsw.SQLITE_OK
    parsed_again: list[Shape] = []
    for shape in itertools.islice(shapes(), 0, None, 7):
        bindings = bindings_of(statement_of(shape))
        list(connection.execute(statement_of(shape).sqlite, bindings))
        assert asked
        asked.clear()
        list(connection.execute(statement_of(shape).sqlite, bindings))
        parsed_again += [shape] if asked else []
    connection.close()
    assert parsed_again == []


def faults_of(shape: Shape, plan: list[str]) -> Iterator[str]:
    text = "\n".join(plan)
    asked = set(shape.conditions)
    is_unique = bool(asked & {Condition.EMAIL, Condition.EXTERNAL_ID})
    has_text = bool(shape.words or shape.starts) and not is_unique
    indexed = asked & HAVE_AN_INDEX.keys() - (BROAD if asked & ACTIVITY else set())
    has_driver = has_text or is_unique or bool(indexed)
    is_sorted = shape.field is not SortField.CREATED_AT
    is_unordered = not is_unique and (
        (has_text and Condition.DELETED in asked) or (bool(asked & ACTIVITY) and not has_text and not indexed)
    )
    drivers = list(drivers_of_sorts(plan))
    if not is_sorted and not SORTED_BY_NEED.issuperset(drivers):
        yield "sorts what comes in order"
    if any(driver.startswith("SCAN u") and "VIRTUAL" not in driver for driver in drivers):
        yield "sorts everybody"
    if has_text and ("users_trigrams VIRTUAL TABLE" if shape.words else "users_prefixes VIRTUAL TABLE") not in text:
        yield "does not search by the text index"
    if not has_driver and "VIRTUAL TABLE" in text:
        yield "uses a text index for nothing"
    if has_driver and not has_text and not any(HAVE_AN_INDEX[each] in text for each in indexed):
        yield "does not use the index of a condition"
    walks = [step for step in plan if step.startswith("SCAN u") and "VIRTUAL" not in step and "counters" not in step]
    meant = [step for step in walks if "USING" in step or step == "SCAN u"]
    if walks != meant:
        yield "walks something unexpected"
    if has_driver and not is_sorted and not is_unordered and "SCAN u" in walks:
        yield "reads everybody although a condition has an index"
    if is_unique and any("SCAN u" in step for step in walks):
        yield "reads more than the one"
    if is_sorted and not is_unique and SORTED_BY[shape.field] not in text:
        yield "does not walk in the order asked for"


def drivers_of_sorts(plan: list[str]) -> Iterator[str]:
    """Yield what drives each part of a plan that is sorted: its first table that is no other part's size."""
    driver = ""
    for step in plan:
        if step.startswith(("CO-ROUTINE", "MATERIALIZE", "UNION ALL")):
            driver = ""
        elif step in SORTED_BY_NEED or (not driver and step.startswith(("SCAN", "SEARCH")) and step not in SIZES):
            driver = step
        elif "TEMP B-TREE" in step:
            yield driver


@pytest.mark.parametrize(("index", "words", "starts"), [("users_trigrams", 1, 0), ("users_prefixes", 0, 1)])
def test_what_text_and_marks_know_is_found_without_users_rows(
    connection: apsw.Connection, index: str, words: int, starts: int
) -> None:
    for condition in set(Condition) - ACTIVITY - {Condition.EMAIL, Condition.EXTERNAL_ID}:
        shape = Shape(SortField.CREATED_AT, True, Start.TOP, Counting.ROWS, (condition,), words, starts)
        assert f"ON u.seq = {index}.rowid" not in statement_of(shape).sqlite
        marks = [step for step in plan_of(connection, shape) if step.startswith("SEARCH y ")]
        assert bool(marks) != (condition in TOLD_BY_THE_KEY), condition
        assert all(" INDEX users_" in step or " memberships_newest " in step for step in marks), (condition, marks)
    compared = Shape(SortField.NAME, True, Start.TOP, Counting.ROWS, (Condition.NOT_DELETED,), 1, 0, is_compared=True)
    assert "ON u.seq = users_trigrams.rowid" in statement_of(compared).sqlite


@pytest.mark.parametrize("field", [SortField.EMAIL, SortField.LAST_SIGN_IN_AT, SortField.NAME])
@pytest.mark.parametrize("descending", [True, False])
def test_a_later_page_begins_at_its_place(connection: apsw.Connection, field: SortField, *, descending: bool) -> None:
    shape = Shape(field, descending, Start.VALUES, Counting.COUNTER, (Condition.NOT_DELETED,))
    assert steps_to_the_middle(connection, shape, 3000) < 1.5 * steps_to_the_middle(connection, shape, 300)


def steps_to_the_middle(connection: apsw.Connection, shape: Shape, users: int) -> int:
    """Return how many steps SQLite takes for the page after the middle one of so many users."""
    texts = {"id", "email", "email_key", "name_key", "search_text", "search_prefixes", "role"}
    numbers = {"seq", "last_sign_in_at", "created_at"}
    described = connection.execute("PRAGMA table_info(users)")
    zeros = {str(row[1]) for row in described if row[3] and row[1] not in texts | numbers | {"tenant_id"}}
    values = ["'t'", *[":key"] * len(texts), *[":n"] * len(numbers), *["0"] * len(zeros)]
    columns = ["tenant_id", *texts, *numbers, *zeros]
    connection.execute("DELETE FROM users")
    connection.executemany(
        f"INSERT INTO users ({', '.join(columns)}) VALUES ({', '.join(values)})",
        ({"n": number, "key": f"{number:06}"} for number in range(1, users)),
    )
    middle: int | str = users // 2 if shape.field is SortField.LAST_SIGN_IN_AT else f"{users // 2:06}"
    statement = statement_of(shape)
    given = {**bindings_of(statement), "rows": 21, "value": middle, "id": f"{users // 2:06}", "facet": "total"}
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    connection.set_progress_handler(step, 1)
    assert len(list(connection.execute(statement.sqlite, given))) == 21
    connection.set_progress_handler(None)
    return steps


def test_a_date_is_looked_up_in_the_text_index(connection: apsw.Connection) -> None:
    """FTS5 uses one bound on each side: with a second it would read on from the oldest."""
    for condition, bound in ((Condition.CREATED_AFTER, ">"), (Condition.CREATED_BEFORE, "<")):
        conditions = (Condition.NOT_DELETED, condition)
        shape = Shape(SortField.CREATED_AT, True, Start.TOP, Counting.ROWS, conditions, 1)
        sql = statement_of(shape).sqlite
        assert f"users_trigrams.rowid {bound} m" in sql  # the further of both
        assert sql.count("users_trigrams.rowid > 0") == 1 + 2 * (bound == "<"), (
            "that of the probe, and without a date after"
        )


def test_everything_that_can_be_asked_together_is_one_statement(connection: apsw.Connection) -> None:
    """SQLite parses a table of WITH anew wherever it is mentioned, and takes no more than a thousand SELECTs."""
    others = tuple(each for each in Condition if each not in STATUSES.values() and each not in UNIQUE)
    for status, field in itertools.product(STATUSES.values(), SortField):
        for words, starts in TEXTS:
            shape = Shape(field, True, Start.VALUES, Counting.ROWS, (status, *others), words, starts, True, True)
            assert plan_of(connection, shape)


def test_every_statement_names_its_tenant() -> None:
    for shape in itertools.islice(shapes(), 0, None, 29):
        statement = statement_of(shape)
        numbered = with_names(statement.postgres, statement.postgres_names)
        assert list(check_statement(statement.sqlite, "sqlite", TENANT_TABLES)) == []
        assert list(check_statement(numbered, "postgres", TENANT_TABLES)) == []


MANY = 10_000


def shape_of(field: SortField, start: Start, *conditions: Condition, words: int = 0, starts: int = 0) -> Shape:
    counting = Counting.ROWS if conditions or words or starts else Counting.COUNTER
    descending = field in {SortField.CREATED_AT, SortField.LAST_SIGN_IN_AT}
    return Shape(field, descending, start, counting, (Condition.NOT_DELETED, *conditions), words, starts)


TOTAL = {"facet": "total"}
PLANS: list[tuple[str, Shape, dict[str, Any], str]] = [
    ("the newest", shape_of(SortField.CREATED_AT, Start.TOP), TOTAL, "users_created"),
    (
        "the next page",
        shape_of(SortField.CREATED_AT, Start.VALUES),
        {**TOTAL, "value": START_MS - 500 * DAY_MS, "id": "usr_"},
        "users_created",
    ),
    ("by name", shape_of(SortField.NAME, Start.TOP), TOTAL, "users_name"),
    ("after a name", shape_of(SortField.NAME, Start.VALUES), {**TOTAL, "value": "jose", "id": "usr_"}, "users_name"),
    ("without a name", shape_of(SortField.NAME, Start.NULLS), {**TOTAL, "id": "usr_"}, "users_name"),
    ("by address", shape_of(SortField.EMAIL, Start.VALUES), {**TOTAL, "value": "m"}, "users_email_key_key"),
    ("by sign-in", shape_of(SortField.LAST_SIGN_IN_AT, Start.TOP), TOTAL, "users_last_sign_in"),
    (
        "an address",
        shape_of(SortField.CREATED_AT, Start.TOP, Condition.EMAIL),
        {"email_key": "x"},
        "users_email_key_key",
    ),
    (
        "a rare word",
        shape_of(SortField.CREATED_AT, Start.TOP, words=1),
        {"like_0": "%nick\\_7777%"},
        "users_search_text",
    ),
    ("a rare start", shape_of(SortField.CREATED_AT, Start.TOP, starts=1), {"starts": ["qx"]}, "users_search_prefixes"),
]


@pytest.fixture
async def crowded(postgres_url: str, ids: IdFactory) -> AsyncIterator[tuple[PostgresDatabase, str]]:
    """A store with 10,000 users of one tenant, and statistics of them."""
    database = await PostgresDatabase.open(postgres_url, ManualClock())
    tenant_id = ids.new(IdPrefix.TENANT)
    await database.create_tenant(tenant_id)
    await insert_people(database, tenant_id, people(MANY))
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"VACUUM ANALYZE {SCHEMAS[Plane.TENANT]}.users")
    await connection.close()
    yield database, tenant_id
    await database.close()


async def test_the_main_questions_on_postgresql_go_by_an_index(crowded: tuple[PostgresDatabase, str]) -> None:
    """Asked through the store itself: as its role, and with its settings."""
    database, tenant_id = crowded
    for name, shape, given, index in PLANS:
        explain = statement_of.__wrapped__(shape)
        explain.postgres = f"EXPLAIN {explain.postgres}"
        parameters = {"rows": 21, "cap": 10_001, "now": START_MS, **given}
        asked = {each: parameters[each] for each in explain.postgres_names if each != "tenant_id"}

        async def read(reader: Reader, explain: Statement = explain, asked: Any = asked) -> list[Row]:
            return await reader.fetch_all(explain, **asked)

        plan = "\n".join(row[0] for row in await database.read(tenant_id, read))
        assert (name, index in plan, plan) == (name, True, plan)
        assert (name, "Seq Scan on users" in plan, plan) == (name, False, plan)
        if shape.counting is Counting.COUNTER:
            assert (name, "Sort" in plan, plan) == (name, False, plan)
