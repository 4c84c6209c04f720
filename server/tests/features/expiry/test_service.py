"""The end of bans and locks, recorded once, and what is thrown away after a while: on both stores."""

import asyncio
from typing import Any, Final

import asyncpg
import pytest

from hellojohn_server.features.expiry.service import ExpiryService
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS, ManualClock
from tests.features.search.people import insert_people, person
from tests.features.users.parts import UserParts, told

HOUR_MS: Final = 3_600_000
INSERT_FAILURES = Statement(
    """
    INSERT INTO sign_in_failures (tenant_id, address_hash, expires_at)
    VALUES (:tenant_id, :address_hash, :expires_at)
    """,
    kind=Kind.BOOKKEEPING,
)
INSERT_ADDRESS = Statement(
    """
    INSERT INTO banned_addresses (tenant_id, address_hash, banned_until, created_at)
    VALUES (:tenant_id, :address_hash, :banned_until, 0)
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_FAILURES = Statement(
    "SELECT address_hash FROM sign_in_failures WHERE tenant_id = :tenant_id ORDER BY address_hash"
)
LIST_ADDRESSES = Statement(
    "SELECT address_hash FROM banned_addresses WHERE tenant_id = :tenant_id ORDER BY address_hash"
)
COUNT_BANNED = Statement("SELECT count(*) FROM users WHERE tenant_id = :tenant_id AND banned_at IS NOT NULL")


def ban(until: int | None, reason: str = "spam") -> dict[str, Any]:
    return {
        "state_banned_at": START_MS - HOUR_MS,
        "state_banned_by": "key_1",
        "state_ban_reason": reason,
        "state_banned_until": until,
    }


def lock(until: int) -> dict[str, Any]:
    return {"state_locked_at": START_MS - HOUR_MS, "state_locked_until": until}


async def ended(parts: UserParts, tenant_id: str) -> list[tuple[Any, ...]]:
    """Return what the entries of `system` say."""
    entries = await parts.entries(tenant_id, actor_type="system")
    assert {(entry.actor.id, entry.result, entry.impersonated) for entry in entries} <= {("system", "success", False)}
    return told(entries)


def ban_ended(user_id: str, until: int) -> tuple[Any, ...]:
    changes = {"banned": (True, False), "banned_until": (format_time(until), None)}
    return ("user.unbanned", user_id, None, changes, {"cause": "expired"})


def lock_ended(user_id: str, until: int) -> tuple[Any, ...]:
    return ("user.unlocked", user_id, None, {"locked_until": (format_time(until), None)}, {"cause": "expired"})


async def test_a_ban_ends_once_and_one_without_end_stays(
    parts: UserParts, expiry: ExpiryService, clock: ManualClock, tenant_id: str
) -> None:
    first = await parts.make(tenant_id, "a@example.com", **ban(START_MS + HOUR_MS))
    second = await parts.make(tenant_id, "b@example.com", **ban(START_MS + 2 * HOUR_MS))
    endless = await parts.make(tenant_id, "c@example.com", **ban(None))
    seen: list[list[tuple[Any, ...]]] = []
    for _ in range(4):
        for _ in range(2):
            await expiry.end_bans(tenant_id, clock.now_ms())
        seen.append(await ended(parts, tenant_id))
        clock.advance(5000)

    entries = [ban_ended(first.id, START_MS + HOUR_MS), ban_ended(second.id, START_MS + 2 * HOUR_MS)]
    assert seen == [[], entries[:1], entries, entries]
    for user in (first, second):
        stored = await parts.stored(tenant_id, user.id)
        assert (stored.banned_at, stored.banned_by, stored.banned_until, stored.ban_reason) == (None,) * 4
        assert (stored.version, stored.updated_at, stored.generation) == (user.version, START_MS, 1)
    assert (await parts.users.get_user(tenant_id, endless.id)).banned


async def test_a_ban_ends_at_its_moment_and_not_before(parts: UserParts, expiry: ExpiryService, tenant_id: str) -> None:
    user = await parts.make(tenant_id, **ban(START_MS + 10))
    await expiry.end_bans(tenant_id, START_MS + 9)
    assert (await parts.stored(tenant_id, user.id)).banned_until == START_MS + 10
    await expiry.end_bans(tenant_id, START_MS + 10)
    assert await ended(parts, tenant_id) == [ban_ended(user.id, START_MS + 10)]


async def test_a_lock_ends_and_leaves_everything_else(
    parts: UserParts, expiry: ExpiryService, clock: ManualClock, tenant_id: str
) -> None:
    user = await parts.make(tenant_id, **ban(START_MS + HOUR_MS), **lock(START_MS + 1000), state_disabled=True)
    await expiry.end_locks(tenant_id, START_MS + 999)
    assert await ended(parts, tenant_id) == []
    for at in (START_MS + 1001, START_MS + 1002):
        await expiry.end_locks(tenant_id, at)
    assert await ended(parts, tenant_id) == [lock_ended(user.id, START_MS + 1000)]
    stored = await parts.stored(tenant_id, user.id)
    assert (stored.locked_at, stored.locked_until) == (None, None)
    assert (stored.disabled, stored.banned_until, stored.ban_reason) == (True, START_MS + HOUR_MS, "spam")
    assert (stored.version, stored.updated_at, stored.generation) == (user.version, START_MS, 1)


@pytest.mark.parametrize("until", [None, START_MS + HOUR_MS])
async def test_a_ban_that_was_made_longer_goes_on(
    parts: UserParts, expiry: ExpiryService, clock: ManualClock, tenant_id: str, until: int | None
) -> None:
    user = await parts.make(tenant_id, **ban(START_MS + 1000))
    await parts.put(tenant_id, user.id, banned_until=until)
    await expiry.end_bans(tenant_id, START_MS + 1000)
    assert await ended(parts, tenant_id) == []
    assert (await parts.users.get_user(tenant_id, user.id)).banned


async def test_of_16_at_once_one_records_each_end(parts: UserParts, expiry: ExpiryService, tenant_id: str) -> None:
    users = [await parts.make(tenant_id, f"{name}@example.com", **ban(START_MS), **lock(START_MS)) for name in "abc"]
    acts = (expiry.end_bans, expiry.end_locks)
    await asyncio.gather(*(act(tenant_id, START_MS) for act in acts * 16))
    expected = [end(user.id, START_MS) for user in users for end in (ban_ended, lock_ended)]
    assert sorted(await ended(parts, tenant_id), key=str) == sorted(expected, key=str)


async def test_another_tenant_keeps_what_it_has(
    parts: UserParts, expiry: ExpiryService, database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    for tenant in (tenant_id, other_tenant_id):
        await parts.make(tenant, **ban(START_MS), **lock(START_MS))
        await put_purgeable(database, tenant)
    for act in (expiry.end_bans, expiry.end_locks, expiry.purge_failures, expiry.purge_addresses):
        await act(tenant_id, START_MS)

    assert len(await ended(parts, tenant_id)) == 2
    assert await ended(parts, other_tenant_id) == []
    assert await parts.rows(other_tenant_id, COUNT_BANNED) == [(1,)]
    assert await parts.rows(other_tenant_id, LIST_FAILURES) == [("later",), ("now",)]
    assert await parts.rows(other_tenant_id, LIST_ADDRESSES) == [("later",), ("never",), ("now",)]


async def put_purgeable(database: Database, tenant_id: str) -> None:
    async def command(tx: Transaction) -> None:
        for name, at in (("now", START_MS), ("later", START_MS + 1)):
            await tx.execute(INSERT_FAILURES, address_hash=name, expires_at=at)
            await tx.execute(INSERT_ADDRESS, address_hash=name, banned_until=at)
        await tx.execute(INSERT_ADDRESS, address_hash="never", banned_until=None)

    await database.write(tenant_id, command, type(None))


async def test_failures_and_banned_addresses_go_at_their_time(
    parts: UserParts, expiry: ExpiryService, database: Database, tenant_id: str
) -> None:
    await put_purgeable(database, tenant_id)
    left: list[tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]] = []
    for at in (START_MS - 1, START_MS, START_MS + 1, START_MS + 1000 * HOUR_MS):
        await expiry.purge_failures(tenant_id, at)
        await expiry.purge_addresses(tenant_id, at)
        left.append((await parts.rows(tenant_id, LIST_FAILURES), await parts.rows(tenant_id, LIST_ADDRESSES)))

    assert left == [
        ([("later",), ("now",)], [("later",), ("never",), ("now",)]),
        ([("later",)], [("later",), ("never",)]),
        ([], [("never",)]),
        ([], [("never",)]),
    ]
    assert await parts.entries(tenant_id) == []


async def test_each_says_when_there_is_more(
    parts: UserParts, expiry: ExpiryService, database: Database, tenant_id: str
) -> None:
    questions = (
        expiry.get_next_ban_end,
        expiry.get_next_lock_end,
        expiry.get_next_failures_end,
        expiry.get_next_address_end,
    )
    assert [await database.read(tenant_id, question) for question in questions] == [None] * 4
    await parts.make(tenant_id, "a@example.com", **ban(START_MS + 5), **lock(START_MS + 6))
    await parts.make(tenant_id, "b@example.com", **ban(START_MS + 4), **lock(START_MS + 7))
    await parts.make(tenant_id, "c@example.com", **ban(None))
    await put_purgeable(database, tenant_id)
    asked = [await database.read(tenant_id, question) for question in questions]
    assert asked == [START_MS + 4, START_MS + 6, START_MS, START_MS]


async def test_many_bans_end_in_small_steps_with_reads_between_them(
    parts: UserParts, expiry: ExpiryService, database: Database, tenant_id: str
) -> None:
    banned = [person(number, banned_at=START_MS - 1, banned_until=START_MS) for number in range(1000)]
    await insert_people(database, tenant_id, banned)
    ending = asyncio.create_task(expiry.end_bans(tenant_id, START_MS))
    seen: set[int] = set()
    while not ending.done():
        seen.add((await parts.rows(tenant_id, COUNT_BANNED))[0][0])
        # A quick read on SQLite ends without suspending; without a turn here the ending waits for slow ones.
        await asyncio.sleep(0)
    await ending

    assert await parts.rows(tenant_id, COUNT_BANNED) == [(0,)]
    assert seen <= set(range(0, 1001, 100))
    assert seen - {0, 1000}


async def test_what_changes_meanwhile_is_judged_by_what_it_becomes(
    parts: UserParts, expiry: ExpiryService, tenant_id: str, engine: str, request: pytest.FixtureRequest
) -> None:
    """On SQLite nothing changes meanwhile: one command runs after another."""
    user = await parts.make(tenant_id, **ban(START_MS))

    async def later(tx: Transaction) -> None:
        await tx.execute(INSERT_FAILURES, address_hash="a", expires_at=START_MS)

    await parts.database.write(tenant_id, later, type(None))
    if engine == "sqlite":
        await parts.put(tenant_id, user.id, banned_until=START_MS + 1)
        await expiry.end_bans(tenant_id, START_MS)
    else:
        await change_beside(request.getfixturevalue("postgres_url"), expiry, tenant_id)
        assert await parts.rows(tenant_id, LIST_FAILURES) == [("a",)]
    assert await ended(parts, tenant_id) == []
    assert (await parts.stored(tenant_id, user.id)).banned_until == START_MS + 1


async def change_beside(url: str, expiry: ExpiryService, tenant_id: str) -> None:
    """Make the ban and the failures last longer in a transaction that is open while the worker comes by."""
    other = await asyncpg.connect(url, server_settings={"search_path": "hellojohn_tenant, public"})
    try:
        changing = other.transaction()
        await changing.start()
        await other.execute("UPDATE users SET banned_until = banned_until + 1")
        await other.execute("UPDATE sign_in_failures SET expires_at = expires_at + 1")
        purging = asyncio.create_task(expiry.purge_failures(tenant_id, START_MS))
        await expiry.end_bans(tenant_id, START_MS)  # passes the row over: else it would wait for this transaction
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.005)
        await changing.commit()
        await purging
        await expiry.end_bans(tenant_id, START_MS)
    finally:
        await other.close()
