"""Lending the connections of a pool: nobody gets one that is broken, and none is lost, whoever gives up waiting."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from hellojohn_server.storage import postgres_connections
from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable
from hellojohn_server.storage.postgres_connections import Connections

Lend = Callable[[int, float], Awaitable[Connections]]


@pytest.fixture
async def lend(postgres_url: str) -> AsyncIterator[Lend]:
    """Makes lenders of so many connections, for which nobody waits longer than so many seconds."""
    made: list[Connections] = []

    async def make(most: int, seconds: float) -> Connections:
        pool = await asyncpg.create_pool(postgres_url, min_size=0, max_size=most)
        made.append(Connections(pool, most, seconds))
        return made[-1]

    yield make
    for connections in made:
        await connections.close()


async def test_the_one_that_came_back_last_is_lent_again(lend: Lend) -> None:
    connections = await lend(3, 5)
    first, second = await connections.acquire(), await connections.acquire()
    await connections.release(first)
    await connections.release(second)
    assert await connections.acquire() is second
    assert await connections.acquire() is first
    await connections.release(first)
    await connections.release(second)


async def test_more_users_than_connections_have_turns(lend: Lend) -> None:
    connections = await lend(2, 5)
    running = most = 0

    async def use() -> int:
        nonlocal running, most
        connection = await connections.acquire()
        running += 1
        most = max(most, running)
        answer = int(await connection.fetchval("SELECT 1 FROM pg_sleep(0.02)"))
        running -= 1
        await connections.release(connection)
        return answer

    assert await asyncio.gather(*(use() for _ in range(40))) == [1] * 40
    assert most == 2


async def test_who_waits_too_long_for_others_is_told_that_the_store_is_busy(lend: Lend) -> None:
    connections = await lend(1, 0.05)
    held = await connections.acquire()
    with pytest.raises(StoreBusy):
        await connections.acquire()
    await connections.release(held)
    again = await connections.acquire()
    assert again is held
    await connections.release(again)


async def test_a_connection_that_is_lost_is_not_lent_again_and_makes_room(lend: Lend) -> None:
    connections = await lend(1, 5)
    lost = await connections.acquire()
    waiting = asyncio.create_task(connections.acquire())
    await asyncio.sleep(0)
    lost.terminate()
    await connections.release(lost)
    another = await waiting
    assert await another.fetchval("SELECT 1") == 1
    await connections.release(another)


async def test_one_that_is_lost_while_idle_is_not_lent_again(lend: Lend) -> None:
    connections = await lend(1, 5)
    lost = await connections.acquire()
    await connections.release(lost)
    lost.terminate()
    another = await connections.acquire()
    assert await another.fetchval("SELECT 1") == 1
    await connections.release(another)


async def test_one_in_a_transaction_is_not_lent_as_it_is(lend: Lend) -> None:
    connections = await lend(1, 5)
    connection = await connections.acquire()
    await connection.execute("BEGIN")
    await connections.release(connection)
    another = await connections.acquire()
    assert not another.is_in_transaction()
    await connections.release(another)


async def test_one_that_was_idle_for_long_is_made_anew(lend: Lend, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = await lend(1, 5)
    old = await connections.acquire()
    backend = await old.fetchval("SELECT pg_backend_pid()")
    await connections.release(old)
    monkeypatch.setattr(postgres_connections, "IDLE_SECONDS", 0.0)
    another = await connections.acquire()
    assert await another.fetchval("SELECT pg_backend_pid()") != backend
    await connections.release(another)


@pytest.mark.parametrize("is_lost", [False, True])
async def test_who_gives_up_waiting_as_it_is_handed_one_passes_it_on(lend: Lend, *, is_lost: bool) -> None:
    connections = await lend(1, 5)
    held = await connections.acquire()
    first, second = (asyncio.create_task(connections.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    if is_lost:
        held.terminate()
    await connections.release(held)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    got = await second
    assert await got.fetchval("SELECT 1") == 1
    await connections.release(got)


async def test_without_a_server_nothing_is_lent_and_nothing_is_lost(lend: Lend, postgres_url: str) -> None:
    connections = await lend(1, 5)
    pool = await asyncpg.create_pool(postgres_url.rpartition("/")[0] + "/no_such_database", min_size=0, max_size=1)
    nowhere = Connections(pool, 1, 0.5)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await nowhere.acquire()
    await nowhere.close()
    connection = await connections.acquire()
    await connections.release(connection)


async def test_closing_waits_for_who_has_a_connection(lend: Lend) -> None:
    connections = await lend(2, 5)
    held, idle = await connections.acquire(), await connections.acquire()
    await connections.release(idle)
    closing = asyncio.create_task(connections.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    assert await held.fetchval("SELECT 1") == 1
    await connections.release(held)
    await closing
