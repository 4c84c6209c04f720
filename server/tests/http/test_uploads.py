"""Bodies that are read while they come in: what they say of themselves, and how they end."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest

from hellojohn_server.http import uploads
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.errors import InvalidToken
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.principal import Context, Principal
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Answer, Content, Method, Replay, Upload, route
from hellojohn_server.kit.scopes import Scope
from tests.http.things import ADMIN, Door, Echo, WrittenAuthenticator, code_in

PATH: Final = "/v1/files"
CSV: Final = {**ADMIN, "content-type": "text/csv"}


class Files:
    """An operation that takes a file, and what came of it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.ended_by: BaseException | None = None

    @route(
        Method.POST,
        PATH,
        scope=Scope.USERS_WRITE,
        replay=Replay.REFUSED,
        uploads=(Content.CSV, Content.NDJSON),
    )
    async def take_file(self, context: Context, upload: Upload) -> Answer[Echo]:
        """Take a file."""
        try:
            async for part in upload.parts:
                self.parts.append(part)
        except BaseException as error:
            self.ended_by = error
            raise
        return Answer(Echo(said=[upload.content, b"".join(self.parts).decode(), context.principal.id]))


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def door(ids: IdFactory, files: Files) -> Door:
    return Door(
        ids, HttpSettings(max_body_bytes=8, max_upload_bytes=20, request_seconds=0.2, body_seconds=5.0), [files]
    )


async def _pieces(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("written", "content"),
    [
        ("text/csv", "text/csv"),
        ('Text/CSV; charset="UTF-8"', "text/csv"),
        ("application/x-ndjson;charset=utf-8", "application/x-ndjson"),
    ],
)
async def test_a_file_comes_in_parts_and_may_be_larger_than_a_body(
    door: Door, files: Files, written: str, content: str
) -> None:
    answer = await door.call(
        "POST", PATH, headers={**ADMIN, "content-type": written}, content=_pieces(b"a,b\n", b"c,d\n")
    )
    assert (answer.status_code, answer.json()["said"]) == (200, [content, "a,b\nc,d\n", "key_1"])
    assert files.parts == [b"a,b\n", b"c,d\n"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "text/csv; charset=latin-1"},
        {"content-type": "text/csv", "content-encoding": "gzip"},
        [("content-type", "text/csv"), ("content-type", "text/csv")],
    ],
)
async def test_another_type_is_refused_unread(door: Door, files: Files, headers: Any) -> None:
    given = [*ADMIN.items(), *(headers.items() if isinstance(headers, dict) else headers)]
    answer = await door.call("POST", PATH, headers=given, content=b"a")
    assert (answer.status_code, code_in(answer)) == (415, "unsupported_media_type")
    assert files.parts == []


async def test_a_file_is_refused_as_soon_as_it_is_known_to_be_too_large(door: Door, files: Files) -> None:
    said = await door.call("POST", PATH, headers=CSV, content=b"x" * 21)
    assert (said.status_code, code_in(said), files.parts) == (413, "payload_too_large", [])
    found = await door.call("POST", PATH, headers=CSV, content=_pieces(b"x" * 20, b"x", b"x"))
    assert (found.status_code, code_in(found), files.parts) == (413, "payload_too_large", [b"x" * 20])


async def test_it_takes_no_idempotency_key(door: Door, files: Files) -> None:
    answer = await door.call("POST", PATH, headers={**CSV, "idempotency-key": "a"}, content=b"a")
    assert (answer.status_code, code_in(answer), files.parts) == (422, "idempotency_not_supported", [])


async def test_it_takes_any_time_as_long_as_parts_come(door: Door) -> None:
    async def slowly() -> AsyncGenerator[bytes, None]:
        for _ in range(4):
            await asyncio.sleep(0.15)
            yield b"x"

    answer = await door.call("POST", PATH, headers=CSV, content=slowly())
    assert (answer.status_code, answer.json()["said"][1]) == (200, "xxxx")


async def test_parts_that_stop_coming_end_it(ids: IdFactory, files: Files) -> None:
    door = Door(ids, HttpSettings(body_seconds=0.05), [files])

    async def stuck() -> AsyncGenerator[bytes, None]:
        yield b"x"
        await asyncio.sleep(60)

    answer = await door.call("POST", PATH, headers=CSV, content=stuck())
    assert (answer.status_code, code_in(answer), files.parts) == (408, "request_timeout", [b"x"])


async def test_an_empty_one_is_refused_before_anything_begins(door: Door, files: Files) -> None:
    answer = await door.call("POST", PATH, headers=CSV, content=b"")
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"], files.parts) == (422, "body", [])


async def test_a_client_that_goes_away_ends_it(door: Door, files: Files) -> None:
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**CSV, "transfer-encoding": "chunked"}
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("192.0.2.1", 1),
    }  # fmt: skip
    await door.app(scope, receive, send)
    assert (files.parts, sent) == ([b"x"], [])
    assert type(files.ended_by).__name__ == "ClientDisconnected"
    assert door.log_lines[-1]["status"] == 499


async def test_a_credential_that_ends_meanwhile_ends_it(
    door: Door, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_ADMITTED_SECONDS", 0.0)
    judged = 0
    authenticate = WrittenAuthenticator.authenticate

    async def ending(self: WrittenAuthenticator, credential: str) -> Principal:
        nonlocal judged
        judged += 1
        if judged == 3:
            raise InvalidToken
        return await authenticate(self, credential)

    monkeypatch.setattr(WrittenAuthenticator, "authenticate", ending)
    answer = await door.call("POST", PATH, headers=CSV, content=_pieces(b"a", b"b", b"c"))
    assert (answer.status_code, files.parts) == (401, [b"a"])


async def test_the_document_says_what_it_takes(door: Door) -> None:
    operation = (await door.call("GET", "/openapi.json")).json()["paths"][PATH]["post"]
    assert operation["requestBody"] == {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}},
    }
    assert {"408", "413", "415"} <= operation["responses"].keys()
    page = (await door.call("GET", "/docs")).text
    assert "--data-binary @file" in page


def test_what_is_no_upload_is_refused_at_the_start(ids: IdFactory) -> None:
    with pytest.raises(ValueError, match="retry"):
        route(Method.POST, "/v1/x", scope=Scope.USERS_WRITE, uploads=(Content.CSV,))

    class Wrong:
        @route(Method.POST, "/v1/x", scope=Scope.USERS_WRITE, replay=Replay.REFUSED)
        async def take(self, upload: Upload) -> Answer[Echo]:
            """Take."""
            return Answer(Echo(said=upload.content))

    class Public:
        @route(
            Method.POST, "/v1/x", credentials=PUBLIC, limit=Limit.NONE, replay=Replay.REFUSED, uploads=(Content.CSV,)
        )
        async def take(self, upload: Upload) -> Answer[Echo]:
            """Take."""
            return Answer(Echo(said=upload.content))

    for owner in (Wrong(), Public()):
        with pytest.raises(TypeError, match="upload"):
            Door(ids, HttpSettings(), [owner])
