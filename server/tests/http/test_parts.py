"""Answers that are made while they go out: what they say of themselves, and how they end."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
import pytest
import uvicorn

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Answer, Content, Method, Parts, route
from tests.http.things import Door, Echo

ENDLESS: Final = "/v1/endless"
LINES: Final = "/v1/lines"
WAITING: Final = "/v1/waiting"


class Streams:
    """Operations that answer in parts, and what became of those parts."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = asyncio.Event()

    @route(
        Method.GET,
        LINES,
        credentials=PUBLIC,
        limit=Limit.NONE,
        contents=(Content.NDJSON, Content.CSV),
    )
    async def list_lines(self) -> Answer[Echo]:
        """List lines."""
        return Answer(Parts(self._lines(2), Content.NDJSON, "lines-1.ndjson"))

    @route(Method.GET, "/v1/rows", credentials=PUBLIC, limit=Limit.NONE, contents=(Content.CSV,))
    async def list_rows(self) -> Answer[Echo]:
        """List rows."""
        return Answer(Parts(self._lines(1), Content.CSV))

    @route(Method.GET, "/v1/one", credentials=PUBLIC, limit=Limit.NONE)
    async def get_one(self) -> Answer[Echo]:
        """Get one."""
        return Answer(Parts(self._lines(1)))

    @route(Method.GET, "/v1/broken", credentials=PUBLIC, limit=Limit.NONE)
    async def break_off(self) -> Answer[Echo]:
        """Break off."""
        return Answer(Parts(self._lines(3, fails=True)))

    @route(Method.GET, ENDLESS, credentials=PUBLIC, limit=Limit.NONE)
    async def go_on(self) -> Answer[Echo]:
        """Go on for ever."""
        return Answer(Parts(self._lines(None)))

    @route(Method.GET, WAITING, credentials=PUBLIC, limit=Limit.NONE)
    async def wait(self) -> Answer[Echo]:
        """Say something, and nothing more for ever."""
        return Answer(Parts(self._one_line()))

    async def _one_line(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"{}\n"
            await asyncio.Event().wait()
        finally:
            self.closed.set()

    async def _lines(self, count: int | None, *, fails: bool = False) -> AsyncGenerator[bytes, None]:
        try:
            while count is None or self.made < count:
                self.made += 1
                await asyncio.sleep(0)
                yield msgspec.json.encode(Echo(version=self.made)) + b"\n"
            if fails:
                raise RuntimeError("out of lines")
        finally:
            self.closed.set()


@pytest.fixture
def streams() -> Streams:
    """The operations."""
    return Streams()


@pytest.fixture
def door(ids: IdFactory, streams: Streams) -> Door:
    """An app over them."""
    return Door(ids, owners=[streams])


@pytest.mark.parametrize(
    ("path", "content_type", "file_name"),
    [
        (LINES, "application/x-ndjson", "lines-1.ndjson"),
        ("/v1/rows", "text/csv; charset=utf-8", None),
        ("/v1/one", "application/json", None),
    ],
)
async def test_an_answer_says_what_it_is(door: Door, path: str, content_type: str, file_name: str | None) -> None:
    answer = await door.call("GET", path, headers={})

    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == content_type
    saved_as = None if file_name is None else f'attachment; filename="{file_name}"'
    assert answer.headers.get("content-disposition") == saved_as
    assert "content-length" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b'{"said":null,"version":1}\n')


async def test_head_has_the_headers_and_nothing_is_made_for_it(door: Door, streams: Streams) -> None:
    answer = await door.call("HEAD", LINES, headers={})

    assert (answer.status_code, answer.content, streams.made) == (200, b"", 0)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "content-disposition" in answer.headers


async def test_an_error_on_the_way_breaks_the_answer_off(door: Door, streams: Streams) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="out of lines"):
        await door.app(_scope("/v1/broken"), _never, send)

    assert [message.get("more_body") for message in sent] == [None, True, True, True]
    assert streams.closed.is_set()
    assert door.log_lines[0]["event"] == "answer_interrupted"


async def test_nothing_more_is_made_for_a_client_that_went_away(door: Door, streams: Streams) -> None:
    sent: list[Any] = []
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 5:
            gone.set()

    await door.app(_scope(ENDLESS), receive, send)

    assert streams.closed.is_set()
    assert streams.made < 10
    assert sent[-1]["more_body"]
    assert door.log_lines[-1]["status"] == 499


async def test_a_client_that_goes_away_while_nothing_comes_is_not_waited_for(door: Door, streams: Streams) -> None:
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message.get("body"):
            gone.set()

    async with asyncio.timeout(20):
        await door.app(_scope(WAITING), receive, send)

    assert streams.closed.is_set()
    assert door.log_lines[-1]["status"] == 499


@pytest.mark.parametrize(("path", "is_whole"), [(LINES, True), ("/v1/broken", False)])
async def test_on_a_socket_what_breaks_off_lacks_the_last_chunk(door: Door, path: str, *, is_whole: bool) -> None:
    async with _served(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
        answer = await reader.read()
        writer.close()

    assert b"transfer-encoding: chunked\r\n" in answer
    assert b'{"said":null,"version":2}' in answer
    assert answer.endswith(b"\r\n0\r\n\r\n") is is_whole


async def test_on_a_socket_nothing_is_made_for_nobody(door: Door, streams: Streams) -> None:
    async with _served(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % ENDLESS.encode())
        await reader.readuntil(b"version")
        writer.transport.abort()
        async with asyncio.timeout(20):
            await streams.closed.wait()


@asynccontextmanager
async def _served(door: Door) -> AsyncGenerator[int, None]:
    """Serve the app on a free loopback port."""
    server = uvicorn.Server(uvicorn.Config(door.app, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def test_the_document_says_what_each_line_is(door: Door) -> None:
    document = (await door.call("GET", "/openapi.json", headers={})).json()

    lines = document["paths"][LINES]["get"]["responses"]["200"]
    assert lines["content"] == {
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "x-line-schema": {"$ref": "#/components/schemas/Echo"},
        },
        "text/csv": {"schema": {"type": "string"}},
    }
    assert "ETag" not in lines["headers"]
    assert "ETag" in document["paths"]["/v1/one"]["get"]["responses"]["200"]["headers"]
    page = (await door.call("GET", "/docs", headers={})).text
    assert "Answer 200, each line" in page


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 1234),
    }


async def _never() -> Any:
    await asyncio.Event().wait()
