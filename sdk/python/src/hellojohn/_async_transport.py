"""Sends calls and sends them again, beside an event loop."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar, cast

import httpx2

from hellojohn._answers import NO_CONTENT, Received, failure_of, is_refusal, late, refusal_of, value_of
from hellojohn._calls import Call, Prepared, prepare, prepare_upload
from hellojohn._lines import RowReader
from hellojohn._retries import seconds_before_retry
from hellojohn._settings import Settings
from hellojohn.errors import HelloJohnError
from hellojohn.pages import AsyncPage, AsyncPages, body_of
from hellojohn.streams import AsyncStream, JsonReader
from hellojohn.uploads import AsyncFile, opened, pieces_of

T = TypeVar("T")


class AsyncTransport:
    """What the resources of a client share."""

    def __init__(self, settings: Settings, http: httpx2.AsyncClient) -> None:
        self.settings = settings
        self.http = http

    async def fetch(self, call: Call, expected: type[T]) -> T:
        """Return the answer to a call."""
        return value_of(await self._answer(prepare(call, self.settings)), expected)

    async def fetch_or_none(self, call: Call, expected: type[T]) -> T | None:
        """Return the answer to a call; None when it has no content."""
        received = await self._answer(prepare(call, self.settings))
        return None if received.status == NO_CONTENT else value_of(received, expected)

    async def send(self, call: Call) -> None:
        """Make a call that answers nothing."""
        await self._answer(prepare(call, self.settings))

    def page(self, call: Call, item: type[T]) -> AsyncPages[T]:
        """Return a list, of which nothing is fetched yet."""
        return AsyncPages(lambda: self._page(call, item))

    def stream(self, call: Call, line: type[T]) -> AsyncStream[T]:
        """Return lines of JSON, read while they come."""
        return AsyncStream(lambda: self._begin(call, "application/x-ndjson"), JsonReader(line))

    def rows(self, call: Call) -> AsyncStream[dict[str, str]]:
        """Return rows of CSV, read while they come."""
        return AsyncStream(lambda: self._begin(call, "text/csv"), RowReader())

    async def upload(self, call: Call, file: AsyncFile, content_type: str, expected: type[T]) -> T:
        """Send a file and return the answer."""
        with opened(file) as source:
            prepared = prepare_upload(call, self.settings, _pieces_of(source), content_type)
            return value_of(await self._answer(prepared, has_deadline=False), expected)

    async def _page(self, call: Call, item: type[T]) -> AsyncPage[T]:
        body = await self.fetch(call, body_of(item))
        return AsyncPage(body, lambda cursor: self._page(call.after(cursor), item))

    async def _answer(self, prepared: Prepared, *, has_deadline: bool = True) -> Received:
        async def attempt() -> Received:
            deadline = time.monotonic() + prepared.timeout if has_deadline else None
            return await self._read(await self._open(prepared), deadline)

        return await self._repeated(prepared, attempt)

    async def _begin(self, call: Call, accept: str) -> httpx2.Response:
        prepared = prepare(call, self.settings, accept=accept)

        async def attempt() -> httpx2.Response:
            response = await self._open(prepared)
            if is_refusal(response.status_code):
                await self._read(response, time.monotonic() + prepared.timeout)
            return response

        return await self._repeated(prepared, attempt)

    async def _repeated(self, prepared: Prepared, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, which is made again after failures that may pass; else raise its failure."""
        number = 0
        while True:
            try:
                return await attempt()
            except HelloJohnError as failure:
                seconds = seconds_before_retry(failure, prepared, number)
                if seconds is None:
                    raise
            await asyncio.sleep(seconds)
            number += 1

    async def _open(self, prepared: Prepared) -> httpx2.Response:
        """Send a request once and return the answer, of which only the head was read."""
        request = self.http.build_request(
            prepared.method,
            prepared.url,
            headers=prepared.headers,
            content=prepared.content,
            timeout=prepared.timeout,
        )
        try:
            return await self.http.send(request, stream=True, follow_redirects=False)
        except httpx2.TransportError as error:
            raise failure_of(error) from error

    async def _read(self, response: httpx2.Response, deadline: float | None) -> Received:
        """Read an answer to its end and return it; raise it if it is a refusal."""
        pieces: list[bytes] = []
        try:
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                if deadline is not None and time.monotonic() > deadline:
                    raise late()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise failure_of(error) from error
        finally:
            await response.aclose()
        received = Received(response.status_code, response.headers, b"".join(pieces))
        if is_refusal(received.status):
            raise refusal_of(received)
        return received


def _pieces_of(file: object) -> bytes | AsyncIterable[bytes]:
    """Return the bytes of an opened file, or its pieces, read beside the event loop. TypeError for what is no file."""
    if isinstance(file, AsyncIterable):
        return cast("AsyncIterable[bytes]", file)
    pieces = pieces_of(file)
    return pieces if isinstance(pieces, bytes) else _in_thread(iter(pieces))


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
