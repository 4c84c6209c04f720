"""A server that misbehaves on purpose: it answers each request with the next thing that it was told to do."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

HANG: Final = b"hang"
"""Take the request, and answer nothing for as long as the connection is there."""
RESET: Final = b"reset"
"""Take the request, and end the connection at once."""


class Taken(msgspec.Struct, frozen=True):
    """A request that arrived. Names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return an answer whose body is JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    return raw(status, content, {"Content-Type": "application/json", **(headers or {})})


def raw(status: int, content: bytes, headers: Mapping[str, str], length: int | None = None) -> bytes:
    """Return an answer; with a `length` that is longer than the content it breaks off."""
    named = {**headers, "Content-Length": str(len(content) if length is None else length), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + content


def refusal(status: int, code: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return an error as the API has them."""
    error = {"code": code, "message": f"It is {code}.", "status": status, "request_id": "req_bad"}
    return answer(status, {"error": error}, headers)


class BadServer:
    """`taken` are the requests that have arrived."""

    def __init__(self, script: Iterable[bytes]) -> None:
        self._script = iter(script)
        self.taken: list[Taken] = []
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request, and do the next thing. Whoever asks may go away."""
        try:
            await self._take(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        self.taken.append(Taken(method, path, headers, body))
        act = next(self._script)
        if act == HANG:
            await reader.read()
        elif act != RESET:
            writer.write(act)
            await writer.drain()
            writer.close()
            return
        writer.transport.abort()


@asynccontextmanager
async def bad_server(*script: bytes) -> AsyncGenerator[BadServer]:
    """Serve on a free loopback port."""
    bad = BadServer(script)
    server = await asyncio.start_server(bad.take, "127.0.0.1", 0)
    bad.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield bad
