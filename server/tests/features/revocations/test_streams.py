"""Streams of the feed on both stores: what they hold, how they go on, and what ends them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.features.revocation_log.schemas import Revocation, RevocationType
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.revocations.errors import TooManyStreams
from hellojohn_server.features.revocations.service import RevocationFeed, RevocationService
from hellojohn_server.kit.api_keys import parse_key
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Exempt, Transaction
from hellojohn_server.storage.errors import StoreUnavailable
from tests.conftest import START_MS
from tests.features.auth.parts import Front, make_front
from tests.features.tenants.parts import CURSOR_SECRET
from tests.support import RunningApp
from tests.walk.recorder import CountingDatabase

PATIENCE: Final = 20


class Event(msgspec.Struct, frozen=True):
    """One event of a stream."""

    id: str
    name: str
    data: dict[str, Any]


class Listener:
    """Takes the events of a stream one by one."""

    def __init__(self, parts: AsyncGenerator[bytes, None]) -> None:
        self.parts = parts
        self._text = ""

    async def event(self) -> Event | None:
        """Return the next event; None at the end."""
        async with asyncio.timeout(PATIENCE):
            while "\n\n" not in self._text:
                try:
                    self._text += (await anext(self.parts)).decode()
                except StopAsyncIteration:
                    return None
        block, _, self._text = self._text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "retry" in fields:
            return await self.event()
        return Event(fields["id"], fields["event"], msgspec.json.decode(fields["data"]))

    async def revocation(self) -> Event | None:
        """Return the next event that is no heartbeat; None at the end."""
        async with asyncio.timeout(PATIENCE):
            event = await self.event()
            while event is not None and event.name == "heartbeat":
                event = await self.event()
        return event

    async def session(self) -> str:
        """Return the session of the next revocation."""
        event = await self.revocation()
        assert event is not None
        return str(event.data["session_id"])


class Streams:
    """Opens streams of a tenant with a key, and closes them."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        self._open: list[Listener] = []

    async def open(self, key: str, cursor: str | None = None, feed: RevocationFeed | None = None) -> Listener:
        """Open a stream as the app does for this key."""
        principal = await self.app.services.keys.authenticate(parse_key(key))
        context = Context(principal, "req_1", None, None)
        listener = Listener((feed or self.app.services.revocation_feed).stream(context, cursor))
        self._open.append(listener)
        return listener

    async def close(self) -> None:
        """Close what is open, as a server does whose clients go away."""
        for listener in self._open:
            await listener.parts.aclose()


@pytest.fixture
async def streams(app: RunningApp) -> AsyncIterator[Streams]:
    opened = Streams(app)
    yield opened
    await opened.close()


async def record(database: Database, tenant_id: str, *names: str, log: RevocationLog | None = None) -> None:
    """Write revocations, as another process does unless `log` is this one's."""
    revoked = [Revocation(RevocationType.SESSION, name, START_MS, START_MS + 3_600_000) for name in names]

    async def command(tx: Transaction) -> None:
        await (log or RevocationLog(database, Bell())).record(tx, revoked)

    await database.write(tenant_id, command, type(None), exempt=Exempt.HOUSEKEEPING)


async def test_first_what_is_there_then_a_heartbeat_then_what_comes(front: Front, streams: Streams) -> None:
    services = front.app.services
    await record(services.database, front.tenant_id, "ses_1", "ses_2")
    listener = await streams.open(front.secret)
    assert [await listener.session(), await listener.session()] == ["ses_1", "ses_2"]
    beat = await listener.event()
    assert beat is not None
    assert (beat.name, beat.data) == ("heartbeat", {})
    alice = await front.sign_up()
    await front.sign_out(alice.access)
    assert await listener.session() == alice.session_id
    await record(services.database, front.tenant_id, "ses_of_another_process")
    assert await listener.session() == "ses_of_another_process"
    assert b"hellojohn_revocation_streams 1.0" in services.metrics.render()


async def test_it_goes_on_from_the_last_event(front: Front, streams: Streams) -> None:
    database = front.app.services.database
    await record(database, front.tenant_id, "ses_1", "ses_2", "ses_3")
    listener = await streams.open(front.secret)
    first = await listener.event()
    assert first is not None
    broken = await streams.open(front.secret, first.id)
    assert [await broken.session() for _ in range(3)] == ["ses_1", "ses_2", "ses_3"], "from before what came together"
    beat = await broken.event()
    assert beat is not None
    await record(database, front.tenant_id, "ses_4")
    again = await streams.open(front.secret, beat.id)
    assert await again.session() == "ses_4"


async def test_a_heartbeat_holds_a_cursor_and_comes_again(front: Front, streams: Streams) -> None:
    listener = await streams.open(front.secret)
    beats = [await listener.event() for _ in range(3)]
    assert [beat and beat.name for beat in beats] == ["heartbeat"] * 3
    last = beats[-1]
    assert last is not None
    answer = await front.admin("GET", f"/v1/revocations?since={last.id}")
    assert answer.json()["data"] == []


async def test_all_get_all_however_many_there_are(front: Front, streams: Streams) -> None:
    listeners = [await streams.open(front.secret) for _ in range(20)]
    for listener in listeners:
        beat = await listener.event()
        assert beat is not None
    names = [f"ses_{number}" for number in range(50)]

    async def write(few: list[str]) -> None:
        await record(front.app.services.database, front.tenant_id, *few)

    await asyncio.gather(*(write(names[start : start + 5]) for start in range(0, 50, 5)))
    for listener in listeners:
        assert {await listener.session() for _ in names} == set(names)


async def test_another_tenants_are_not_in_it(front: Front, streams: Streams) -> None:
    other = await make_front(front.app)
    mine, theirs = await streams.open(front.secret), await streams.open(other.secret)
    database = front.app.services.database
    await record(database, other.tenant_id, "ses_theirs")
    await record(database, front.tenant_id, "ses_mine")
    assert (await mine.session(), await theirs.session()) == ("ses_mine", "ses_theirs")


async def test_it_ends_with_its_key_and_not_with_another(front: Front, streams: Streams) -> None:
    answer = await front.admin("POST", "/v1/api-keys", {"name": "edge", "type": "secret", "scopes": ["revocations:*"]})
    made = answer.json()
    ending, staying = await streams.open(made["key"]), await streams.open(front.secret)
    for listener in (ending, staying):
        assert await listener.event() is not None
    assert (await front.admin("DELETE", f"/v1/api-keys/{made['id']}")).is_success
    assert await ending.revocation() is None
    assert await staying.event() is not None


@pytest.mark.parametrize("act", ["suspend", "delete"])
async def test_it_ends_with_its_tenant_after_saying_so(front: Front, streams: Streams, act: str) -> None:
    services, context = front.app.services, front.app.context()
    listener = await streams.open(front.secret)
    assert await listener.event() is not None
    if act == "suspend":
        await services.tenants.suspend_tenant(context, front.tenant_id, None)
    else:
        await services.tenants.delete_tenant(context, front.tenant_id, front.tenant_id)
    said = await listener.revocation()
    assert said is not None
    assert (said.data["type"], said.data["tenant_id"]) == ("tenant", front.tenant_id)
    assert await listener.revocation() is None


async def test_a_withdrawn_signing_key_is_told_to_every_tenant(front: Front, streams: Streams) -> None:
    await front.sign_up()
    other = await make_front(front.app)
    listeners = [await streams.open(front.secret), await streams.open(other.secret)]
    for listener in listeners:
        assert await listener.event() is not None
    old = (await front.app.services.signing_keys.list_keys())[0]
    await front.app.services.signing_keys.rotate(front.app.context(), compromised=True)
    for listener in listeners:
        said = await listener.revocation()
        assert said is not None
        assert (said.data["type"], said.data["kid"]) == ("signing_key", old.id)


async def test_there_are_no_more_than_may_be(front: Front, streams: Streams) -> None:
    services = front.app.services
    feed = RevocationFeed(
        services.revocations, services.keys, services.revocation_log.bell, metrics=services.metrics, most=3
    )
    other = await make_front(front.app)
    first = await streams.open(front.secret, feed=feed)
    assert await first.event() is not None
    with pytest.raises(TooManyStreams):
        await streams.open(front.secret, feed=feed)
    for _ in range(1):
        assert await (await streams.open(other.secret, feed=feed)).event() is not None
    await first.parts.aclose()
    assert await (await streams.open(front.secret, feed=feed)).event() is not None
    feed.close()
    with pytest.raises(TooManyStreams):
        await streams.open(other.secret, feed=feed)


async def test_closing_ends_every_stream_after_what_waits(front: Front, streams: Streams) -> None:
    listeners = [await streams.open(front.secret) for _ in range(3)]
    for listener in listeners:
        assert await listener.event() is not None
    front.app.services.revocation_feed.close()
    for listener in listeners:
        assert await listener.revocation() is None


async def test_a_client_that_takes_nothing_is_let_go(front: Front, streams: Streams) -> None:
    listener = await streams.open(front.secret)
    beat = await listener.event()
    assert beat is not None
    long = "x" * 400
    for turn in range(4):
        names = [f"ses_{turn}_{number}_{long}" for number in range(900)]
        await record(front.app.services.database, front.tenant_id, *names)
        await asyncio.sleep(0.2)
    assert await listener.revocation() is None
    again = await streams.open(front.secret, beat.id)
    assert {await again.session() for _ in range(3_600)}, "and loses nothing"


class Failing:
    """A store that does not answer while it is told so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_down = False

    async def read(self, tenant_id: str, query: Any, *, long: bool = False) -> Any:
        if self.is_down:
            raise StoreUnavailable
        return await self._database.read(tenant_id, query, long=long)

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> Any:
        if self.is_down:
            raise StoreUnavailable
        return await self._database.list_revised(tenant_ids, since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def feed_over(front: Front, database: Any) -> RevocationFeed:
    """Return a feed that reads from another database than the app's."""
    services = front.app.services
    revocations = RevocationService(database, services.clock, CursorCodec(CURSOR_SECRET))
    return RevocationFeed(revocations, services.keys, Bell(), metrics=services.metrics, most=100)


async def test_there_is_no_heartbeat_while_the_store_cannot_be_read(front: Front, streams: Streams) -> None:
    services = front.app.services
    failing = Failing(services.database)
    listener = await streams.open(front.secret, feed=feed_over(front, failing))
    assert await listener.event() is not None
    failing.is_down = True
    waiting = asyncio.create_task(listener.event())
    await asyncio.sleep(2.5)
    while waiting.done():  # what waited already
        waiting = asyncio.create_task(listener.event())
        await asyncio.sleep(2.5)
    assert not waiting.done()
    await record(services.database, front.tenant_id, "ses_meanwhile")
    failing.is_down = False
    said = await waiting
    assert said is not None
    assert said.data["session_id"] == "ses_meanwhile"


class Held:
    """A store whose look for what is new begins, and waits until it is let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_held = False
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> Any:
        if self.is_held:
            self.begun.set()
            await self.let_go.wait()
        return await self._database.list_revised(tenant_ids, since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


async def test_a_look_that_began_before_a_stream_passes_nothing_of_it(front: Front, streams: Streams) -> None:
    other = await make_front(front.app)
    held = Held(front.app.services.database)
    feed = feed_over(front, held)
    assert await (await streams.open(other.secret, feed=feed)).event() is not None
    held.is_held = True
    await held.begun.wait()
    listener = await streams.open(front.secret, feed=feed)
    assert await listener.event() is not None
    await record(front.app.services.database, front.tenant_id, "ses_meanwhile")
    held.is_held = False
    held.let_go.set()
    assert await listener.session() == "ses_meanwhile"


async def test_reads_do_not_grow_with_the_streams(front: Front, streams: Streams) -> None:
    counting = CountingDatabase(front.app.services.database)
    feed = feed_over(front, counting)
    listeners = [await streams.open(front.secret, feed=feed) for _ in range(30)]
    for listener in listeners:
        assert await listener.event() is not None
    counting.read_statements.clear()
    await record(front.app.services.database, front.tenant_id, "ses_1")
    for listener in listeners:
        assert await listener.session() == "ses_1"
    assert len(counting.read_statements) < 30
