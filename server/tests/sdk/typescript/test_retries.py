"""What the client makes of a server that misbehaves: what it sends again, what it does not, and what it says of it."""

from typing import Any, Final

import pytest

from tests.sdk.typescript.bad_server import HANG, RESET, Taken, answer, bad_server, raw, refusal
from tests.sdk.typescript.drivers import driving
from tests.sdk.typescript.packages import Application

USER: Final = {"id": "usr_1", "email": "alice@example.com"}
PAGE: Final = {"data": [USER], "pagination": {"next_cursor": None}}
GOOD: Final = answer(200, USER)
MADE: Final = answer(201, USER)
BUSY: Final = refusal(503, "store_busy", {"Retry-After": "0"})
LIMITED: Final = refusal(429, "rate_limited", {"Retry-After": "1"})
DATED: Final = refusal(503, "store_busy", {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})
LATE: Final = refusal(503, "not_ready", {"Retry-After": "61"})
UNDONE: Final = refusal(503, "server_busy")
NO_MAIL: Final = refusal(503, "mail_not_configured")
FAILED: Final = refusal(500, "internal_error")
TIMED_OUT: Final = refusal(408, "request_timeout", {"Retry-After": "0"})
CUT: Final = raw(200, b'{"id": "usr', {"Content-Type": "application/json"}, length=100)
NO_JSON: Final = raw(200, b"<html>", {"Content-Type": "text/html"})
PROXY: Final = raw(502, b"<html>bad gateway</html>", {"Content-Type": "text/html", "X-Request-ID": "req_proxy"})
GET: Final = ("users.get", ["usr_1"])
CREATE: Final = ("users.create", [{"email": "alice@example.com"}])
SEARCH: Final = ("users.search", [{"query": "alice"}])
SIGN_IN: Final = ("auth.signIn", [{"email": "alice@example.com", "password": "correct horse battery"}])


async def tried(
    application: Application, call: tuple[str, list[Any]], *script: bytes, **options: Any
) -> tuple[dict[str, Any], list[Taken]]:
    """Call a method of a client of a server with this script; return what came of it, and what arrived."""
    async with bad_server(*script) as bad, driving(application) as driver:
        keys = {"secretKey": "sk_test_x", "publishableKey": "pk_test_x"}
        return await driver.call({"baseURL": bad.url, "timeout": 5000, **keys, **options}, *call), bad.taken


@pytest.mark.parametrize("script", [(BUSY, BUSY, GOOD), (LIMITED, GOOD), (DATED, GOOD), (TIMED_OUT, GOOD)])
@pytest.mark.parametrize("call", [GET, CREATE])
async def test_what_passes_is_sent_again(application: Application, call: Any, script: tuple[bytes, ...]) -> None:
    said, taken = await tried(application, call, *script)
    assert said == {"answer": USER}
    assert len(taken) == len(script)
    assert len({(one.method, one.path, one.body) for one in taken}) == 1


@pytest.mark.parametrize("broken", [RESET, CUT, PROXY])
@pytest.mark.parametrize("call", [GET, CREATE])
async def test_so_is_what_broke_on_the_way(application: Application, call: Any, broken: bytes) -> None:
    said, taken = await tried(application, call, broken, GOOD)
    assert (said, len(taken)) == ({"answer": USER}, 2)


async def test_every_attempt_of_a_call_has_the_same_key(application: Application) -> None:
    said, taken = await tried(application, CREATE, FAILED, FAILED, MADE)
    assert said == {"answer": USER}
    assert len(taken) == 3
    [key] = {one.headers["idempotency-key"] for one in taken}
    _, [again] = await tried(application, CREATE, MADE)
    assert again.headers["idempotency-key"] != key
    _, [own] = await tried(application, ("users.create", [CREATE[1][0], {"idempotencyKey": "mine"}]), MADE)
    assert own.headers["idempotency-key"] == "mine"
    _, [read] = await tried(application, GET, GOOD)
    assert "idempotency-key" not in read.headers


async def test_a_search_changes_nothing_and_is_sent_again_without_a_key(application: Application) -> None:
    said, taken = await tried(application, SEARCH, RESET, FAILED, answer(200, PAGE))
    assert said == {"answer": [USER]}
    assert [one.headers.get("idempotency-key") for one in taken] == [None] * 3


@pytest.mark.parametrize(
    ("script", "attempts"),
    [((LIMITED, GOOD), 2), ((UNDONE, GOOD), 2), ((BUSY,), 1), ((FAILED,), 1), ((RESET,), 1), ((HANG,), 1)],
)
async def test_what_could_be_done_twice_is_not(
    application: Application, script: tuple[bytes, ...], attempts: int
) -> None:
    said, taken = await tried(application, SIGN_IN, *script, timeout=300)
    assert ("answer" in said, len(taken)) == (attempts == 2, attempts)
    assert all("idempotency-key" not in one.headers for one in taken)


@pytest.mark.parametrize(
    ("script", "name", "status", "code"),
    [
        ((FAILED, FAILED, FAILED), "ServerError", 500, "internal_error"),
        ((BUSY, BUSY, BUSY), "ServiceUnavailableError", 503, "store_busy"),
        ((PROXY, PROXY, PROXY), "ServerError", 502, "unknown"),
        ((LATE,), "ServiceUnavailableError", 503, "not_ready"),
        ((refusal(400, "malformed_json"),), "BadRequestError", 400, "malformed_json"),
        ((refusal(401, "invalid_api_key"),), "AuthenticationError", 401, "invalid_api_key"),
        ((refusal(403, "insufficient_scope"),), "PermissionDeniedError", 403, "insufficient_scope"),
        ((refusal(404, "user_not_found"),), "NotFoundError", 404, "user_not_found"),
        ((NO_MAIL,), "ServiceUnavailableError", 503, "mail_not_configured"),
        ((raw(302, b"", {"Location": "http://127.0.0.1:1/"}),), "ApiError", 302, "unknown"),
        ((TIMED_OUT, TIMED_OUT, TIMED_OUT), "RequestTimeoutError", 408, "request_timeout"),
        ((refusal(405, "method_not_allowed"),), "ApiError", 405, "method_not_allowed"),
        ((refusal(409, "user_deleted"),), "ConflictError", 409, "user_deleted"),
        ((refusal(412, "version_mismatch"),), "PreconditionFailedError", 412, "version_mismatch"),
        ((refusal(413, "payload_too_large"),), "PayloadTooLargeError", 413, "payload_too_large"),
        ((refusal(415, "unsupported_media_type"),), "UnsupportedMediaTypeError", 415, "unsupported_media_type"),
        ((refusal(422, "validation_failed"),), "UnprocessableEntityError", 422, "validation_failed"),
    ],
)
async def test_there_is_a_class_for_each_status(
    application: Application, script: tuple[bytes, ...], name: str, status: int, code: str
) -> None:
    said, taken = await tried(application, GET, *script)
    assert len(taken) == len(script)
    error = said["error"]
    assert (error["name"], error["status"], error["code"]) == (name, status, code)
    assert error["request_id"] == {"unknown": "req_proxy" if status == 502 else None}.get(code, "req_bad")
    assert error["family"][-3:] == ["ApiError", "HelloJohnError", "Error"]


@pytest.mark.parametrize(
    ("act", "options", "attempts", "family"),
    [
        (RESET, {}, 3, ["ApiConnectionError", "HelloJohnError", "Error"]),
        (CUT, {"maxRetries": 1}, 2, ["ApiConnectionError", "HelloJohnError", "Error"]),
        (NO_JSON, {}, 1, ["UnexpectedAnswer", "HelloJohnError", "Error"]),
        (HANG, {"timeout": 200}, 3, ["ApiTimeoutError", "ApiConnectionError", "HelloJohnError", "Error"]),
    ],
)
async def test_what_cannot_be_reached_is_an_error_of_its_own(
    application: Application, act: bytes, options: dict[str, Any], attempts: int, family: list[str]
) -> None:
    said, taken = await tried(application, GET, *[act] * 3, **options)
    assert (said["error"]["family"], len(taken)) == (family, attempts)


async def test_a_stream_that_breaks_off_is_no_shorter_stream(application: Application) -> None:
    lines = b'{"id": "usr_1"}\n{"id": "usr_2"}\n{"id'
    broken = raw(200, lines, {"Content-Type": "application/x-ndjson"}, length=1000)
    said, taken = await tried(application, ("users.exportAll", []), broken)
    assert (said["error"]["name"], said["rows"], len(taken)) == ("ApiConnectionError", 2, 1)


async def test_rows_of_csv_are_read_whatever_pieces_and_lines_they_come_in(application: Application) -> None:
    lines = b'id,name,ban\r\n,"Smith, ""Al""\r\nand more",\r\nusr_2,,"{""by"":1}"\r\n'
    csv = raw(200, lines, {"Content-Type": "text/csv; charset=utf-8"})
    said, _ = await tried(application, ("users.exportAll", [{"format": "csv"}]), csv)
    assert said["answer"] == [
        {"id": "", "name": 'Smith, "Al"\nand more', "ban": ""},
        {"id": "usr_2", "name": "", "ban": '{"by":1}'},
    ]


async def test_what_was_certainly_not_sent_is_sent_again_whatever_it_is(application: Application) -> None:
    async with bad_server() as gone:
        nobody = {"baseURL": gone.url, "publishableKey": "pk_test_x", "maxRetries": 1}
    async with driving(application) as driver:
        said = await driver.call(nobody, *SIGN_IN)
    assert (said["error"]["name"], said["error"]["was_sent"]) == ("ApiConnectionError", False)


async def test_what_a_call_is_told_goes_into_its_headers(application: Application) -> None:
    options = {"ifMatch": 3, "actingAdmin": "carol@support", "maxRetries": 0}
    call = ("users.update", ["usr_1", {"name": None}, options])
    _, [taken] = await tried(application, call, GOOD, tenantId="tnt_1")
    sent = {name: taken.headers.get(name) for name in ("authorization", "if-match", "x-acting-admin", "x-tenant-id")}
    assert sent == {
        "authorization": "Bearer sk_test_x",
        "if-match": '"3"',
        "x-acting-admin": "carol@support",
        "x-tenant-id": "tnt_1",
    }
    assert (taken.headers["content-type"], taken.body) == ("application/json", b'{"name":null}')


async def test_what_is_not_given_is_not_sent(application: Application) -> None:
    _, [taken] = await tried(application, ("users.delete", ["usr_1", {"permanent": True}]), answer(204))
    assert (taken.path, taken.body) == ("/v1/users/usr_1?permanent=true", b"")
    assert "content-type" not in taken.headers
    _, [taken] = await tried(application, ("users.delete", ["a/b?c", {"reason": "spam"}]), GOOD)
    assert (taken.path, taken.body) == ("/v1/users/a%2Fb%3Fc", b'{"reason":"spam"}')


@pytest.mark.parametrize("missing", ["", ".", ".."])
async def test_an_id_that_is_none_reaches_no_other_operation(application: Application, missing: str) -> None:
    said, taken = await tried(application, ("users.delete", [missing]))
    assert (said["error"]["name"], taken) == ("HelloJohnError", [])


async def test_a_call_without_its_credential_says_which(application: Application) -> None:
    said, taken = await tried(application, ("tenants.list", []))
    assert ("needs a master key" in said["error"]["message"], taken) == (True, [])
    assert said["error"]["name"] == "MissingCredential"
