"""The race-safe primitives: of sixteen callers at once, exactly those get through that the guard allows."""

import asyncio

import pytest

from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.primitives import consume_once, increment_guarded
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import OpenDatabase

CALLERS = 16
INSERT_SESSION = Statement(
    "INSERT INTO sessions (tenant_id, id, user_id, created_at, expires_at, access_expires_at)"
    " VALUES (:tenant_id, :id, 'usr_1', 1, 2, 2)",
    kind=Kind.BOOKKEEPING,
)
REVOKE_SESSION = Statement(
    "UPDATE sessions SET revoked_at = :now WHERE tenant_id = :tenant_id AND id = :id AND revoked_at IS NULL"
    " RETURNING user_id, revoked_at"
)
DELETE_SESSION = Statement("DELETE FROM sessions WHERE tenant_id = :tenant_id AND id = :id RETURNING user_id")
DELETE_SESSIONS = Statement("DELETE FROM sessions WHERE tenant_id = :tenant_id RETURNING id")
COUNT_UP = Statement(
    "UPDATE user_counters SET users = users + 1"
    " WHERE tenant_id = :tenant_id AND facet = 'total' AND users < :limit RETURNING users"
)
START_OR_COUNT_UP = Statement(
    "INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, :facet, 1)"
    " ON CONFLICT (facet)"
    " DO UPDATE SET users = user_counters.users + 1 WHERE user_counters.users < :limit RETURNING users",
    "INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, :facet, 1)"
    " ON CONFLICT (tenant_id, facet)"
    " DO UPDATE SET users = user_counters.users + 1 WHERE user_counters.users < :limit RETURNING users",
)
INSERT_COUNTER = Statement(
    "INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, 'total', 0)", kind=Kind.BOOKKEEPING
)
LIST_SESSIONS = Statement("SELECT id FROM sessions WHERE tenant_id = :tenant_id")


async def seed(database: Database, tenant_id: str) -> None:
    async def command(tx: Transaction) -> None:
        await tx.execute_many(INSERT_SESSION, [{"id": "ses_1"}, {"id": "ses_2"}])
        await tx.execute(INSERT_COUNTER)

    await database.write(tenant_id, command, type(None))


async def consume(database: Database, tenant_id: str, statement: Statement, **parameters: str | int) -> object:
    async def command(tx: Transaction) -> list[object] | None:
        row = await consume_once(tx, statement, **parameters)
        return None if row is None else list(row)

    return await database.write(tenant_id, command, list[object] | None, exempt=Exempt.HOUSEKEEPING)


async def increment(database: Database, tenant_id: str, statement: Statement, **parameters: str | int) -> int | None:
    async def command(tx: Transaction) -> int | None:
        return await increment_guarded(tx, statement, **parameters)

    return await database.write(tenant_id, command, int | None, exempt=Exempt.HOUSEKEEPING)


async def test_one_of_sixteen_consumes_a_row(database: Database, tenant_id: str) -> None:
    await seed(database, tenant_id)

    outcomes = await asyncio.gather(
        *(consume(database, tenant_id, REVOKE_SESSION, id="ses_1", now=100 + caller) for caller in range(CALLERS))
    )

    won = [outcome for outcome in outcomes if outcome is not None]
    assert len(won) == 1
    assert won[0] == ["usr_1", 100 + outcomes.index(won[0])]
    assert await consume(database, tenant_id, REVOKE_SESSION, id="ses_1", now=1) is None
    assert await consume(database, tenant_id, REVOKE_SESSION, id="ses_2", now=7) == ["usr_1", 7]


async def test_one_of_sixteen_deletes_a_row(database: Database, tenant_id: str) -> None:
    await seed(database, tenant_id)

    outcomes = await asyncio.gather(*(consume(database, tenant_id, DELETE_SESSION, id="ses_1") for _ in range(CALLERS)))

    assert outcomes.count(None) == CALLERS - 1
    assert await consume(database, tenant_id, DELETE_SESSION, id="ses_unknown") is None


async def test_one_of_sixteen_wins_over_two_connections_to_the_store(
    open_database: OpenDatabase, database: Database, tenant_id: str
) -> None:
    await seed(database, tenant_id)
    other = await open_database()
    try:
        outcomes = await asyncio.gather(
            *(
                consume((database, other)[caller % 2], tenant_id, REVOKE_SESSION, id="ses_1", now=caller)
                for caller in range(CALLERS)
            )
        )
    finally:
        await other.close()

    assert outcomes.count(None) == CALLERS - 1


@pytest.mark.parametrize(("statement", "more"), [(COUNT_UP, {}), (START_OR_COUNT_UP, {"facet": "disabled"})])
async def test_sixteen_callers_count_to_the_limit_and_no_further(
    database: Database, tenant_id: str, statement: Statement, more: dict[str, str]
) -> None:
    await seed(database, tenant_id)

    numbers = await asyncio.gather(
        *(increment(database, tenant_id, statement, limit=10, **more) for _ in range(CALLERS))
    )

    assert sorted(number for number in numbers if number is not None) == list(range(1, 11))
    assert numbers.count(None) == CALLERS - 10
    assert await increment(database, tenant_id, statement, limit=10, **more) is None
    assert await increment(database, tenant_id, statement, limit=11, **more) == 11


async def test_another_tenant_consumes_and_counts_its_own(
    database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    await seed(database, tenant_id)

    assert await consume(database, other_tenant_id, REVOKE_SESSION, id="ses_1", now=1) is None
    assert await increment(database, other_tenant_id, COUNT_UP, limit=10) is None
    assert await consume(database, tenant_id, REVOKE_SESSION, id="ses_1", now=1) is not None


async def test_more_than_one_row_is_a_defect_and_changes_nothing(database: Database, tenant_id: str) -> None:
    await seed(database, tenant_id)

    with pytest.raises(ValueError, match="used up 2 rows"):
        await consume(database, tenant_id, DELETE_SESSIONS)

    async def count(reader: Reader) -> int:
        return len(await reader.fetch_all(LIST_SESSIONS))

    assert await database.read(tenant_id, count) == 2


@pytest.mark.parametrize(
    "statement",
    [LIST_SESSIONS, INSERT_SESSION, Statement("SELECT 'RETURNING' FROM sessions WHERE tenant_id = :tenant_id")],
)
async def test_a_statement_that_guards_nothing_is_refused(
    database: Database, tenant_id: str, statement: Statement
) -> None:
    with pytest.raises(TypeError, match="no statement that changes rows"):
        await consume(database, tenant_id, statement)
