"""The feed on both stores: nothing is left out of it, whoever commits when, and nobody reads another's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest

from hellojohn_server.features.revocation_log.schemas import Revocation, RevocationType
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.revocations.schemas import ListRevocationsQuery
from hellojohn_server.features.revocations.service import RevocationService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.pagination import CursorCodec, InvalidCursor
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import Front, make_front, said
from tests.features.revocations.parts import Follower
from tests.features.tenants.parts import CURSOR_SECRET

HOUR: Final = 3_600_000
COUNT: Final = Statement("SELECT count(*) FROM revocations WHERE tenant_id = :tenant_id")


def session(name: str, forget_at: int = START_MS + HOUR) -> Revocation:
    return Revocation(RevocationType.SESSION, name, START_MS, forget_at)


async def record(database: Database, tenant_id: str, *revocations: Revocation) -> None:
    """Write revocations in a transaction of their own."""

    async def command(tx: Transaction) -> None:
        await RevocationLog(database, Bell()).record(tx, revocations)

    await database.write(tenant_id, command, type(None), exempt=Exempt.HOUSEKEEPING)


class Feed:
    """Reads a tenant's feed on, page by page."""

    def __init__(self, database: Database, clock: ManualClock, tenant_id: str, limit: int = 1000) -> None:
        self._service = RevocationService(database, clock, CursorCodec(CURSOR_SECRET))
        self._tenant_id = tenant_id
        self._limit = limit
        self.cursor: str | None = None

    async def read(self) -> list[str]:
        """Return the subjects of what is new."""
        found: list[str] = []
        has_more = True
        while has_more:
            query = ListRevocationsQuery(since=self.cursor, limit=self._limit)
            page = await self._service.list_revocations(self._tenant_id, query)
            found += [str(one.session_id or one.user_id or one.kid or one.tenant_id) for one in page.data]
            self.cursor, has_more = page.next_cursor, page.has_more
        return found


@pytest.fixture
def feed(database: Database, clock: ManualClock, tenant_id: str) -> Feed:
    return Feed(database, clock, tenant_id)


async def test_each_is_read_once_in_the_order_of_the_commits(database: Database, tenant_id: str, feed: Feed) -> None:
    assert await feed.read() == []
    await record(database, tenant_id, session("ses_1"))
    await record(database, tenant_id, session("ses_2"), session("ses_3"))
    assert await feed.read() == ["ses_1", "ses_2", "ses_3"]
    await record(database, tenant_id, session("ses_4"))
    assert await feed.read() == ["ses_4"]
    assert await feed.read() == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_come_together(database: Database, clock: ManualClock, tenant_id: str, limit: int) -> None:
    own, control = [f"ses_{n}" for n in range(5)], [f"key_{n}" for n in range(3)]
    await record(database, tenant_id, *(session(name) for name in own))
    withdrawn = [Revocation(RevocationType.SIGNING_KEY, name, START_MS, START_MS + HOUR) for name in control]
    await record(database, CONTROL_TENANT_ID, *withdrawn)
    feed = Feed(database, clock, tenant_id, limit)
    assert await feed.read() == [*control, *own]
    await record(database, tenant_id, session("ses_late"))
    assert await feed.read() == ["ses_late"]


async def test_what_comes_while_pages_are_read_comes_after_them(
    database: Database, clock: ManualClock, tenant_id: str
) -> None:
    await record(database, tenant_id, *(session(f"ses_{n}") for n in range(4)))
    service = RevocationService(database, clock, CursorCodec(CURSOR_SECRET))
    first = await service.list_revocations(tenant_id, ListRevocationsQuery(limit=2))
    await record(database, tenant_id, session("ses_late"))
    second = await service.list_revocations(tenant_id, ListRevocationsQuery(since=first.next_cursor, limit=2))
    third = await service.list_revocations(tenant_id, ListRevocationsQuery(since=second.next_cursor, limit=2))
    assert [one.session_id for one in (*first.data, *second.data)] == ["ses_0", "ses_1", "ses_2", "ses_3"]
    assert (first.has_more, second.has_more) == (True, False)
    assert [one.session_id for one in third.data] == ["ses_late"]


async def test_what_can_be_forgotten_is_not_read_and_is_thrown_away(
    database: Database, clock: ManualClock, tenant_id: str, feed: Feed
) -> None:
    await record(database, tenant_id, session("ses_short", START_MS + 1_000), session("ses_long"))
    clock.advance(1)
    assert await feed.read() == ["ses_long"]
    log = RevocationLog(database, Bell())
    await log.purge(tenant_id, clock.now_ms())
    assert await rows(database, tenant_id) == 1
    assert await database.read(tenant_id, log.get_next_purge) in {None, START_MS + HOUR}
    clock.advance(3_600)
    await log.purge(tenant_id, clock.now_ms())
    assert await Feed(database, clock, tenant_id).read() == []
    await record(database, tenant_id, session("ses_later", START_MS + 3 * HOUR))
    assert await feed.read() == ["ses_later"], "no number is given twice, also where all was thrown away"


async def rows(database: Database, tenant_id: str) -> int:
    async def query(reader: Reader) -> int:
        row = await reader.fetch_one(COUNT)
        return 0 if row is None else int(row[0])

    return await database.read(tenant_id, query)


async def test_of_many_who_write_at_once_none_is_left_out(
    database: Database, clock: ManualClock, tenant_id: str
) -> None:
    feed, seen = Feed(database, clock, tenant_id, 7), set[str]()
    done = asyncio.Event()

    async def follow() -> None:
        while not done.is_set():
            seen.update(await feed.read())

    async def write(number: int) -> None:
        for turn in range(20):
            await record(
                database, tenant_id, *(session(f"ses_{number}_{turn}_{part}") for part in range(number % 3 + 1))
            )

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(number) for number in range(16)))
    done.set()
    await following
    seen.update(await feed.read())
    assert len(seen) == sum(20 * (number % 3 + 1) for number in range(16))


async def test_a_store_that_was_put_back_is_read_again(
    database: Database, engine: str, tenant_id: str, feed: Feed
) -> None:
    """A cursor from the future is of a store whose later rows are lost: what is there now may be others."""
    await record(database, tenant_id, session("ses_1"))
    assert await feed.read() == ["ses_1"]
    cursors = CursorCodec(CURSOR_SECRET)
    position = cursors.decode(tenant_id, ("revocations",), feed.cursor or "")
    future = {"sqlite": "99999999999", "postgres": "99999999999:99999999999:"}[engine]
    feed.cursor = cursors.encode(tenant_id, ("revocations",), (*position[:4], future, *position[5:]))
    assert await feed.read() == ["ses_1"]


@pytest.fixture
async def beside(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of another process."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


INSERT: Final = """
    INSERT INTO hellojohn_tenant.revocations (tenant_id, type, subject_id, revoked_at, forget_at)
    VALUES ($1, 'session', $2, $3, $4)
"""


@pytest.mark.parametrize("engine", ["postgres"])
async def test_a_transaction_that_commits_late_is_not_left_out(
    database: Database, tenant_id: str, feed: Feed, beside: asyncpg.Connection
) -> None:
    times = (START_MS, START_MS + HOUR)
    async with beside.transaction():
        await beside.execute(INSERT, tenant_id, "ses_early_number", *times)
        await record(database, tenant_id, session("ses_between"))
        assert await feed.read() == ["ses_between"]
        assert await feed.read() == [], "and nothing twice while it is under way"
    await record(database, tenant_id, session("ses_after"))
    assert await feed.read() == ["ses_early_number", "ses_after"]


@pytest.mark.parametrize("engine", ["postgres"])
async def test_one_that_commits_between_two_pages_is_not_left_out(
    database: Database, clock: ManualClock, tenant_id: str, beside: asyncpg.Connection
) -> None:
    service = RevocationService(database, clock, CursorCodec(CURSOR_SECRET))
    transaction = beside.transaction()
    await transaction.start()
    await beside.execute(INSERT, tenant_id, "ses_early_number", START_MS, START_MS + HOUR)
    await record(database, tenant_id, *(session(f"ses_{n}") for n in range(4)))
    found: list[Any] = []
    first = await service.list_revocations(tenant_id, ListRevocationsQuery(limit=2))
    await transaction.commit()
    cursor = first.next_cursor
    for _ in range(4):
        page = await service.list_revocations(tenant_id, ListRevocationsQuery(since=cursor, limit=2))
        found += [one.session_id for one in page.data]
        cursor = page.next_cursor
    assert found == ["ses_2", "ses_3", "ses_early_number"]


async def test_who_has_something_new_is_found_in_one_question(
    database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    tenants = [tenant_id, other_tenant_id]
    _, mark = await database.list_revised(tenants, None)
    await record(database, tenant_id, session("ses_1"))
    found, mark = await database.list_revised(tenants, mark)
    assert tenant_id in found
    await record(database, CONTROL_TENANT_ID, session("ses_2"))
    assert CONTROL_TENANT_ID in (await database.list_revised([*tenants, CONTROL_TENANT_ID], mark))[0]


@pytest.mark.parametrize("engine", ["postgres"])
async def test_on_postgresql_nobody_else_is(
    database: Database, tenant_id: str, other_tenant_id: str, beside: asyncpg.Connection
) -> None:
    tenants = [tenant_id, other_tenant_id]
    async with beside.transaction():
        await beside.execute(INSERT, tenant_id, "ses_early_number", START_MS, START_MS + HOUR)
        await record(database, other_tenant_id, session("ses_1"))
        found, mark = await database.list_revised(tenants, None)
        assert found == {other_tenant_id}
        assert (await database.list_revised(tenants, mark))[0] == set()
    found, mark = await database.list_revised(tenants, mark)
    assert found == {tenant_id}, "which committed late"
    assert (await database.list_revised(tenants, mark))[0] == set()
    assert (await database.list_revised(tenants, "99999999999:99999999999:"))[0] == set(tenants), "put back"


async def test_the_call(front: Front, app: Any, clock: ManualClock) -> None:
    alice = await front.sign_up()
    await front.sign_out(alice.access)
    answer = await front.admin("GET", "/v1/revocations")
    assert answer.json() == {
        "data": [
            {
                "type": "session",
                "session_id": alice.session_id,
                "revoked_at": "2026-09-21T14:13:20.000Z",
                "forget_at": "2026-09-21T14:28:20.000Z",
            }
        ],
        "has_more": False,
        "next_cursor": answer.json()["next_cursor"],
    }
    other = await make_front(app)
    assert await Follower(other).follow() == []
    foreign = await other.admin("GET", f"/v1/revocations?since={answer.json()['next_cursor']}")
    assert said(foreign) == (422, "invalid_cursor")
    assert said(await front.admin("GET", "/v1/revocations?since=x&limit=1001"))[0] == 422


async def test_another_tenants_suspension_is_not_read(front: Front, app: Any) -> None:
    other = await make_front(app)
    services = app.services
    follower, others = Follower(front), Follower(other)
    await services.tenants.suspend_tenant(app.context(), other.tenant_id, None)
    await services.tenants.resume_tenant(app.context(), other.tenant_id)
    assert await follower.follow() == []
    assert [(entry.type, entry.tenant_id) for entry in await others.follow()] == [("tenant", other.tenant_id)]


async def test_a_cursor_of_something_else_is_refused(
    database: Database, clock: ManualClock, tenant_id: str, ids: IdFactory
) -> None:
    cursors = CursorCodec(CURSOR_SECRET)
    service = RevocationService(database, clock, cursors)
    for wrong in (cursors.encode(tenant_id, ("users",), ("x",)), cursors.encode(tenant_id, ("revocations",), ("x",))):
        with pytest.raises(InvalidCursor):
            await service.list_revocations(tenant_id, ListRevocationsQuery(since=wrong))
