"""The rules of finding users: what a question means, and the pages it is answered in."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from hellojohn_server.features.search import repository
from hellojohn_server.features.search.schemas import (
    Direction,
    Extent,
    Found,
    ListUsersQuery,
    Match,
    Place,
    SearchFilters,
    SearchUsersRequest,
    SortField,
    UserFilter,
    UserOrder,
    default_direction,
)
from hellojohn_server.features.users.schemas import User, UserBody, body_of
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.pagination import CursorCodec, InvalidCursor, Page, Position, page_of
from hellojohn_server.kit.search_query import parse_query
from hellojohn_server.kit.text import email_key
from hellojohn_server.kit.times import to_ms
from hellojohn_server.storage.database import Database, Reader

_MICROSECONDS_IN_MS = 1000


class _Operation(StrEnum):
    """Whose cursor it is: one operation's cursor is of no use to the other."""

    LIST = "users.list"
    SEARCH = "users.search"


class UserSearch:
    """Finds users of one tenant at a time. It reads only, in one statement a page."""

    def __init__(self, db: Database, clock: Clock, cursors: CursorCodec) -> None:
        self._db = db
        self._clock = clock
        self._cursors = cursors

    async def list_users(self, tenant_id: str, query: ListUsersQuery) -> Page[UserBody]:
        """Return a page of the users that pass every filter. InvalidCursor for one of another query or tenant."""
        wanted = UserFilter(
            email_key=None if query.email is None else email_key(query.email),
            external_id=query.external_id,
            status=query.status,
            role=query.role,
            disabled=query.disabled,
            mfa_enrolled=query.mfa_enrolled,
            email_verified=query.email_verified,
            organization_id=query.organization_id,
            created_after=_after(query.created_after),
            created_before=_before(query.created_before),
        )
        order = _order_of(query.order_by, query.direction)
        return await self._page(tenant_id, _Operation.LIST, wanted, order, limit=query.limit, cursor=query.cursor)

    async def search_users(self, tenant_id: str, request: SearchUsersRequest) -> Page[UserBody]:
        """Return a page of the users in whom every word occurs and who pass every filter. Invalid, InvalidCursor."""
        wanted = filter_of(request.query, request.filters)
        order = _order_of(request.sort.field, request.sort.direction)
        return await self._page(tenant_id, _Operation.SEARCH, wanted, order, limit=request.limit, cursor=request.cursor)

    async def list_matches(
        self, tenant_id: str, wanted: UserFilter, place: Place | None, *, limit: int, extent: Extent
    ) -> tuple[list[Match], Place | None]:
        """Return up to `limit` users that match after `place`, the newest first, and where to go on; None at the end.

        For those who go through all of them: it may take longer than a page.
        """
        now = self._clock.now_ms()

        async def read(reader: Reader) -> tuple[list[Match], Place | None]:
            return await repository.search_matches(reader, wanted, place, limit=limit, now_ms=now, extent=extent)

        return await self._db.read(tenant_id, read, long=True)

    async def list_users_among(self, reader: Reader, user_ids: Sequence[str], extent: Extent) -> list[Match]:
        """Return those of these users whom there are, in the recycle bin or not."""
        return await repository.list_users_among(reader, user_ids, extent)

    async def list_ids_among(self, reader: Reader, wanted: UserFilter, user_ids: Sequence[str]) -> list[str]:
        """Return those of these users who match."""
        return await repository.list_ids_among(reader, wanted, user_ids, self._clock.now_ms())

    async def _page(  # noqa: PLR0913 - what the two operations have in common
        self,
        tenant_id: str,
        operation: _Operation,
        wanted: UserFilter,
        order: UserOrder,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[UserBody]:
        bound = (operation, wanted, order)
        place = None if cursor is None else _place_of(self._cursors.decode(tenant_id, bound, cursor))
        now = self._clock.now_ms()

        async def read(reader: Reader) -> Found:
            return await repository.search_users(reader, wanted, order, place, limit=limit, now_ms=now)

        found = await self._db.read(tenant_id, read)
        following = None
        if found.has_more and found.last is not None:
            following = self._cursors.encode(tenant_id, bound, (found.last.value, found.last.id))
        rows = [body_of(user, now) for user in found.users]
        return page_of(rows, limit, found.total, following, capped=not found.is_counted)


def filter_of(query: str | None, filters: SearchFilters) -> UserFilter:
    """Return which users a search means. Invalid for a query in which nothing can be searched for."""
    return UserFilter(
        words=parse_query(query or ""),
        status=filters.status,
        role=filters.role,
        disabled=filters.disabled,
        mfa_enrolled=filters.mfa_enrolled,
        email_verified=filters.email_verified,
        organization_id=filters.organization_id,
        created_after=_after(filters.created_after),
        created_before=_before(filters.created_before),
        last_active_after=_after(filters.last_active_after),
        last_active_before=_before(filters.last_active_before),
    )


async def list_matching(
    reader: Reader, wanted: UserFilter, after: Place | None, *, limit: int, now_ms: int
) -> tuple[list[User], Place | None]:
    """Return up to `limit` users that match, newest first, and the place after which more follow, or None.

    Whoever goes on from place to place meets everybody who matched throughout, and each user once: nothing moves in the
    order of creation. States that end by themselves are judged at `now_ms`.
    """
    order = UserOrder(SortField.CREATED_AT, Direction.DESCENDING)
    found = await repository.search_users(reader, wanted, order, after, limit=limit, now_ms=now_ms, is_counted=False)
    return found.users, found.last if found.has_more else None


def _order_of(field: SortField, direction: Direction | None) -> UserOrder:
    return UserOrder(field, direction or default_direction(field))


def _place_of(position: Position) -> Place:
    match position:
        case (None | int() | str() as value, str() as user_id):
            return Place(value, user_id)
        case _:
            raise InvalidCursor


def _after(moment: datetime | None) -> int | None:
    """Return the last millisecond that is not after `moment`: what is later is after it."""
    return None if moment is None else to_ms(moment)


def _before(moment: datetime | None) -> int | None:
    """Return the first millisecond that is not before `moment`: what is earlier is before it."""
    if moment is None:
        return None
    return to_ms(moment) + (moment.microsecond % _MICROSECONDS_IN_MS > 0)
