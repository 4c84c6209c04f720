"""The door behind its real server: what only shows on a socket."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.support import ServerProcess, serve_environment, server_process

HOST: Final = b"Host: localhost\r\n"
KNOCK: Final = b"Authorization: Bearer nonsense\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A production server of its own, on the embedded store."""
    directory: Path = tmp_path_factory.mktemp("sockets")
    with server_process(directory, serve_environment(directory / "data")) as running:
        yield running


async def exchange(server: ServerProcess, *requests: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Send bytes over one connection and return each answer: status, headers, body. Ends where the server ends it."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    answers: list[tuple[int, dict[str, str], bytes]] = []
    try:
        for request in requests:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(20):
                answers.append(await _answer(reader, is_head=request.startswith(b"HEAD")))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the server ended the connection
    finally:
        writer.close()
    return answers


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    length = 0 if is_head else int(headers.get("content-length", "0"))
    return int(head[0].split(" ")[1]), headers, await reader.readexactly(length)


def code_of(body: bytes) -> str:
    error: dict[str, Any] = json.loads(body)["error"]
    return str(error["code"])


async def test_head_leaves_the_connection_usable(server: ServerProcess) -> None:
    head, get = await exchange(
        server, b"HEAD /docs HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    )
    assert head[0] == get[0] == 200
    assert int(head[1]["content-length"]) > 1000
    assert get[2] == b'{"status":"ok"}'
    assert "answer_interrupted" not in server.printed()


async def test_the_machine_itself_reads_the_figures_and_a_proxy_on_it_does_not(server: ServerProcess) -> None:
    direct, forwarded = await exchange(
        server,
        b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /metrics HTTP/1.1\r\n" + HOST + b"X-Forwarded-For: 203.0.113.9\r\n\r\n",
    )
    assert direct[0] == 200
    assert b'\nhellojohn_http_requests_total{method="GET",route="/health",status="200"} ' in direct[2]
    assert b"\nhellojohn_password_hashing_jobs 0.0\n" in direct[2]
    assert b"\nprocess_resident_memory_bytes " in direct[2]
    assert forwarded[0] == 401
    assert code_of(forwarded[2]) == "missing_token"


async def test_a_huge_body_from_a_stranger_is_not_waited_for(server: ServerProcess) -> None:
    [answer] = await exchange(
        server, b"POST /v1/users HTTP/1.1\r\n" + HOST + KNOCK + b"Content-Length: 10000000\r\n\r\n" + b"x" * 1000
    )
    assert answer[0] == 401
    assert code_of(answer[2]) == "invalid_token"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nBroken\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_not_http_is_refused(server: ServerProcess, request_bytes: bytes) -> None:
    answers = await exchange(server, request_bytes)
    assert all(400 <= status < 500 for status, _, _ in answers)


@pytest.mark.parametrize("path", [b"/%ff%00", b"/v1/users/%00", b"/v1%2fusers", b"/v1//users", b"/\xff", b"*"])
async def test_odd_paths_find_nothing(server: ServerProcess, path: bytes) -> None:
    answers = await exchange(server, b"GET " + path + b" HTTP/1.1\r\n" + HOST + KNOCK + b"\r\n")
    assert all(status in {400, 401, 404} for status, _, _ in answers)


async def test_a_client_that_leaves_early_leaves_no_error_behind(server: ServerProcess) -> None:
    parts = urlsplit(server.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"POST /v1/users HTTP/1.1\r\n" + HOST + KNOCK + b'Content-Length: 100\r\n\r\n{"em')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    [answer] = await exchange(server, b"GET /ready HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer[0] == 200
    assert [line for line in server.lines() if line["level"] not in {"info", "warning"}] == []
