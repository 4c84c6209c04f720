"""Whatever is sent, the door answers with a clear refusal or does what was asked: it never fails."""

import asyncio
import io
import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hellojohn_server.http.json_text import MAX_DEPTH, has_duplicate_keys, is_plain, is_too_deep, parse
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.errors import MalformedJson
from hellojohn_server.kit.ids import IdFactory
from tests.http.things import ADMIN, Door, ThingBody, code_in

REFUSALS: Final = {400, 404, 405, 413, 415, 422}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)
near_bodies = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | good
        for name, good in {
            "name": st.text(min_size=1, max_size=20),
            "count": st.integers(0, 1000),
            "ratio": st.floats(0, 0.9),
            "flag": st.booleans(),
            "note": st.none() | st.text(),
            "color": st.sampled_from(["green", "red"]),
            "mode": st.sampled_from(["fast", "slow"]),
            "code": st.just("ab"),
            "made_at": st.just("2024-01-20T11:00:00Z"),
            "tags": st.lists(st.text(min_size=1), max_size=3),
            "parts": st.lists(st.just({"size": 3})),
            "main_part": st.just({"size": 3, "label": "x"}),
            "metadata": st.dictionaries(st.text(), json_values, max_size=3),
        }.items()
    },
)


@cache
def the_door() -> Door:
    return Door(IdFactory(SystemClock()))


def knock(send: Callable[[Door], Any]) -> tuple[Any, Door]:
    """Send one request and return the answer and the door, which remembers nothing else."""
    door = the_door()
    door.forget()
    return asyncio.run(send(door)), door


def check(response: Any, door: Door) -> None:
    """Check that an answer is a success that reached the handler, or a clear refusal that did not."""
    if response.status_code in REFUSALS:
        code_in(response)
        assert door.things.contexts == []
    else:
        assert response.status_code in {200, 201, 204}, response.text
        assert len(door.things.contexts) == 1
    json.loads(response.content or b"null")
    assert all(line["level"] == "info" for line in door.log_lines)


@given(body=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes_as_a_body(body: bytes) -> None:
    check(*knock(lambda door: door.post(body)))


@given(body=near_bodies | json_values)
@settings(max_examples=300, deadline=None)
def test_any_json_as_a_body(body: Any) -> None:
    sent = json.dumps(body).encode()
    response, door = knock(lambda door: door.post(sent))
    check(response, door)
    if response.status_code == 201:
        kept = msgspec.to_builtins(msgspec.json.decode(sent, type=ThingBody))
        assert response.json()["said"] == kept


@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_query(query: str) -> None:
    check(*knock(lambda door: door.call("GET", "/v1/things?" + query.replace("#", ""))))


@given(path=st.binary(max_size=40), method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"]))
@settings(max_examples=150, deadline=None)
def test_any_path(path: bytes, method: str) -> None:
    async def send(door: Door) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def take(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": method,
            "path": path.decode(errors="replace"),
            "raw_path": path,
            "query_string": b"",
            "headers": [(b"authorization", ADMIN["authorization"].encode())],
            "client": None,
        }
        await door.app(scope, receive, take)
        return sent

    sent, _ = knock(send)
    assert sent[0]["status"] in REFUSALS | {200, 204}


@given(
    names=st.lists(
        st.sampled_from([b"authorization", b"content-type", b"content-length", b"host", b"if-match", b"idempotency-key",
                         b"x-acting-admin", b"x-tenant-id", b"x-request-id", b"x-forwarded-for", b"user-agent"]),
        max_size=5,
    ),
    values=st.lists(st.binary(max_size=30), min_size=5, max_size=5),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_headers(names: list[bytes], values: list[bytes]) -> None:
    async def send(door: Door) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b'{"reason":"r"}', "more_body": False}

        async def take(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": "PATCH",
            "path": "/v1/things/a",
            "query_string": b"",
            "headers": [(b"authorization", ADMIN["authorization"].encode()), *zip(names, values, strict=False)],
            "client": ("10.0.0.1", 1),
        }
        await door.app(scope, receive, take)
        return sent

    sent, door = knock(send)
    forgotten = sent[0]["status"] == 500 and "UnusedIdempotencyKey" in door.log_text
    assert forgotten or sent[0]["status"] in REFUSALS | {200, 401, 403}, sent


@given(value=json_values)
@settings(max_examples=300, deadline=None)
def test_depth_and_duplicates_are_judged_exactly(value: Any) -> None:
    text = json.dumps(value)
    body = text.encode()
    assert is_too_deep(body) == (depth_of(value) > MAX_DEPTH)
    if is_plain(body):
        assert not has_duplicate_keys(body, text)
    wrapped = b"[" * 28 + body + b"]" * 28
    assert is_too_deep(wrapped) == (depth_of(value) + 28 > MAX_DEPTH)


def depth_of(value: Any) -> int:
    """Return how deep objects and lists are nested in a value."""
    if isinstance(value, dict):
        return 1 + max((depth_of(member) for member in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(member) for member in value), default=0)
    return 0


@given(body=st.text(st.sampled_from('[]{}",:\\ 10aeu\n'), max_size=80))
@settings(max_examples=500, deadline=None)
def test_our_parser_takes_exactly_what_msgspec_takes(body: str) -> None:
    try:
        msgspec.json.decode(body)
        is_json = True
    except (msgspec.DecodeError, RecursionError):
        is_json = False
    try:
        parse(body)
        is_parsed = True
    except MalformedJson:
        is_parsed = False
    assert is_parsed == is_json, io.StringIO(body).getvalue()
