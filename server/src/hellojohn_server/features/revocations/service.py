"""Reading the feed: a chunk of it after a cursor."""

from typing import Final, TypeAlias

import msgspec

from hellojohn_server.features.revocation_log.schemas import Revocation
from hellojohn_server.features.revocations import repository
from hellojohn_server.features.revocations.schemas import (
    Chunk,
    ListRevocationsQuery,
    Place,
    Places,
    RevocationListBody,
    revocation_body,
)
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.pagination import CursorCodec, InvalidCursor
from hellojohn_server.storage.database import Database, Reader

_BOUND: Final = ("revocations",)
_Held: TypeAlias = tuple[str | None, str | None, str, int]


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

        own, second, more = await self._db.read(tenant_id, read_own)
        return Chunk([*control, *own], Places(first, second), more)

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
