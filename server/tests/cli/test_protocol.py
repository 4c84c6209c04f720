"""The limits on the head of a request, on real sockets: how large it may be, and how long it may take."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from hellojohn_server.cli.protocol import MAX_HEAD_BYTES, BoundedHttpProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n"


class ImpatientProtocol(BoundedHttpProtocol):
    head_seconds = 0.05


async def say_hello(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def connection(
    protocol: type[BoundedHttpProtocol],
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(say_hello, http=protocol, ws="none", log_config=None, access_log=False)
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), host="127.0.0.1", port=0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await server.wait_closed()


async def read_hello(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"hello"), 10)


async def test_a_head_that_comes_in_pieces_is_one_request() -> None:
    async with connection(BoundedHttpProtocol) as (reader, writer):
        for piece in (b"GET / HT", b"TP/1.1\r\nHo", b"st: x\r\nX-Long: ", b"a" * (MAX_HEAD_BYTES // 2), b"\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")
        writer.write(REQUEST + b"\r\n")
        assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")


async def test_a_head_without_end_is_refused_and_the_connection_closed() -> None:
    async with connection(BoundedHttpProtocol) as (reader, writer):
        writer.write(REQUEST + b"\r\n" + REQUEST + b"X-Long: ")
        assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")
        writer.write(b"a" * (MAX_HEAD_BYTES + 1))
        assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 431 ")


async def test_a_connection_that_sends_no_head_in_time_is_closed() -> None:
    for begun in (b"", REQUEST):
        async with connection(ImpatientProtocol) as (reader, writer):
            writer.write(begun)
            assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_a_connection_that_has_sent_a_request_waits_for_the_next_one() -> None:
    async with connection(ImpatientProtocol) as (reader, writer):
        for _ in range(3):
            writer.write(REQUEST + b"\r\n")
            assert (await read_hello(reader)).endswith(b"hello")
            await asyncio.sleep(2 * ImpatientProtocol.head_seconds)
