"""What cannot be done is said in one line: the code, what to do, the request's id. The exit code says its class."""

import asyncio
import socket

import pytest

from hellojohn_server.cli.exits import ExitCode
from tests.cli.remote.conftest import Person
from tests.sdk.typescript.recorder import Site


@pytest.fixture
def known(site: Site, person: Person) -> Person:
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY=site.world.secret_key)
    return person


NOBODY = "usr_01HZX3Y5N8Q7W2K4M6P9R1T3VA"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["users", "get", NOBODY], ExitCode.NOT_FOUND, "user_not_found: "),
        (["users", "disable", "nobody@example.com", "--yes"], ExitCode.NOT_FOUND, "Nobody has the address nobody@"),
        (["users", "create", "a@example.com"], ExitCode.CONFLICT, "email_already_exists: "),
        (["users", "create", "nonsense"], ExitCode.INVALID, "validation_failed: email: Must be an e-mail address"),
        (["users", "list", "--created-after", "soon"], ExitCode.INVALID, "created_after: "),
        (["users", "update", "a@example.com", "--if-match", "9", "--name", "B"], ExitCode.CONFLICT, "version_mismatch"),
        (["users", "update", "a@example.com", "--clear", "email"], ExitCode.USAGE, "email cannot be set to nothing"),
        (["users", "create", "b@example.com", "--public-metadata", "{"], ExitCode.USAGE, "--public-metadata: not JSON"),
        (["users", "set-password", "a@example.com", "--yes"], ExitCode.USAGE, "expected on a line of standard input"),
        (["users", "list", "--status", "asleep"], ExitCode.USAGE, "--status"),
        (["users", "vanish"], ExitCode.USAGE, "No such command"),
        (["config", "set", "lockout=5", "--yes"], ExitCode.USAGE, "say it as section.name=value"),
        (["tenants", "list"], ExitCode.UNAUTHENTICATED, "There is no master key: hj login"),
        (["auth", "me"], ExitCode.UNAUTHENTICATED, "hj auth sign-in --save"),
        (["keys", "create", "--name", "x", "--type", "master"], ExitCode.USAGE, "A master key is made on the host"),
        (["keys", "revoke", "key_x", "--master"], ExitCode.USAGE, "leave out --tenant and --master"),
        (["users", "export", "--with-password-hashes"], ExitCode.USAGE, "go with a store"),
    ],
)
async def test_it_is_told_in_one_line(
    site: Site, known: Person, arguments: list[str], code: ExitCode, says: str
) -> None:
    await site.world.make("/v1/users", {"email": "a@example.com"})
    ended = await known.types(arguments)
    assert (ended.code, ended.out) == (code, ""), ended.err
    assert says in ended.err
    if ended.err.startswith("Error: ") and "(request" in ended.err:
        assert ended.err.count("\n") == 1
        assert "(request req_" in ended.err


async def test_a_key_that_may_not(site: Site, person: Person) -> None:
    made = await site.world.make("/v1/api-keys", {"name": "reader", "scopes": ["users:read"]})
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY=made["key"])
    ended = await person.types(["audit", "list"])
    assert (ended.code, "insufficient_scope" in ended.err, "audit:read" in ended.err) == (
        ExitCode.FORBIDDEN,
        True,
        True,
    )
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY="sk_live_wrong")
    ended = await person.types(["users", "list"])
    assert (ended.code, "hj login" in ended.err) == (ExitCode.UNAUTHENTICATED, True)
    assert "sk_live_wrong" not in ended.err


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (429, b'{"error": {"code": "rate_limited", "message": "Too many."}}', ExitCode.RATE_LIMITED, "Too many."),
        (500, b'{"error": {"code": "internal_error", "message": "Oh."}}', ExitCode.SERVER, "internal_error: Oh."),
        (502, b"<html>", ExitCode.SERVER, "unknown: "),
        (200, b"<html>", ExitCode.SERVER, "is no HelloJohn server"),
    ],
)
async def test_a_server_that_fails(person: Person, status: int, body: bytes, code: ExitCode, says: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nretry-after: 0\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        person.has(HELLOJOHN_API_URL=f"http://127.0.0.1:{port}", HELLOJOHN_SECRET_KEY="sk_live_x")
        ended = await person.types(["users", "get", NOBODY])
    assert (ended.code, says in ended.err, ended.out) == (code, True, ""), ended.err


async def test_no_server_at_all(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    person.has(HELLOJOHN_API_URL=f"http://127.0.0.1:{port}", HELLOJOHN_SECRET_KEY="sk_live_x")
    ended = await person.types(["users", "list"])
    assert (ended.code, f"Is a server running at http://127.0.0.1:{port}?" in ended.err) == (ExitCode.UNREACHABLE, True)
    person.has(HELLOJOHN_API_URL="localhost:3000", HELLOJOHN_SECRET_KEY="sk_live_x")
    assert (await person.types(["users", "list"])).code == ExitCode.USAGE
