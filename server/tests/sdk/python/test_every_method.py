"""Every method of both clients sends its operation, and makes what it answers readable."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hellojohn import AsyncHelloJohn, HelloJohn
from hellojohn.pages import AsyncPages, Page
from hellojohn.streams import AsyncStream, Stream
from tests.sdk.python.calls import arguments_of, credentials_of, method_of
from tests.sdk.typescript.recorder import Site
from tests.walk.account_acts import EVERY_ACT
from tests.walk.world import World, another_tenant
from tools.sdk.model import AnswerKind, Operation
from tools.sdk.reading import read_model

OPERATIONS: Final = {one.id: one for one in read_model(Path(__file__).resolve().parents[4] / "sdk").operations()}


def run(result: Any) -> Any:
    """Return what a call of the one client came to: of what is read on the way, everything."""
    return list(result) if isinstance(result, Iterable) else result


async def run_async(result: Any) -> Any:
    """Return what a call of the other client came to."""
    if isinstance(result, AsyncIterable):
        return [each async for each in result]
    return await result if isinstance(result, Awaitable) else result


async def call(site: Site, operation: Operation, world: World, *, is_async: bool) -> Any:
    request = await EVERY_ACT[operation.id](world)
    arguments, credentials = arguments_of(operation, request), credentials_of(world, request)
    site.recorder.seen.clear()
    if is_async:
        async with AsyncHelloJohn(base_url=site.url, max_retries=0, **credentials) as hj:
            return await run_async(method_of(hj, operation)(*arguments.positional, **arguments.named))

    def in_thread() -> Any:
        with HelloJohn(base_url=site.url, max_retries=0, **credentials) as hj:
            return run(method_of(hj, operation)(*arguments.positional, **arguments.named))

    return await asyncio.to_thread(in_thread)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_a_method_sends_its_operation(site: Site, name: str) -> None:
    operation = OPERATIONS[name]
    answers: list[Any] = []
    for is_async, world in ((False, site.world), (True, await another_tenant(site.world))):
        await world.mails()  # a link is looked for in the last one
        answers.append(await call(site, operation, world, is_async=is_async))
        assert [seen.is_of(operation) for seen in site.recorder.seen] == [True] * len(site.recorder.seen)
        assert site.recorder.seen
        assert {seen.status for seen in site.recorder.seen} <= {200, 201, 202, 204}
    assert type(answers[0]) is type(answers[1])
    match operation.answer.kind:
        case AnswerKind.NOTHING:
            assert answers == [None, None]
        case AnswerKind.JSON:
            assert isinstance(answers[0], msgspec.Struct)
        case AnswerKind.PAGE | AnswerKind.STREAM:
            assert isinstance(answers[0], list)


def test_lists_and_streams_are_of_their_own_types() -> None:
    with HelloJohn(secret_key="sk_test_x", base_url="http://127.0.0.1:1") as hj:
        methods = {name: method_of(hj, operation) for name, operation in OPERATIONS.items()}
    lazy = {AnswerKind.PAGE: (Page, AsyncPages), AnswerKind.STREAM: (Stream, AsyncStream)}
    for name, operation in OPERATIONS.items():
        returned = methods[name].__annotations__["return"]
        for kind, (sync, _) in lazy.items():
            assert returned.startswith(f"{sync.__name__}[") == (operation.answer.kind is kind), name
