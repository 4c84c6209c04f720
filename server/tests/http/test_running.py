"""Requests that take too long, and more at once than the server takes."""

import asyncio

import httpx
import pytest

from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Answer, Method, route
from tests.http.things import Door, Echo, code_in


class WaitingRoutes:
    """An operation that waits for the test, and one that does not."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)
        self.ended = 0

    @route(Method.GET, "/wait", credentials=PUBLIC, limit=Limit.NONE)
    async def wait(self) -> Answer[Echo]:
        """Wait."""
        self.waiting.release()
        try:
            await self.may_go_on.wait()
        finally:
            self.ended += 1
        return Answer(Echo(said="done"))

    @route(Method.GET, "/health", credentials=PUBLIC, limit=Limit.NONE)
    async def live(self) -> Answer[Echo]:
        """Live."""
        return Answer(Echo())


@pytest.fixture
def waiting() -> WaitingRoutes:
    return WaitingRoutes()


async def test_a_request_that_takes_too_long_is_ended_and_says_so(ids: IdFactory, waiting: WaitingRoutes) -> None:
    door = Door(ids, HttpSettings(request_seconds=0.05), [waiting])
    answers = await asyncio.gather(*(door.call("GET", "/wait") for _ in range(5)))
    assert {(answer.status_code, code_in(answer)) for answer in answers} == {(503, "deadline_exceeded")}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert waiting.ended == 5
    waiting.may_go_on.set()
    assert (await door.call("GET", "/wait")).status_code == 200
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_from_elsewhere_stays_one(ids: IdFactory, waiting: WaitingRoutes) -> None:
    door = Door(ids, HttpSettings(request_seconds=60), [waiting])
    calling = asyncio.create_task(door.call("GET", "/wait"))
    await waiting.waiting.acquire()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert [line["status"] for line in door.log_lines] == [499]


async def test_more_at_once_than_the_server_takes_are_refused_and_it_still_says_that_it_lives(
    ids: IdFactory, waiting: WaitingRoutes
) -> None:
    door = Door(ids, HttpSettings(concurrent_requests=3), [waiting])
    running = [asyncio.create_task(door.call("GET", "/wait")) for _ in range(3)]
    for _ in running:
        await waiting.waiting.acquire()
    refused = await door.call("GET", "/wait")
    assert (refused.status_code, code_in(refused)) == (503, "server_busy")
    assert refused.headers["retry-after"] == "1"
    assert (await door.call("GET", "/health")).status_code == 200
    waiting.may_go_on.set()
    answers: list[httpx.Response] = await asyncio.gather(*running)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (await door.call("GET", "/wait")).status_code == 200


async def test_more_headers_than_any_client_needs_are_refused(door: Door) -> None:
    few = [(f"x-{number}", "1") for number in range(80)]
    many = [(f"x-{number}", "1") for number in range(101)]
    assert code_in(await door.call("GET", "/v1/things", headers=few)) == "missing_token"
    refused = await door.call("GET", "/v1/things", headers=many)
    assert (refused.status_code, code_in(refused)) == (431, "too_many_headers")
