"""What the clients make of a server that misbehaves."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, TypeAlias

import msgspec
import pytest

from hellojohn import (
    ApiConnectionError,
    ApiError,
    ApiTimeoutError,
    AsyncHelloJohn,
    ConflictError,
    HelloJohn,
    RateLimitError,
    ServerError,
    ServiceUnavailableError,
    UnexpectedAnswer,
    UnprocessableEntityError,
    errors,
)
from hellojohn._calls import Prepared, Repeat
from hellojohn._retries import retry_after_of, seconds_before_retry
from hellojohn.types import AccessStopped
from tests.sdk.python.misbehaving import (
    Misbehaving,
    answer,
    break_off,
    drip,
    error,
    misbehaving_server,
    reset,
    silence,
)

STOPPED: Final = b'{"sessions_revoked": 1, "residual_seconds": 60, "from_a_later_version": {"x": [1]}}'
NOW: Final = {"Retry_After": "0"}

Ask: TypeAlias = Callable[..., Awaitable[Any]]


@pytest.fixture
async def server() -> AsyncIterator[Misbehaving]:
    async with misbehaving_server() as running:
        yield running


@pytest.fixture(params=["threads", "event loop"])
def ask(request: pytest.FixtureRequest, server: Misbehaving) -> Ask:
    """Calls a method of a client: `ask("sessions.revoke_all", "usr_1", timeout=1)`."""
    keys = {"secret_key": "sk_test_x", "publishable_key": "pk_test_x", "base_url": server.url}

    def in_thread(path: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with HelloJohn(**keys) as hj:
            return _find(hj, path)(*positional, **named)

    async def asked(path: str, *positional: Any, **named: Any) -> Any:
        if request.param == "threads":
            return await asyncio.to_thread(in_thread, path, positional, named)
        async with AsyncHelloJohn(**keys) as hj:
            return await _find(hj, path)(*positional, **named)

    return asked


def _find(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


async def test_what_is_temporary_is_sent_again_with_the_same_key(ask: Ask, server: Misbehaving) -> None:
    server.will(error(500, "internal_error"), error(500, "internal_error"), answer(200, STOPPED))
    assert await ask("sessions.revoke_all", "usr_1") == AccessStopped(sessions_revoked=1, residual_seconds=60)
    assert [one.method for one in server.asked] == ["DELETE"] * 3
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    server.will(answer(200, STOPPED))
    first = server.keys
    await ask("sessions.revoke_all", "usr_1")
    assert server.keys != first


async def test_a_key_of_ones_own_is_sent(ask: Ask, server: Misbehaving) -> None:
    server.will(error(503, "store_busy", **NOW), answer(200, STOPPED))
    await ask("sessions.revoke_all", "usr_1", idempotency_key="mine")
    assert server.keys == ["mine", "mine"]


@pytest.mark.parametrize("failure", [error(429, "rate_limited", **NOW), error(503, **NOW), error(408, **NOW), reset()])
async def test_it_is_sent_again_after(ask: Ask, server: Misbehaving, failure: Any) -> None:
    server.will(failure, answer(200, STOPPED))
    assert (await ask("sessions.revoke_all", "usr_1")).sessions_revoked == 1
    assert len(server.asked) == 2


async def test_a_date_is_waited_for_too(ask: Ask, server: Misbehaving) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.will(error(503, Retry_After=soon), answer(200, STOPPED))
    await ask("sessions.revoke_all", "usr_1")
    assert len(server.asked) == 2


async def test_what_asks_for_more_than_a_minute_is_left_to_the_caller(ask: Ask, server: Misbehaving) -> None:
    server.will(error(429, "rate_limited", Retry_After="61"))
    with pytest.raises(RateLimitError) as refused:
        await ask("users.get", "usr_1")
    assert (refused.value.retry_after, len(server.asked)) == (61, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422])
async def test_a_refusal_is_not_sent_again(ask: Ask, server: Misbehaving, status: int) -> None:
    server.will(error(status, "some_code"))
    with pytest.raises(ApiError) as refused:
        await ask("sessions.revoke_all", "usr_1")
    assert type(refused.value) is errors._BY_STATUS[status]
    assert (refused.value.status, refused.value.code, refused.value.request_id) == (status, "some_code", "req_1")
    assert len(server.asked) == 1


async def test_the_last_failure_is_raised(ask: Ask, server: Misbehaving) -> None:
    server.will(*[error(503, **NOW)] * 3)
    with pytest.raises(ServiceUnavailableError, match=r"No\. \(503 server_busy, request req_1\)"):
        await ask("users.get", "usr_1")
    server.will(error(503, **NOW))
    with pytest.raises(ServiceUnavailableError):
        await ask("users.get", "usr_1", max_retries=0)
    server.will(error(503, "mail_not_configured", **NOW))
    with pytest.raises(ServiceUnavailableError):
        await ask("users.get", "usr_1")


async def test_what_may_have_been_done_is_not_done_twice_without_a_key(ask: Ask, server: Misbehaving) -> None:
    sign_in = {"email": "a@example.com", "password": "a long one"}
    for failure, kind in (
        (reset(), ApiConnectionError),
        (error(500, "internal_error"), ServerError),
        (error(503, "deadline_exceeded", **NOW), ServiceUnavailableError),
    ):
        server.will(failure)
        with pytest.raises(kind):
            await ask("auth.sign_in", **sign_in)
        assert server.keys == [None]
    server.will(error(503, **NOW), error(429, "rate_limited", **NOW), error(401, "invalid_credentials"))
    with pytest.raises(errors.AuthenticationError):
        await ask("auth.sign_in", **sign_in)
    assert len(server.asked) == 3


async def test_nobody_there(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with (
        pytest.raises(ApiConnectionError) as failed,
        HelloJohn(secret_key="sk_test_x", base_url=f"http://127.0.0.1:{port}", max_retries=1) as hj,
    ):
        hj.users.get("usr_1")
    assert not failed.value.was_sent


@pytest.mark.parametrize("reply", [silence(), drip(STOPPED + b" " * 1000)])
async def test_what_takes_too_long_is_given_up(ask: Ask, server: Misbehaving, reply: Any) -> None:
    server.will(reply)
    with pytest.raises(ApiTimeoutError):
        await ask("users.get", "usr_1", timeout=0.3, max_retries=0)
    server.will(reply, answer(200, STOPPED))
    assert (await ask("sessions.revoke_all", "usr_1", timeout=0.3)).sessions_revoked == 1
    assert len(set(server.keys)) == 1


async def test_an_answer_that_breaks_off_is_asked_for_again(ask: Ask, server: Misbehaving) -> None:
    server.will(break_off(STOPPED), answer(200, STOPPED))
    assert (await ask("sessions.revoke_all", "usr_1")).sessions_revoked == 1
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"{", b"<html>", b"[]", b'{"sessions_revoked": "many", "residual_seconds": 1}'])
async def test_an_answer_that_is_none_is_said_to_be(ask: Ask, server: Misbehaving, body: bytes) -> None:
    server.will(answer(200, body, {"X-Request-ID": "req_2"}))
    with pytest.raises(UnexpectedAnswer) as failed:
        await ask("sessions.revoke_all", "usr_1")
    assert (failed.value.status, failed.value.request_id, failed.value.body) == (200, "req_2", body)


async def test_an_error_that_is_not_the_apis(ask: Ask, server: Misbehaving) -> None:
    server.will(answer(502, b"<html>Bad gateway</html>"))
    with pytest.raises(ServerError) as failed:
        await ask("users.get", "usr_1", max_retries=0)
    assert (failed.value.code, failed.value.body) == ("unknown", "<html>Bad gateway</html>")
    server.will(answer(302, b"", {"Location": "https://elsewhere.example/"}))
    with pytest.raises(ApiError) as sent_away:
        await ask("users.get", "usr_1")
    assert (sent_away.value.status, len(server.asked)) == (302, 1)


async def test_bad_fields_are_listed(ask: Ask, server: Misbehaving) -> None:
    details = [{"field": "email", "code": "invalid", "message": "No address."}]
    told = {"code": "validation_failed", "message": "Wrong.", "status": 422, "request_id": "req_3", "details": details}
    server.will(answer(422, msgspec.json.encode({"error": told})))
    with pytest.raises(UnprocessableEntityError, match="email: No address") as failed:
        await ask("users.create", email="x")
    assert [(each.field, each.code) for each in failed.value.details] == [("email", "invalid")]


async def test_what_is_null_is_sent_and_what_is_left_out_is_not(ask: Ask, server: Misbehaving) -> None:
    server.will(*[error(409, "some_code")] * 3)
    for given in ({"name": None}, {"role": "admin"}, {}):
        with pytest.raises(ConflictError):
            await ask("users.update", "usr_1", **given)
    assert [one.body for one in server.asked] == [b'{"name":null}', b'{"role":"admin"}', b""]


async def test_options_of_a_call_become_headers(ask: Ask, server: Misbehaving) -> None:
    server.will(error(412, "version_mismatch"))
    with pytest.raises(errors.PreconditionFailedError):
        await ask("users.update", "a/../b", disabled=True, if_match=3, acting_admin="jane", idempotency_key="k")
    asked = server.asked[0]
    assert asked.path == "/v1/users/a%2F..%2Fb"
    assert asked.headers["if-match"] == '"3"'
    assert asked.headers["x-acting-admin"] == "jane"
    assert asked.headers["authorization"] == "Bearer sk_test_x"
    assert asked.headers["user-agent"].startswith("hellojohn-python/")


@pytest.mark.parametrize("wrong", ["", ".", ".."])
async def test_what_is_no_id_is_not_sent(ask: Ask, server: Misbehaving, wrong: str) -> None:
    server.will()
    with pytest.raises(ValueError, match="is no id"):
        await ask("sessions.revoke", wrong)
    assert server.asked == []


async def test_a_slip_in_an_argument_is_not_sent(ask: Ask, server: Misbehaving) -> None:
    server.will()
    for path, named in (("users.get", {"if_match": 1}), ("auth.sign_in", {"idempotency_key": "k"})):
        given = {"email": "a@example.com", "password": "x"} if path == "auth.sign_in" else {}
        with pytest.raises(TypeError, match="takes no"):
            await ask(path, *([] if given else ["usr_1"]), **given, **named)
    with pytest.raises(TypeError, match="email cannot be None: leave it out"):
        await ask("users.list", email=None)
    assert server.asked == []


def test_the_waits_grow_and_are_spread() -> None:
    prepared = Prepared(method="GET", url="", headers={}, content=None, timeout=1, max_retries=9, repeat=Repeat.ALWAYS)
    failure = ApiConnectionError("", was_sent=True)
    for attempt, longest in ((0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (8, 8.0)):
        waits = {seconds_before_retry(failure, prepared, attempt) or 0 for _ in range(50)}
        assert longest * 0.75 <= min(waits) < max(waits) <= longest
    assert seconds_before_retry(failure, prepared, 9) is None
    assert [retry_after_of(value) for value in (None, "3", "soon")] == [None, 3, None]
