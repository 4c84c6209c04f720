"""Answers that are read while they come: exports and reports, of any length."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import httpx2

from hellojohn._answers import decoder_of, failure_of
from hellojohn._lines import LineSplitter

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class LineReader(Protocol[T_co]):
    """Makes values of lines."""

    def feed(self, line: bytes) -> Iterator[T_co]:
        """Yield the value that `line` completes, if it does."""
        ...


class JsonReader(Generic[T]):
    """Reads NDJSON: each line is a value."""

    def __init__(self, expected: type[T]) -> None:
        self._decoder = decoder_of(expected)

    def feed(self, line: bytes) -> Iterator[T]:
        """Yield the value of a line that is not empty."""
        if line.strip():
            yield self._decoder.decode(line)


class Stream(Generic[T]):
    """What comes line by line, once. It is closed at its end; one that is left before, close or use with `with`."""

    def __init__(self, response: httpx2.Response, reader: LineReader[T]) -> None:
        self._response = response
        self._reader = reader

    def __iter__(self) -> Iterator[T]:
        splitter = LineSplitter()
        for piece in self.iter_bytes():
            for line in splitter.feed(piece):
                yield from self._reader.feed(line)
        for line in splitter.end():
            yield from self._reader.feed(line)

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield it as it is on the wire, to save it. ApiConnectionError when it breaks off: then it is not complete."""
        try:
            yield from self._response.iter_bytes()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise failure_of(error) from error
        finally:
            self._response.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(Generic[T]):
    """What comes line by line, once. The request is made when the iteration, or the `async with` around it, begins."""

    def __init__(self, start: Callable[[], Awaitable[httpx2.Response]], reader: LineReader[T]) -> None:
        self._start = start
        self._reader = reader
        self._response: httpx2.Response | None = None

    async def __aiter__(self) -> AsyncIterator[T]:
        splitter = LineSplitter()
        async for piece in self.iter_bytes():
            for line in splitter.feed(piece):
                for value in self._reader.feed(line):
                    yield value
        for line in splitter.end():
            for value in self._reader.feed(line):
                yield value

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield it as it is on the wire, to save it. ApiConnectionError when it breaks off: then it is not complete."""
        response = await self._opened()
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise failure_of(error) from error
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Let go of the connection."""
        if self._response is not None:
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    async def _opened(self) -> httpx2.Response:
        if self._response is None:
            self._response = await self._start()
        return self._response
