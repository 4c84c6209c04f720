"""What the embedded store keeps beside the rows: numbers in the order of creation, and the search indexes."""

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from hellojohn_server.features.users import repository
from hellojohn_server.features.users.repository import INSERT_USER, insert_user
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from hellojohn_server.storage.sql import Kind, Statement
from tests.features.tenants.parts import key_context
from tests.features.users.parts import UserParts, change

MOVE = Statement(
    "UPDATE users SET deleted_at = :deleted_at WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING
)
ERASE = Statement("DELETE FROM users WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING)
MAY_SCAN = ("SCAN json_each", "SCAN walk", "SCAN CONSTANT ROW")


def user_at(number: int, created_at: int, **values: Any) -> User:
    email = values.pop("email", f"u{number}@example.com")
    return User(f"usr_{number:026d}", email, email_key(email), "member", created_at, created_at, **values)


class File:
    """A tenant's file without a store around it, for what only the file can show."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        for migration in load_migrations(Engine.SQLITE, Plane.TENANT):
            self.connection.execute(migration.sql)
        self.number = 0

    def insert(self, created_at: int) -> int:
        """Insert a user and return the number that it was given."""
        self.number += 1
        stored = repository._stored(user_at(self.number, created_at))
        stored["search_prefixes"] = msgspec.json.encode(stored["search_prefixes"]).decode()
        self.connection.execute(INSERT_USER.sqlite, {**stored, "password_hash": None, "tenant_id": "tnt_1"})
        return self.connection.last_insert_rowid()

    def steps(self, created_at: int) -> int:
        """Insert a user and return how many steps SQLite's virtual machine took for it, but for the search indexes."""
        taken = 0

        def watch(event: dict[str, Any]) -> None:
            nonlocal taken
            if "INSERT INTO users (" in event["sql"]:
                taken += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

        self.connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, watch)
        self.insert(created_at)
        self.connection.trace_v2(0, None)
        return taken

    def runs(self) -> list[tuple[int, int]]:
        """Return the runs of taken numbers."""
        query = "SELECT first, next FROM user_sequence_runs ORDER BY first"
        return [(int(first), int(after)) for first, after in self.connection.execute(query)]


def test_a_number_is_the_creation_time_or_the_next_that_is_free() -> None:
    file = File()
    assert [file.insert(at) for at in (1000, 1000, 1000, 5000, 1001, 1002, 999, 999)] == [
        *(1000, 1001, 1002),
        *(5000, 1003, 1004),
        *(999, 1005),
    ]
    assert file.runs() == [(999, 1006)]


def test_numbers_before_1970_and_at_zero() -> None:
    file = File()
    assert [file.insert(at) for at in (-2, -2, -2, -2, 0)] == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_every_number_is_the_least_that_is_free(seed: int) -> None:
    file, chance = File(), random.Random(seed)
    taken: set[int] = set()
    for _ in range(800):
        at = chance.choice([chance.randrange(60), chance.randrange(3000), 100])
        expected = at
        while expected in taken:
            expected += 1
        assert file.insert(at) == expected
        taken.add(expected)
    covered = [number for first, after in file.runs() for number in range(first, after)]
    assert len(covered) == len(set(covered))
    assert set(covered) <= taken


def test_numbers_of_erased_users_never_lead_astray() -> None:
    file, chance = File(), random.Random(3)
    living: list[int] = []
    for _ in range(600):
        if living and chance.random() < 0.4:
            gone = living.pop(chance.randrange(len(living)))
            file.connection.execute("DELETE FROM users WHERE seq = ?", (gone,))
        else:
            at = chance.randrange(40)
            number = file.insert(at)
            assert number >= at
            assert number not in living
            living.append(number)
    runs = file.runs()
    assert all(one[1] <= other[0] for one, other in pairwise(runs))


def test_the_cost_of_a_number_does_not_grow_with_how_many_share_a_time() -> None:
    file = File()
    for _ in range(50):
        file.insert(1000)
    early = file.steps(1000)
    for _ in range(3000):
        file.insert(1000)
    assert file.steps(1000) <= early * 1.5
    assert file.steps(2500) <= early * 1.5
    assert file.runs() == [(1000, 4053)]


def test_the_plans_of_the_statements_scan_no_table() -> None:
    file = File()
    statements = {name: value for name, value in vars(repository).items() if isinstance(value, Statement)}
    assert "INSERT_USER" in statements
    counting = {"REBUILD_COUNTERS", "FOLD_COUNTERS"}
    for name in statements.keys() - counting:
        bindings = {"tenant_id": "tnt_1", **dict.fromkeys(statements[name].names)}
        plan = file.connection.execute(f"EXPLAIN QUERY PLAN {statements[name].sqlite}", bindings)
        scans = [row[3] for row in plan if row[3].startswith("SCAN") and not row[3].startswith(MAY_SCAN)]
        assert not [scan for scan in scans if "users" in scan], (name, scans)


def matches(file: apsw.Connection, table: str, term: str) -> list[int]:
    return [row[0] for row in file.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid", (term,))]


@pytest.fixture
def engine() -> str:
    """The index tables are the embedded store's."""
    return "sqlite"


async def test_the_indexes_change_in_the_users_own_transaction(
    parts: UserParts, tenant_id: str, tmp_path: Path
) -> None:
    one = await parts.make(tenant_id, "ann@example.com", name="Ann Marie")
    parts.clock.advance(1)
    other = await parts.make(tenant_id, "bob@example.com", name="Bob")
    [path] = (tmp_path / "data" / "tenants").glob("*.db")
    file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    numbers = dict(file.execute("SELECT id, seq FROM users").fetchall())

    assert matches(file, "users_trigrams", '"mar"') == [numbers[one.id]]
    assert matches(file, "users_trigrams", '"exa"') == [numbers[one.id], numbers[other.id]]
    assert matches(file, "users_prefixes", '"bo"') == [numbers[other.id]]

    await parts.users.update_user(key_context(tenant_id), one.id, change(name="Zoë"))
    assert matches(file, "users_trigrams", '"mar"') == []
    assert matches(file, "users_trigrams", '"zoe"') == [numbers[one.id]]
    assert matches(file, "users_prefixes", '"ma"') == []

    for deleted_at, number in ((5, -numbers[one.id]), (None, numbers[one.id])):

        async def move(tx: Transaction, deleted_at: int | None = deleted_at) -> None:
            await tx.execute(MOVE, id=one.id, deleted_at=deleted_at)

        await parts.database.write(tenant_id, move, type(None))
        assert matches(file, "users_trigrams", '"zoe"') == [number]
        assert matches(file, "users_prefixes", '"zo"') == [number]

    async def failing(tx: Transaction) -> None:
        await insert_user(tx, user_at(9, 1, name="Xerxes"), None)
        raise LookupError

    with pytest.raises(LookupError):
        await parts.database.write(tenant_id, failing, type(None))
    assert matches(file, "users_trigrams", '"xer"') == []

    async def erase(tx: Transaction) -> None:
        await tx.execute(ERASE, id=one.id)

    await parts.database.write(tenant_id, erase, type(None))
    assert matches(file, "users_trigrams", '"exa"') == [numbers[other.id]]
    assert Counter(matches(file, "users_prefixes", '"ex"')) == {numbers[other.id]: 1}
    file.close()
