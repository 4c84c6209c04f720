"""Pages of a list, and how one goes on from each to the next."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar, cast

import msgspec

T = TypeVar("T")


class Pagination(msgspec.Struct, frozen=True):
    """What a list says of itself. From some number on `total` is not exact, and says so."""

    total: int
    total_is_exact: bool
    limit: int
    has_more: bool
    next_cursor: str | None


class PageBody(msgspec.Struct, Generic[T], frozen=True):
    """A page on the wire."""

    data: list[T]
    pagination: Pagination


def body_of(item: type[T]) -> type[PageBody[T]]:
    """Return the type of a page of `item`, which type checkers do not let one write for a type in a variable."""
    return cast("type[PageBody[T]]", cast("Any", PageBody)[item])


class Page(Generic[T]):
    """One page, in `data`. To iterate over it goes on through every page after it, each fetched when it is needed."""

    def __init__(self, body: PageBody[T], fetch: "Callable[[str], Page[T]]") -> None:
        self.data = body.data
        self.pagination = body.pagination
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data

    def __repr__(self) -> str:
        return f"Page({len(self.data)} of {self.pagination.total})"

    def next_page(self) -> "Page[T] | None":
        """Fetch the page after this one; None when this is the last."""
        cursor = self.pagination.next_cursor
        return None if cursor is None else self._fetch(cursor)

    def pages(self) -> "Iterator[Page[T]]":
        """Yield this page and every one after it."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()


class AsyncPage(Generic[T]):
    """One page, in `data`. `async for` over it goes on through every page after it."""

    def __init__(self, body: PageBody[T], fetch: "Callable[[str], Awaitable[AsyncPage[T]]]") -> None:
        self.data = body.data
        self.pagination = body.pagination
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item

    def __repr__(self) -> str:
        return f"AsyncPage({len(self.data)} of {self.pagination.total})"

    async def next_page(self) -> "AsyncPage[T] | None":
        """Fetch the page after this one; None when this is the last."""
        cursor = self.pagination.next_cursor
        return None if cursor is None else await self._fetch(cursor)

    async def pages(self) -> "AsyncIterator[AsyncPage[T]]":
        """Yield this page and every one after it."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()


class AsyncPages(Generic[T]):
    """A list that was asked for and not fetched yet: `await` it for its first page, `async for` for all of it."""

    def __init__(self, first: Callable[[], Awaitable[AsyncPage[T]]]) -> None:
        self._first = first

    def __await__(self) -> Generator[Any, Any, AsyncPage[T]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first():
            yield item
