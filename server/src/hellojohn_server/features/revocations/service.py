"""Reading the feed: a chunk of it after a cursor, or as a stream of what is revoked from now on."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import msgspec
import structlog

from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.revocation_log.schemas import Revocation
from hellojohn_server.features.revocations import repository
from hellojohn_server.features.revocations.errors import TooManyStreams
from hellojohn_server.features.revocations.schemas import (
    Chunk,
    ListRevocationsQuery,
    Place,
    Places,
    RevocationListBody,
    revocation_body,
)
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.errors import ApiError, Unavailable
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.pagination import CursorCodec, InvalidCursor
from hellojohn_server.kit.principal import Context, Principal
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.errors import TenantStoreNotFound

_BOUND: Final = ("revocations",)
_Held: TypeAlias = tuple[str | None, str | None, str, int]
_POLL_SECONDS: Final = 0.1
"""How often what other processes wrote is looked for. What this one writes rings."""
_REST_SECONDS: Final = 0.01
"""How long what comes together is waited for, so that a thousand acts a second are some reads."""
_BEAT_SECONDS: Final = 1.0
_PAGE: Final = 1_000
_MOST_WAITING_BYTES: Final = 1_048_576
_START: Final = b"retry: 250\n\n"

_log: Final = structlog.get_logger()
_encode: Final = msgspec.json.Encoder().encode


class RevocationService:
    """The feed of one tenant at a time: what is in its own store, and what the control store has for all or for it."""

    def __init__(self, db: Database, clock: Clock, cursors: CursorCodec) -> None:
        self._db = db
        self._clock = clock
        self._cursors = cursors

    async def list_revocations(self, tenant_id: str, query: ListRevocationsQuery) -> RevocationListBody:
        """Return some of what came after the cursor, or of all that cannot be forgotten yet. InvalidCursor."""
        chunk = await self.read(tenant_id, self.places_of(tenant_id, query.since), query.limit)
        shown = [revocation_body(one) for one in chunk.revocations]
        return RevocationListBody(shown, chunk.has_more, self.cursor_of(tenant_id, chunk.places))

    async def read(self, tenant_id: str, places: Places, limit: int) -> Chunk:
        """Return up to `limit` revocations after these places: the control store's first."""
        now = self._clock.now_ms()

        async def read_control(reader: Reader) -> tuple[list[Revocation], Place, bool]:
            return await repository.list_revocations(reader, places.control, limit, now, tenant_id)

        control, first, more = await self._db.read(CONTROL_TENANT_ID, read_control)
        if more:
            return Chunk(control, Places(first, places.tenant), more)

        async def read_own(reader: Reader) -> tuple[list[Revocation], Place, bool]:
            return await repository.list_revocations(reader, places.tenant, limit - len(control), now)

        try:
            own, second, more = await self._db.read(tenant_id, read_own)
        except TenantStoreNotFound:  # deleted, which the control store says to whoever follows
            own, second = [], places.tenant
        return Chunk([*control, *own], Places(first, second), more)

    async def get_end(self, tenant_id: str) -> Places:
        """Return the places after all that is there now."""
        now = self._clock.now_ms()

        async def read(reader: Reader) -> Place:
            _, place, _ = await repository.list_revocations(reader, Place(), 0, now)
            return Place(place.until or place.since)

        return Places(await self._db.read(CONTROL_TENANT_ID, read), await self._db.read(tenant_id, read))

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> tuple[set[str], str | None]:
        """Return those of these tenants for whom there may be something since a mark, and the next mark."""
        found, mark = await self._db.list_revised([*tenant_ids, CONTROL_TENANT_ID], since)
        return set(tenant_ids) if CONTROL_TENANT_ID in found else found, mark

    def places_of(self, tenant_id: str, cursor: str | None) -> Places:
        """Return the places that a cursor holds; without one, the beginning. InvalidCursor."""
        if cursor is None:
            return Places()
        position = self._cursors.decode(tenant_id, _BOUND, cursor)
        try:
            control, own = msgspec.convert((position[:4], position[4:]), tuple[_Held, _Held])
        except msgspec.ValidationError as error:
            raise InvalidCursor from error
        return Places(Place(*control), Place(*own))

    def cursor_of(self, tenant_id: str, places: Places) -> str:
        """Return the cursor that holds these places."""
        held = (*msgspec.structs.astuple(places.control), *msgspec.structs.astuple(places.tenant))
        return self._cursors.encode(tenant_id, _BOUND, held)


class _Stream:
    """What waits to go out to one client. A client that takes too little is let go: it comes again with its cursor."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self._parts: list[bytes] = []
        self._bytes = 0
        self._is_over = False
        self._changed = asyncio.Event()

    def put(self, part: bytes) -> None:
        """Have `part` go out after those that wait."""
        self._parts.append(part)
        self._bytes += len(part)
        if self._bytes > _MOST_WAITING_BYTES:
            self._parts.clear()
            self._is_over = True
        self._changed.set()

    def end(self) -> None:
        """Have it end after what waits."""
        self._is_over = True
        self._changed.set()

    async def take(self) -> bytes:
        """Wait for something, and return all that waits; nothing: it is over."""
        while not self._parts and not self._is_over:
            self._changed.clear()
            await self._changed.wait()
        part = b"".join(self._parts)
        self._parts.clear()
        self._bytes = 0
        return part


class _Channel:
    """A tenant whose feed somebody streams: how far it was read, and by whom it is streamed."""

    def __init__(self, tenant_id: str, places: Places) -> None:
        self.tenant_id = tenant_id
        self.places = places
        self.is_current = False
        """Whether all that the last look found was read. A look that began before this was there may have passed it."""
        self.streams: set[_Stream] = set()


class RevocationFeed:
    """The streams of this process. One task reads for all of them, however many there are, and while there are any.

    What another process writes is seen within a tenth of a second. A heartbeat says that everything up to it was read:
    there is none while the store cannot be read.
    """

    def __init__(
        self, revocations: RevocationService, keys: KeyService, bell: Bell, *, metrics: Metrics, most: int
    ) -> None:
        self._revocations = revocations
        self._keys = keys
        self._bell = bell
        self._metrics = metrics
        self._most = most
        self._channels: dict[str, _Channel] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._mark: str | None = None

    def stream(self, context: Context, cursor: str | None) -> AsyncGenerator[bytes, None]:
        """Return what came after the cursor, and then what comes, as Server-Sent Events; or without one, all.

        InvalidCursor. TooManyStreams: as many are open as this process takes, or half as many of the tenant alone.
        """
        places = self._revocations.places_of(context.tenant_id, cursor)
        of_tenant = self._channels.get(context.tenant_id)
        taken = sum(len(channel.streams) for channel in self._channels.values())
        is_full = taken >= self._most or (of_tenant is not None and len(of_tenant.streams) >= max(self._most // 2, 1))
        if self._is_closed or is_full:
            raise TooManyStreams
        return self._parts(context.principal, places)

    def close(self) -> None:
        """End every stream, and take no more: the server stops."""
        self._is_closed = True
        for channel in self._channels.values():
            for stream in channel.streams:
                stream.end()
        self._bell.wake()

    async def stop(self) -> None:
        """Close, and return when nothing is read any more."""
        self.close()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _parts(self, principal: Principal, places: Places) -> AsyncGenerator[bytes, None]:
        """Yield what is there already, a heartbeat when that is all, and then what comes.

        It joins before it reads: what comes meanwhile waits, and may come twice.
        """
        tenant_id, stream = principal.tenant_id, _Stream(principal)
        yield _START
        with contextlib.suppress(Unavailable, TenantStoreNotFound):
            await self._join(tenant_id, stream)
            try:
                has_more = True
                while has_more:
                    chunk = await self._revocations.read(tenant_id, places, _PAGE)
                    part = self._written(tenant_id, chunk, places)
                    if part:
                        yield part
                    places, has_more = chunk.places, chunk.has_more
                yield self._beat(tenant_id, places)
                while part := await stream.take():
                    yield part
            finally:
                self._leave(tenant_id, stream)

    async def _join(self, tenant_id: str, stream: _Stream) -> None:
        if tenant_id not in self._channels:
            end = await self._revocations.get_end(tenant_id)
            self._channels.setdefault(tenant_id, _Channel(tenant_id, end))
        self._channels[tenant_id].streams.add(stream)
        self._metrics.begin_stream()
        if self._is_closed:
            stream.end()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="revocations")

    def _leave(self, tenant_id: str, stream: _Stream) -> None:
        channel = self._channels[tenant_id]
        channel.streams.remove(stream)
        self._metrics.end_stream()
        if not channel.streams:
            del self._channels[tenant_id]
            self._bell.wake()

    async def _run(self) -> None:
        """Read for every stream: at once what rang, and now and then everything; and say that it goes on."""
        loop = asyncio.get_running_loop()
        poll_at = beat_at = loop.time()
        while self._channels and not self._is_closed:
            rung = await self._bell.wait(max(poll_at - loop.time(), 0))
            await asyncio.sleep(_REST_SECONDS)
            if loop.time() >= poll_at:
                poll_at = loop.time() + _POLL_SECONDS
                rung |= await self._poll()
            of_all = CONTROL_TENANT_ID in rung
            for channel in [one for one in self._channels.values() if of_all or one.tenant_id in rung]:
                await self._attempt(channel, self._advance)
            if loop.time() >= beat_at:
                beat_at = loop.time() + _BEAT_SECONDS
                for channel in list(self._channels.values()):
                    await self._attempt(channel, self._beat_once)

    async def _poll(self) -> set[str]:
        """Return the tenants in which another process may have written something, and any that could not be read."""
        before = self._mark
        behind = {channel.tenant_id for channel in self._channels.values() if not channel.is_current}
        try:
            found, self._mark = await self._revocations.list_revised(list(self._channels), before)
        except Exception as error:  # noqa: BLE001 - the store is asked again; the log has the cause
            _log.warning("the revocations cannot be read", exc_info=error)
            for channel in self._channels.values():
                channel.is_current = False
            return set()
        return found | behind

    async def _attempt(self, channel: _Channel, step: Callable[[_Channel], Awaitable[None]]) -> None:
        """Take a step for a tenant. Other tenants' streams go on whatever one meets."""
        try:
            await step(channel)
        except Unavailable as error:
            _log.warning("the revocations cannot be read", tenant_id=channel.tenant_id, exc_info=error)
        except Exception:  # noqa: BLE001 - the same; the log has the cause
            _log.exception("the revocations cannot be read", tenant_id=channel.tenant_id)

    async def _advance(self, channel: _Channel) -> None:
        """Read what is new in a tenant, and give it to its streams."""
        channel.is_current = False
        has_more = True
        while has_more:
            chunk = await self._revocations.read(channel.tenant_id, channel.places, _PAGE)
            part = self._written(channel.tenant_id, chunk, channel.places)
            channel.places, has_more = chunk.places, chunk.has_more
            for stream in channel.streams if part else ():
                stream.put(part)
        channel.is_current = True

    async def _beat_once(self, channel: _Channel) -> None:
        """Say to a tenant's streams that they are up to date; end those whose key opens nothing any more."""
        if channel.is_current:
            beat = self._beat(channel.tenant_id, channel.places)
            for stream in channel.streams:
                stream.put(beat)
        by_key: dict[str, list[_Stream]] = {}
        for stream in channel.streams:
            by_key.setdefault(stream.principal.id, []).append(stream)
        for streams in by_key.values():
            if not await self._is_working(streams[0].principal):
                await self._attempt(channel, self._advance)  # what ended the key may have come after the last read
                for stream in streams:
                    stream.end()

    async def _is_working(self, principal: Principal) -> bool:
        """Say whether a key would still be let in; it passes while the store does not tell."""
        try:
            await self._keys.require_working(principal)
        except Unavailable:
            return True
        except ApiError:
            return False
        return True

    def _beat(self, tenant_id: str, places: Places) -> bytes:
        return f"id: {self._revocations.cursor_of(tenant_id, places)}\nevent: heartbeat\ndata: {{}}\n\n".encode()

    def _written(self, tenant_id: str, chunk: Chunk, before: Places) -> bytes:
        """Return the events of a chunk. Who has only some of them goes on from before it."""
        if not chunk.revocations:
            return b""
        bodies = [_encode(revocation_body(one)) for one in chunk.revocations]
        first, last = (self._revocations.cursor_of(tenant_id, places).encode() for places in (before, chunk.places))
        ids = [*[first] * (len(bodies) - 1), last]
        events = zip(ids, bodies, strict=True)
        return b"".join(b"id: %b\nevent: revocation\ndata: %b\n\n" % event for event in events)
