"""Users by the thousand on both stores: what is taken is known beforehand, and all that belongs to them is right."""

from collections.abc import Sequence
from typing import Any

import pytest

from hellojohn_server.features.search import repository as search_repository
from hellojohn_server.features.search.schemas import Direction, SortField, UserFilter, UserOrder
from hellojohn_server.features.user_loading.schemas import Taken
from hellojohn_server.features.user_loading.service import UserLoading
from hellojohn_server.features.users.errors import EmailBanned
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.errors import InsufficientScope, Invalid
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.retention import RECYCLE_BIN_MS
from hellojohn_server.kit.search_query import parse_query
from hellojohn_server.kit.text import email_key, fold
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation
from tests.conftest import START_MS
from tests.features.recorder import Recorder
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, GET_PASSWORD, UserParts, told

NEWEST = UserOrder(SortField.CREATED_AT, Direction.DESCENDING)
HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$Zm9vYmFy"


def person(parts: UserParts, email: str, **values: Any) -> User:
    """Return a user as an import prepares one."""
    name = values.get("name")
    given = {"role": "member", "created_at": START_MS - 1000, "updated_at": START_MS - 1000, **values}
    user_id = parts.ids.new(IdPrefix.USER)
    name_key = None if name is None else fold(name)
    return User(id=user_id, email=email, email_key=email_key(email), name_key=name_key, **given)


async def load(
    parts: UserParts,
    loading: UserLoading,
    tenant_id: str,
    users: Sequence[User],
    hashes: dict[str, str] | None = None,
    scopes: tuple[str, ...] = ADMIN,
) -> Recorder:
    ran: list[Recorder] = []

    async def command(tx: Transaction) -> None:
        ran.append(Recorder(tx))
        await loading.insert_users(ran[-1], key_context(tenant_id, scopes=scopes), users, hashes)

    await parts.database.write(tenant_id, command, type(None))
    return ran[-1]


async def taken(parts: UserParts, loading: UserLoading, tenant_id: str, users: Sequence[User]) -> Taken:
    async def query(reader: Reader) -> Taken:
        return await loading.list_taken(reader, users)

    return await parts.database.read(tenant_id, query)


async def found(parts: UserParts, tenant_id: str, query: str) -> list[str]:
    """Return the addresses that a search finds, the newest first."""

    async def search(reader: Reader) -> list[str]:
        wanted = UserFilter(words=parse_query(query))
        page = await search_repository.search_users(reader, wanted, NEWEST, None, limit=1000, now_ms=START_MS)
        assert page.total == len(page.users)
        return [user.email for user in page.users]

    return await parts.database.read(tenant_id, search)


async def test_hundreds_of_one_date_have_counters_search_entries_and_passwords(
    parts: UserParts, loading: UserLoading, tenant_id: str, other_tenant_id: str
) -> None:
    await parts.add_role(tenant_id, "editor")
    users = [
        person(
            parts,
            f"p{number}@example.com",
            name=f"José Nr{number}",
            role="editor" if number % 3 == 0 else "member",
            disabled=number % 5 == 0,
            email_verified=number % 2 == 0,
            last_active_at=START_MS - number * 86_400_000 if number % 7 == 0 else None,
        )
        for number in range(195)
    ]
    ran = await load(parts, loading, tenant_id, users, {users[1].id: HASH})
    assert ran.slices >= 7
    assert await found(parts, tenant_id, "jose nr194") == ["p194@example.com"]
    assert len(await found(parts, tenant_id, "jose")) == 195
    assert await found(parts, tenant_id, "jo") == [user.email for user in reversed(users)]
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)
    assert (await parts.counted(tenant_id))["role:editor"] == 65
    assert await parts.counted_days(tenant_id) == await parts.recounted_days(tenant_id)
    assert await parts.rows(tenant_id, GET_PASSWORD, user_id=users[1].id) == [(HASH,)]
    assert await parts.stored(tenant_id, users[5].id) == users[5]
    entries = told(await parts.entries(tenant_id))
    assert len(entries) == 195
    assert {entry[4]["password"]: entry[1] for entry in entries if entry[4]["password"] == "imported"} == {
        "imported": users[1].id
    }
    assert await found(parts, other_tenant_id, "jose") == []
    assert await parts.counted(other_tenant_id) == {}


async def test_what_is_taken_is_found_by_each_column(
    parts: UserParts, loading: UserLoading, tenant_id: str, other_tenant_id: str
) -> None:
    there = person(parts, "Alice@Example.com", username="Alice", external_id="crm-1")
    binned = person(parts, "bob@example.com", deleted_at=START_MS)
    await load(parts, loading, tenant_id, [there, binned])
    await parts.close_address(tenant_id, "closed@example.com", None)
    await parts.close_address(tenant_id, "open@example.com", START_MS)
    coming = [
        person(parts, "alice@example.COM"),
        person(parts, "bob@example.com"),
        person(parts, "x@example.com", username="ALICE"),
        person(parts, "y@example.com", external_id="crm-1"),
        person(parts, "z@example.com", username="zoe", external_id="crm-2"),
        person(parts, "Closed@example.com"),
        person(parts, "open@example.com"),
        there,
    ]
    assert await taken(parts, loading, tenant_id, coming) == Taken(
        ids=frozenset({there.id}),
        emails={"alice@example.com": there.id, "bob@example.com": binned.id},
        usernames={"alice": there.id},
        external_ids={"crm-1": there.id},
        closed=frozenset({"closed@example.com"}),
    )
    nothing = Taken(frozenset(), {}, {}, {}, frozenset())
    assert await taken(parts, loading, tenant_id, []) == nothing
    assert await taken(parts, loading, other_tenant_id, coming) == nothing


async def test_a_conflict_leaves_nothing_behind(parts: UserParts, loading: UserLoading, tenant_id: str) -> None:
    first = person(parts, "a@example.com", external_id="crm-1")
    await load(parts, loading, tenant_id, [first])
    await parts.close_address(tenant_id, "closed@example.com", START_MS + 1)
    before = await parts.counted(tenant_id)
    fine = [person(parts, f"b{number}@example.com") for number in range(60)]
    for wrong, error in (
        (person(parts, "A@example.com"), UniqueViolation),
        (person(parts, "c@example.com", external_id="crm-1"), UniqueViolation),
        (person(parts, "closed@example.com"), EmailBanned),
        (person(parts, "c@example.com", role="nobody"), Invalid),
    ):
        with pytest.raises(error):
            await load(parts, loading, tenant_id, [*fine, wrong])
    with pytest.raises(InsufficientScope):
        await load(parts, loading, tenant_id, [person(parts, "c@example.com", role="admin")], scopes=("*",))
    assert await parts.counted(tenant_id) == before == await parts.recounted(tenant_id)
    assert len(await parts.entries(tenant_id)) == 1
    assert await found(parts, tenant_id, "example.com") == ["a@example.com"]


async def test_the_worker_hears_of_what_will_end(parts: UserParts, loading: UserLoading, tenant_id: str) -> None:
    banned = person(parts, "a@example.com", banned_at=START_MS, banned_until=START_MS + 9000)
    locked = person(parts, "b@example.com", locked_at=START_MS, locked_until=START_MS + 8000)
    binned = person(parts, "c@example.com", deleted_at=START_MS - RECYCLE_BIN_MS + 7000)
    ran = await load(parts, loading, tenant_id, [banned, locked, binned])
    assert ran.due == [START_MS + 7000]
    assert (await load(parts, loading, tenant_id, [person(parts, "d@example.com")])).due == []
