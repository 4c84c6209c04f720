"""The limits on the head of a request, on real sockets: how large it may be, and how long it may take."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from hellojohn_server.cli.protocol import MAX_HEAD_BYTES, BoundedHttpProtocol, JoiningTransport
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory
from tests.http.things import ADMIN, Door

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n"


class ImpatientProtocol(BoundedHttpProtocol):
    head_seconds = 0.05


async def say_hello(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def read_and_say_hello(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await say_hello(scope, receive, send)


@asynccontextmanager
async def serving(
    protocol: type[BoundedHttpProtocol], app: Any = say_hello, connections: int | None = None
) -> AsyncGenerator[tuple[str, int]]:
    """Serve an app on a free loopback port, and give its address."""
    config = uvicorn.Config(
        app, http=protocol, ws="none", log_config=None, access_log=False, limit_concurrency=connections
    )
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), host="127.0.0.1", port=0
    )
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def connection(
    protocol: type[BoundedHttpProtocol], app: Any = say_hello
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with serving(protocol, app) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield reader, writer
        finally:
            writer.close()


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


async def test_a_large_head_in_one_piece_is_refused_too() -> None:
    async with connection(BoundedHttpProtocol) as (reader, writer):
        writer.write(REQUEST + b"a: b\r\n" * (MAX_HEAD_BYTES // 6 + 1) + b"\r\n")
        assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("rest", [60, 5, 4, 3, 2, 1, 0])
async def test_a_body_that_comes_with_the_end_of_its_head_is_not_taken_for_a_head(rest: int) -> None:
    body = b"x" * (3 * MAX_HEAD_BYTES)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Filler: 12345678901234567890\r\nContent-Length: %d\r\n\r\n" % len(body)
    cut = len(head) - rest
    async with connection(BoundedHttpProtocol, read_and_say_hello) as (reader, writer):
        for _ in range(2):
            writer.write(head[:cut])
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(head[cut:] + body)
            assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")


async def test_no_more_connections_are_open_than_there_may_be_and_the_others_are_served() -> None:
    async with serving(BoundedHttpProtocol, connections=2) as address:
        first, second, third = [await asyncio.open_connection(*address) for _ in range(3)]
        assert (await asyncio.wait_for(third[0].read(), 10)).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        for reader, writer in (first, second):
            writer.write(REQUEST + b"\r\n")
            assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")
        first[1].close()
        await first[1].wait_closed()
        await asyncio.sleep(0.01)
        fourth = await asyncio.open_connection(*address)
        fourth[1].write(REQUEST + b"\r\n")
        assert (await read_hello(fourth[0])).startswith(b"HTTP/1.1 200 ")
        for _, writer in (second, third, fourth):
            writer.close()


async def trickle(address: tuple[str, int], start: bytes) -> bytes:
    """Send something, then a byte at a time, until the server ends it; return what it said."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(start)
    listening = asyncio.create_task(reader.read())
    try:
        while not listening.done():
            writer.write(b"a")
            await asyncio.wait((listening,), timeout=0.01)
        return listening.result()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_many_slow_heads_are_ended_while_others_are_served() -> None:
    async with serving(ImpatientProtocol) as address:
        slow = [asyncio.create_task(trickle(address, REQUEST + b"X-Slow: ")) for _ in range(100)]
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST + b"\r\n")
        assert (await read_hello(reader)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert set(await asyncio.wait_for(asyncio.gather(*slow), 20)) == {b""}


async def test_many_slow_bodies_are_ended_while_others_are_served(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(body_seconds=0.2))
    post = b"POST /v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\nContent-Type: application/json\r\n" % (
        ADMIN["authorization"].encode()
    )
    async with serving(BoundedHttpProtocol, door.app) as address:
        slow = [asyncio.create_task(trickle(address, post + b"Content-Length: 4000\r\n\r\n")) for _ in range(50)]
        slow += [
            asyncio.create_task(trickle(address, post + b"Transfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\nf00\r\n"))
            for _ in range(50)
        ]
        reader, writer = await asyncio.open_connection(*address)
        writer.write(post + b"Content-Length: 12\r\n\r\n" + b'{"name":"x"}')
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)).startswith(b"HTTP/1.1 201 ")
        writer.close()
        ended = await asyncio.wait_for(asyncio.gather(*slow), 30)
    assert all(answer.startswith(b"HTTP/1.1 408 ") or not answer for answer in ended)
    assert sorted(line["status"] for line in door.log_lines) == [201] + [408] * 100
    assert len(door.things.contexts) == 1


class Noted:
    """Notes what reaches a transport."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def is_closing(self) -> bool:
        return "close" in self.done


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        ([HEAD, b"body"], [HEAD + b"body"]),
        ([HEAD, b"first", b"second"], [HEAD + b"first", b"second"]),
        ([HEAD, b"x" * 65_537], [HEAD, b"x" * 65_537]),
        ([HEAD, b"one", HEAD, b"two"], [HEAD + b"one", HEAD + b"two"]),
        ([HEAD, b"HTTP/1.1 is a body"], [HEAD + b"HTTP/1.1 is a body"]),
        ([b"no head"], [b"no head"]),
        ([HEAD], [HEAD]),
    ],
)
async def test_a_head_goes_out_with_its_body_or_at_the_end_of_the_turn(
    pieces: list[bytes], written: list[bytes]
) -> None:
    noted = Noted()
    joining: Any = JoiningTransport(cast("asyncio.Transport", noted), asyncio.get_running_loop())
    for piece in pieces:
        joining.write(piece)
    await asyncio.sleep(0)
    assert noted.done == written
    assert not joining.is_closing()
    joining.close()
    await asyncio.sleep(0)
    assert noted.done == [*written, "close"]


async def test_a_head_that_is_held_goes_out_before_the_connection_is_closed() -> None:
    noted = Noted()
    joining: Any = JoiningTransport(cast("asyncio.Transport", noted), asyncio.get_running_loop())
    joining.write(HEAD)
    joining.close()
    await asyncio.sleep(0)
    assert noted.done == [HEAD, "close"]


async def test_an_answer_whose_body_takes_its_time_begins_at_once() -> None:
    may_end = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await may_end.wait()
        await send({"type": "http.response.body", "body": b"hello"})

    async with connection(BoundedHttpProtocol, slow) as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 200 ")
        may_end.set()
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"
