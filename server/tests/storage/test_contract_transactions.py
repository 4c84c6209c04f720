"""The contract of both stores: what a query sees, what a command changes, and what takes a command back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.errors import Conflict
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.storage.database import Database, Exempt, Parameter, Reader, Row, Transaction
from hellojohn_server.storage.errors import UnauditedChange, UniqueViolation
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import ManualClock, OpenDatabase
from tests.storage.rows import (
    INSERT_ORGANIZATION,
    LIST_ORGANIZATIONS,
    UPDATE_ORGANIZATIONS,
    Rows,
    list_ids,
    list_recorded,
)

RENAME = Statement(
    "UPDATE organizations SET name = :name WHERE tenant_id = :tenant_id AND name = :old RETURNING id, version"
)
DELETE_ORGANIZATION = Statement("DELETE FROM organizations WHERE tenant_id = :tenant_id AND id = :id")
LIST_SOME = Statement(
    "SELECT id FROM organizations"
    " WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:ids)) ORDER BY id",
    "SELECT id FROM organizations WHERE tenant_id = :tenant_id AND id = ANY(:ids) ORDER BY id",
)
INSERT_ROLE = Statement(
    "INSERT INTO roles (tenant_id, id, name, description, permissions, privileged, created_at, updated_at, version)"
    " VALUES (:tenant_id, :id, :name, NULL, '[]', :privileged, :now, :now, 1)",
    kind=Kind.BOOKKEEPING,
)
DELETE_ROLE = Statement("DELETE FROM roles WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING)
GET_ROLE = Statement(
    "SELECT name, description, privileged, created_at FROM roles WHERE tenant_id = :tenant_id AND id = :id"
)
INSERT_MEMBERSHIP = Statement(
    "INSERT INTO memberships (tenant_id, organization_id, user_id, role, created_at)"
    " VALUES (:tenant_id, :organization_id, :user_id, 'member', 1)",
    kind=Kind.BOOKKEEPING,
)
INSERT_KEY = Statement(
    "INSERT INTO api_keys (tenant_id, id, type, name, key_hash, hint, scopes, created_at, created_by)"
    " VALUES (:tenant_id, :id, 'secret', :name, :key_hash, '', '[]', 1, 'key_1')",
    kind=Kind.BOOKKEEPING,
)
GET_KEY_BY_HASH = Statement("SELECT id, key_hash FROM api_keys WHERE tenant_id = :tenant_id AND key_hash = :key_hash")

Step = Callable[[Transaction], Awaitable[object]]


@pytest.fixture
def rows(ids: IdFactory, clock: ManualClock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


async def write(database: Database, tenant_id: str, step: Step, exempt: Exempt | None = None) -> None:
    async def command(tx: Transaction) -> None:
        await step(tx)

    await database.write(tenant_id, command, type(None), exempt=exempt)


async def read(database: Database, tenant_id: str, statement: Statement, **parameters: Parameter) -> list[Row]:
    async def query(reader: Reader) -> list[Row]:
        return await reader.fetch_all(statement, **parameters)

    return await database.read(tenant_id, query)


async def test_a_read_after_a_write_finds_it(database: Database, tenant_id: str, rows: Rows) -> None:
    assert await database.write(tenant_id, rows.insert("org_1"), str) == "org_1"

    assert await database.read(tenant_id, list_ids) == ["org_1"]
    assert await database.read(tenant_id, list_ids, long=True) == ["org_1"]
    assert await database.read(tenant_id, list_recorded) == ["org_1"]


async def test_a_command_reads_its_own_writes(database: Database, tenant_id: str, rows: Rows) -> None:
    seen: list[str] = []

    async def inside(tx: Transaction) -> list[str]:
        await rows.insert("org_1")(tx)
        seen.extend(await list_ids(tx))
        await tx.slice()
        return seen

    assert await database.write(tenant_id, inside, list[str]) == ["org_1"]
    assert seen == ["org_1"]


async def test_another_tenant_sees_and_changes_nothing(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows
) -> None:
    await database.write(tenant_id, rows.insert("org_1", "mine"), str)

    async def meddle(tx: Transaction) -> tuple[int, int]:
        assert tx.tenant_id == other_tenant_id
        renamed = await tx.fetch_all(RENAME, name="theirs", old="mine")
        return await tx.execute(DELETE_ORGANIZATION, id="org_1"), len(renamed)

    assert await database.write(other_tenant_id, meddle, tuple[int, int]) == (0, 0)
    assert await database.read(other_tenant_id, list_ids) == []
    assert await database.read(other_tenant_id, list_recorded) == []
    assert await database.read(CONTROL_TENANT_ID, list_recorded) == []
    assert await read(database, tenant_id, LIST_ORGANIZATIONS) == [("org_1", "mine")]


async def test_tenants_and_control_may_use_the_same_ids(
    database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    for scope in (tenant_id, other_tenant_id, CONTROL_TENANT_ID):
        await write(
            database, scope, lambda tx: tx.execute(INSERT_KEY, id="key_1", name=tx.tenant_id, key_hash=b"\x00h")
        )

    for scope in (tenant_id, other_tenant_id, CONTROL_TENANT_ID):
        assert await read(database, scope, GET_KEY_BY_HASH, key_hash=b"\x00h") == [("key_1", b"\x00h")]


@pytest.mark.parametrize("failure", [Conflict(), RuntimeError("a defect"), KeyError("x")])
async def test_whatever_a_command_raises_takes_all_of_it_back(
    database: Database, tenant_id: str, rows: Rows, failure: Exception
) -> None:
    async def command(tx: Transaction) -> str:
        await rows.insert("org_1")(tx)
        await rows.insert("org_2")(tx)
        raise failure

    with pytest.raises(type(failure)) as raised:
        await database.write(tenant_id, command, str)

    assert raised.value is failure
    assert await database.read(tenant_id, list_ids) == []
    assert await database.read(tenant_id, list_recorded) == []
    await database.write(tenant_id, rows.insert("org_1"), str)


async def test_what_a_command_raises_takes_back_no_other_command(
    database: Database, tenant_id: str, rows: Rows
) -> None:
    async def fail(tx: Transaction) -> str:
        await rows.insert("org_failed")(tx)
        raise Conflict

    outcomes = await asyncio.gather(
        database.write(tenant_id, rows.insert("org_1"), str),
        database.write(tenant_id, fail, str),
        database.write(tenant_id, rows.insert("org_2"), str),
        return_exceptions=True,
    )

    assert [str(outcome) for outcome in outcomes] == ["org_1", str(Conflict()), "org_2"]
    assert await database.read(tenant_id, list_ids) == ["org_1", "org_2"]


async def test_a_guard_runs_first_in_the_same_transaction_and_refuses_by_raising(
    database: Database, tenant_id: str, rows: Rows
) -> None:
    async def guard(tx: Transaction) -> None:
        if await list_ids(tx):
            raise Conflict("only one")

    await database.write(tenant_id, rows.insert("org_1"), str, guard=guard)
    with pytest.raises(Conflict, match="only one"):
        await database.write(tenant_id, rows.insert("org_2"), str, guard=guard)

    assert await database.read(tenant_id, list_ids) == ["org_1"]


@pytest.mark.parametrize(
    ("statement", "parameters", "table", "column"),
    [
        (INSERT_ROLE, {"id": "rol_1", "name": "other", "privileged": False, "now": 1}, "roles", "id"),
        (INSERT_ROLE, {"id": "rol_2", "name": "editor", "privileged": False, "now": 1}, "roles", "name"),
        (INSERT_KEY, {"id": "key_2", "name": "", "key_hash": b"hash"}, "api_keys", "key_hash"),
        (INSERT_MEMBERSHIP, {"organization_id": "org_1", "user_id": "usr_1"}, "memberships", "organization_id_user_id"),
    ],
)
async def test_a_key_that_is_taken_names_its_table_and_column(
    database: Database, tenant_id: str, statement: Statement, parameters: dict[str, object], table: str, column: str
) -> None:
    async def seed(tx: Transaction) -> None:
        await tx.execute(INSERT_ROLE, id="rol_1", name="editor", privileged=True, now=1)
        await tx.execute(INSERT_KEY, id="key_1", name="", key_hash=b"hash")
        await tx.execute(INSERT_MEMBERSHIP, organization_id="org_1", user_id="usr_1")

    await write(database, tenant_id, seed)
    for insert in (
        lambda tx: tx.execute(statement, **parameters),
        lambda tx: tx.execute_many(statement, [parameters]),
    ):
        with pytest.raises(UniqueViolation) as taken:
            await write(database, tenant_id, insert)
        assert (taken.value.table, taken.value.column) == (table, column)


async def test_values_come_back_as_they_went_in(database: Database, tenant_id: str) -> None:
    name = "Zoë 𝒵 \u202e 'quoted' \\ % _ ;--"
    await write(
        database, tenant_id, lambda tx: tx.execute(INSERT_ROLE, id="rol_1", name=name, privileged=True, now=2**53)
    )

    [(read_name, description, privileged, created_at)] = await read(database, tenant_id, GET_ROLE, id="rol_1")
    assert (read_name, description, bool(privileged), created_at) == (name, None, True, 2**53)


@pytest.mark.parametrize("ids_given", [[], ["org_2"], ["org_3", "org_1", "nobody", "org_1"], ("org_1", "org_2")])
async def test_a_list_is_one_parameter(
    database: Database, tenant_id: str, rows: Rows, ids_given: list[str] | tuple[str, ...]
) -> None:
    for number in range(1, 4):
        await database.write(tenant_id, rows.insert(f"org_{number}"), str)

    found = await read(database, tenant_id, LIST_SOME, ids=ids_given)
    assert [row[0] for row in found] == sorted(set(ids_given) - {"nobody"})


async def test_fetch_one_is_the_first_row_or_none(database: Database, tenant_id: str, rows: Rows) -> None:
    async def first(reader: Reader) -> Row | None:
        return await reader.fetch_one(LIST_ORGANIZATIONS)

    assert await database.read(tenant_id, first) is None
    await database.write(tenant_id, rows.insert("org_1"), str)
    await database.write(tenant_id, rows.insert("org_2"), str)

    assert await database.read(tenant_id, first) == ("org_1", "a name")
    assert await database.write(tenant_id, first, tuple[str, str]) == ("org_1", "a name")


async def test_execute_returns_the_rows_it_changed(database: Database, tenant_id: str, rows: Rows) -> None:
    async def command(tx: Transaction) -> list[int]:
        await rows.record(tx, "org_1")
        changed = [await tx.execute(UPDATE_ORGANIZATIONS)]
        changed.append(await tx.execute(INSERT_ORGANIZATION, id="org_1", name="a"))
        await tx.execute_many(INSERT_ORGANIZATION, [{"id": "org_2", "name": "a"}, {"id": "org_3", "name": "b"}])
        await tx.execute_many(INSERT_ORGANIZATION, [])
        changed.append(await tx.execute(UPDATE_ORGANIZATIONS))
        changed.append(len(await tx.fetch_all(RENAME, name="c", old="a!")))
        changed.append(await tx.execute(DELETE_ORGANIZATION, id="org_1"))
        changed.append(await tx.execute(DELETE_ORGANIZATION, id="org_1"))
        return changed

    assert await database.write(tenant_id, command, list[int]) == [0, 1, 3, 2, 1, 0]
    assert await read(database, tenant_id, LIST_ORGANIZATIONS) == [("org_2", "c"), ("org_3", "b!")]


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: tx.execute(INSERT_ORGANIZATION, id="org_2", name="new"),
        lambda tx: tx.execute_many(INSERT_ORGANIZATION, [{"id": "org_2", "name": "new"}]),
        lambda tx: tx.fetch_one(RENAME, name="new", old="a name"),
        lambda tx: tx.fetch_all(RENAME, name="new", old="a name"),
        lambda tx: tx.execute(DELETE_ORGANIZATION, id="org_1"),
    ],
    ids=["execute", "execute_many", "fetch_one", "fetch_all", "delete"],
)
async def test_a_change_without_an_audit_entry_is_taken_back(
    database: Database, tenant_id: str, rows: Rows, change: Step
) -> None:
    await database.write(tenant_id, rows.insert("org_1"), str)

    with pytest.raises(UnauditedChange):
        await write(database, tenant_id, change)
    assert await read(database, tenant_id, LIST_ORGANIZATIONS) == [("org_1", "a name")]

    await write(database, tenant_id, change, Exempt.HOUSEKEEPING)
    assert await read(database, tenant_id, LIST_ORGANIZATIONS) != [("org_1", "a name")]


async def test_what_changes_nothing_needs_no_entry(database: Database, tenant_id: str) -> None:
    async def command(tx: Transaction) -> None:
        assert await tx.execute(UPDATE_ORGANIZATIONS) == 0
        assert await tx.fetch_one(RENAME, name="new", old="none") is None
        await tx.execute(INSERT_ROLE, id="rol_1", name="bookkeeping", privileged=False, now=1)

    await database.write(tenant_id, command, type(None))


async def test_a_statement_with_a_parameter_too_few_or_too_many_is_refused(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows
) -> None:
    for parameters in ({}, {"id": "org_1", "name": "a", "other": 1}, {"id": "org_1", "name": "a", "tenant_id": "x"}):
        with pytest.raises((TypeError, KeyError)):
            await write(database, tenant_id, lambda tx, given=parameters: tx.execute(INSERT_ORGANIZATION, **given))
    with pytest.raises(TypeError):
        await read(database, tenant_id, LIST_ORGANIZATIONS, tenant_id=other_tenant_id)


async def test_a_reader_refuses_to_write(database: Database, tenant_id: str) -> None:
    async def query(reader: Reader) -> Row | None:
        return await reader.fetch_one(RENAME, name="a", old="b")

    with pytest.raises(TypeError, match="belongs in a command"):
        await database.read(tenant_id, query)


async def test_a_transaction_is_of_no_use_after_its_command(database: Database, tenant_id: str, rows: Rows) -> None:
    kept: list[Transaction] = []

    async def command(tx: Transaction) -> None:
        kept.append(tx)

    async def fail(tx: Transaction) -> None:
        kept.append(tx)
        raise Conflict

    await database.write(tenant_id, command, type(None))
    with pytest.raises(Conflict):
        await database.write(tenant_id, fail, type(None))

    for tx in kept:
        for step in (
            lambda tx: tx.execute(UPDATE_ORGANIZATIONS),
            lambda tx: tx.execute_many(UPDATE_ORGANIZATIONS, [{}]),
            lambda tx: tx.fetch_all(LIST_ORGANIZATIONS),
            lambda tx: tx.fetch_one(LIST_ORGANIZATIONS),
            lambda tx: tx.slice(),
        ):
            with pytest.raises(RuntimeError, match="only while its command runs"):
                await step(tx)
        with pytest.raises(RuntimeError, match="only while its command runs"):
            tx.mark_due(1)


async def test_sixteen_writers_at_once_lose_nothing(database: Database, tenant_id: str, rows: Rows) -> None:
    numbers = range(16)
    outcomes = await asyncio.gather(
        *(database.write(tenant_id, rows.insert(f"org_{number:02}"), str) for number in numbers)
    )

    assert outcomes == [f"org_{number:02}" for number in numbers]
    assert await database.read(tenant_id, list_ids) == outcomes
    assert sorted(await database.read(tenant_id, list_recorded)) == outcomes


async def test_sixteen_writers_of_one_key_are_one_winner(database: Database, tenant_id: str, rows: Rows) -> None:
    outcomes = await asyncio.gather(
        *(database.write(tenant_id, rows.insert("org_1", f"writer {number}"), str) for number in range(16)),
        return_exceptions=True,
    )

    assert outcomes.count("org_1") == 1
    assert sum(isinstance(outcome, UniqueViolation) for outcome in outcomes) == 15
    assert len(await database.read(tenant_id, list_recorded)) == 1


async def test_two_that_have_the_store_open_see_each_other_at_once(
    open_database: OpenDatabase, database: Database, tenant_id: str, rows: Rows
) -> None:
    other = await open_database()
    try:
        for number in range(5):
            writer, reader = (database, other) if number % 2 else (other, database)
            await writer.write(tenant_id, rows.insert(f"org_{number}"), str)
            assert (await reader.read(tenant_id, list_ids))[-1] == f"org_{number}"
    finally:
        await other.close()


async def test_what_was_written_is_there_after_closing(
    open_database: OpenDatabase, database: Database, tenant_id: str, rows: Rows
) -> None:
    await database.write(tenant_id, rows.insert("org_1"), str)
    await database.close()

    again = await open_database()
    assert await again.read(tenant_id, list_ids) == ["org_1"]
    await again.close()


async def test_an_error_that_a_command_goes_on_after_still_takes_it_back(
    database: Database, tenant_id: str, rows: Rows
) -> None:
    await database.write(tenant_id, rows.insert("org_1"), str)

    async def swallow(tx: Transaction) -> str:
        await rows.insert("org_2")(tx)
        for _ in range(2):
            with pytest.raises(UniqueViolation):
                await tx.execute(INSERT_ORGANIZATION, id="org_1", name="again")
        return "all is well"

    with pytest.raises(UniqueViolation):
        await database.write(tenant_id, swallow, str)
    assert await database.read(tenant_id, list_ids) == ["org_1"]


async def test_what_is_to_follow_a_commit_is_called_once_it_is_durable(
    database: Database, rows: Rows, tenant_id: str
) -> None:
    called: list[list[str]] = []
    insert = rows.insert("org_1")

    async def command(tx: Transaction) -> str:
        made = await insert(tx)
        tx.after_commit(lambda: called.append(["done"]))
        assert called == []
        return made

    await database.write(tenant_id, command, str)
    assert called == [["done"]]


async def test_nothing_follows_a_command_that_was_taken_back(database: Database, rows: Rows, tenant_id: str) -> None:
    called: list[str] = []

    async def refuse(tx: Transaction) -> str:
        tx.after_commit(lambda: called.append("refused"))
        raise Conflict

    async def unrecorded(tx: Transaction) -> str:
        tx.after_commit(lambda: called.append("unrecorded"))
        await tx.execute(INSERT_ORGANIZATION, id="org_1", name="a name")
        return "org_1"

    with pytest.raises(Conflict):
        await database.write(tenant_id, refuse, str)
    with pytest.raises(UnauditedChange):
        await database.write(tenant_id, unrecorded, str)
    await database.write(tenant_id, rows.insert("org_2"), str)
    assert called == []


async def test_what_follows_a_commit_and_fails_harms_nobody(database: Database, rows: Rows, tenant_id: str) -> None:
    called: list[str] = []
    insert = rows.insert("org_1")

    def fail() -> None:
        raise RuntimeError("broken")

    async def command(tx: Transaction) -> str:
        tx.after_commit(fail)
        tx.after_commit(lambda: called.append("second"))
        return await insert(tx)

    assert await database.write(tenant_id, command, str) == "org_1"
    assert called == ["second"]
    assert await database.read(tenant_id, list_ids) == ["org_1"]


def _rows(*ids: str) -> list[dict[str, Parameter]]:
    return [{"id": row_id, "name": "one of many"} for row_id in ids]


@pytest.mark.parametrize("count", [1, 16, 17, 40])
async def test_rows_inserted_together_are_there_for_what_follows_in_the_command(
    database: Database, tenant_id: str, rows: Rows, count: int
) -> None:
    ids = [f"org_{number:02}" for number in range(count)]

    async def command(tx: Transaction) -> list[str]:
        await rows.record(tx, "org_00")
        await tx.execute_many(INSERT_ORGANIZATION, _rows(*ids[:1]))
        await tx.execute_many(INSERT_ORGANIZATION, _rows(*ids[1:]))
        found = await list_ids(tx)
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_99"))
        return found

    assert await database.write(tenant_id, command, list[str]) == ids
    assert await database.read(tenant_id, list_ids) == [*ids, "org_99"]
    assert await database.read(tenant_id, list_recorded) == ["org_00"]


@pytest.mark.parametrize("goes_on", [False, True])
async def test_of_rows_inserted_together_one_that_is_taken_takes_back_all(
    database: Database, tenant_id: str, rows: Rows, *, goes_on: bool
) -> None:
    await database.write(tenant_id, rows.insert("org_2"), str)

    async def command(tx: Transaction) -> None:
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_1", "org_2"))
        await rows.record(tx, "org_1")
        if goes_on:
            await list_ids(tx)

    with pytest.raises(UniqueViolation) as taken:
        await database.write(tenant_id, command, type(None))
    assert (taken.value.table, taken.value.column) == ("organizations", "id")
    assert await database.read(tenant_id, list_ids) == ["org_2"]
    assert await database.read(tenant_id, list_recorded) == ["org_2"]


async def test_rows_inserted_together_need_an_entry_like_any_change(database: Database, tenant_id: str) -> None:
    async def command(tx: Transaction) -> None:
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_1"))

    with pytest.raises(UnauditedChange):
        await database.write(tenant_id, command, type(None))
    assert await database.read(tenant_id, list_ids) == []


async def test_what_follows_inserted_rows_elsewhere_has_its_own_answer(
    database: Database, tenant_id: str, rows: Rows
) -> None:
    async def command(tx: Transaction) -> tuple[str, int, int]:
        await tx.execute(INSERT_ROLE, id="rol_1", name="first", privileged=True, now=1)
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_1", "org_2"))
        await rows.record(tx, "org_1")
        found = await tx.fetch_one(GET_ROLE, id="rol_1")
        assert found is not None
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_3"))
        deleted = await tx.execute(DELETE_ROLE, id="rol_1")
        await tx.execute_many(INSERT_ORGANIZATION, _rows("org_4"))
        return str(found[0]), deleted, await tx.execute(DELETE_ORGANIZATION, id="org_4")

    assert await database.write(tenant_id, command, tuple[str, int, int]) == ("first", 1, 1)
    assert await database.read(tenant_id, list_ids) == ["org_1", "org_2", "org_3"]
