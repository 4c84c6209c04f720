"""A server that does what it is told to, however wrong: a request for each connection, a reply for each request."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec

Reply: TypeAlias = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Asked(msgspec.Struct, frozen=True):
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """Answer as a server does."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)

    return reply


def error(status: int, code: str = "server_busy", **headers: str) -> Reply:
    """Answer with an error of the API."""
    told = {"code": code, "message": "No.", "status": status, "request_id": "req_1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, msgspec.json.encode({"error": told}), named)


def reset() -> Reply:
    """Read the request, and tear the connection down."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return reply


def break_off(body: bytes) -> Reply:
    """Promise more than comes."""
    return answer(200, body, {"Content-Length": str(len(body) + 10)})


def silence() -> Reply:
    """Answer nothing, until the client has gone."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    return reply


def drip(body: bytes, seconds: float = 0.05) -> Reply:
    """Answer byte by byte."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content-Length": str(len(body))}))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return reply


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Misbehaving:
    """The running server."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[Asked] = []
        self.url = ""
        self.tasks: set[asyncio.Task[Any]] = set()

    def will(self, *replies: Reply) -> None:
        """Set what the next requests get, one each."""
        self.replies, self.asked = [*replies], []

    @property
    def keys(self) -> list[str | None]:
        """The Idempotency-Key of each request, None where there was none."""
        return [one.headers.get("idempotency-key") for one in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, path, _ = head[0].split(" ")
            self.asked.append(Asked(method, path, headers, body))
            await self.replies.pop(0)(writer)
            if not writer.is_closing():
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client has gone, as it may
        finally:
            self.tasks.discard(task)
            writer.close()


@asynccontextmanager
async def misbehaving_server() -> AsyncGenerator[Misbehaving]:
    """Serve on a free loopback port until the block ends."""
    server = Misbehaving()
    serving = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        serving.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
