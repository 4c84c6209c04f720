"""uvicorn's HTTP protocol with limits on connections and heads of requests, which it has none of with httptools."""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hellojohn_server.kit.routing import STOPPING

MAX_HEAD_BYTES: Final = 65_536
_END_OF_HEAD: Final = b"\r\n\r\n"
_START_OF_HEAD: Final = b"HTTP/1.1 "
_MOST_JOINED: Final = 65_536
"""A longer piece costs more to copy than to send by itself."""


class JoiningTransport:
    """A transport on which the head of an answer goes out with its body: uvicorn writes them one after the other.

    Two writes are two system calls for the server, and two packets for the client. A head whose body does not come in
    the same turn of the loop goes without it.
    """

    __slots__ = ("_call_soon", "_held", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write, or hold what is a head."""
        if self._held and len(data) <= _MOST_JOINED:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif not self._held and data.startswith(_START_OF_HEAD):
            self._held = data
            self._call_soon(self._write_held)
        else:
            self._write_held()
            self._transport.write(data)

    def close(self) -> None:
        """Write what is held, and close."""
        self._write_held()
        self._transport.close()

    def _write_held(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses a request whose head is larger than MAX_HEAD_BYTES with 431 (RFC 6585 section 5), and closes.

    A connection that sends nothing, or only part of a head, for `head_seconds` is closed; between requests uvicorn's
    own keep-alive time holds. A connection above uvicorn's `limit_concurrency` gets 503 and is closed. (uvicorn itself
    would let it in, and then answer the requests of all others with 503 too.)
    """

    head_seconds: ClassVar[float] = 30.0

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._in_head = False
        self._head_bytes = 0
        self._head_tail = b""
        self._max_connections, self.limit_concurrency = self.limit_concurrency, None
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("asyncio.Transport", JoiningTransport(transport, self.loop)))
        if self._max_connections is not None and len(self.connections) > self._max_connections:
            self.connections.discard(self)
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, b"Too many connections are open.", b"retry-after: 1\r\n")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Have the app end the answers that would go on, then wait for this connection's as for any other."""
        stopping = self.app_state.get(STOPPING)
        if stopping is not None:
            stopping()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._is_head_too_large(data):
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"The request line and headers are too large.", b""
            )
            return
        super().data_received(data)
        if self._in_head and self._head_timer is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes, self._head_tail = 0, b""
        if self._head_timer is not None:
            self._stop_timer()
        super().on_headers_complete()

    def _is_head_too_large(self, data: bytes) -> bool:
        """Say whether the head that goes on in `data`, or may begin there, is too large.

        What follows another request in one read is not looked at: it is bounded by the size of a read.
        """
        if not self._in_head and getattr(self.cycle, "more_body", False):
            return False
        room = MAX_HEAD_BYTES - self._head_bytes
        if len(data) > room:
            return _END_OF_HEAD not in self._head_tail + data[:room]
        self._head_bytes += len(data)
        self._head_tail = (self._head_tail + data)[-3:] if len(data) < len(_END_OF_HEAD) else data[-3:]
        return False

    def _refuse(self, status: HTTPStatus, message: bytes, headers: bytes) -> None:
        """Answer without the app, which has not seen the request, and close."""
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
            b"content-length: %d\r\n%bconnection: close\r\n\r\n%b"
            % (status.value, status.phrase.encode(), len(message), headers, message)
        )
        self.transport.close()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
