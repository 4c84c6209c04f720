"""The edge: ids, paths and methods, hosts and addresses, headers of every answer, unexpected failures, the log."""

import asyncio
import ipaddress
from typing import Any

import pytest

from hellojohn_server import __version__
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.setting_values import ProxyHeader
from tests.http.things import ADMIN, Door, code_in, key_of


async def test_every_answer_has_the_headers_of_the_house(door: Door) -> None:
    for path in ("/v1/things", "/nowhere", "/v1/broken", "/openapi.json"):
        headers = (await door.call("GET", path)).headers
        assert is_id(headers["x-request-id"], IdPrefix.REQUEST)
        assert headers["x-hellojohn-version"] == __version__
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["content-type"] == "application/json"
        assert "strict-transport-security" not in headers


async def test_transport_security_is_asked_for_where_there_is_tls(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(public_url="https://id.door.test"))
    assert (await door.call("GET", "/v1/things")).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2_Z", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a/b", False),
        ("a\x01", False),
    ],
)
async def test_a_sane_request_id_is_kept(door: Door, given: str, kept: bool) -> None:
    response = await door.call("GET", "/nowhere", headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) == kept
    assert code_in(response) == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/thing",
        "/v1/things/",
        "//v1/things",
        "/v1//things",
        "/v1/things/a/b",
        "/v1/things%2Fa",
        "/v1/things/a%2fupward",
        "/v1/things/%2F",
        "/V1/things",
        "/v1/things/%2e%2e/things/x",
        "/%FF",
        "/v1/%00",
    ],
)
async def test_other_paths_are_not_found(door: Door, path: str) -> None:
    response = await door.call("GET", path)
    assert response.status_code == 404
    assert code_in(response) == "not_found"
    assert door.things.contexts == []


async def test_an_id_of_any_form_reaches_the_service(door: Door) -> None:
    assert (await door.call("GET", "/v1/things/%00")).json()["said"] == "\x00"
    assert (await door.call("GET", "/v1/things/%C3%A9")).json()["said"] == "é"


async def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_does(door: Door) -> None:
    response = await door.call("PUT", "/v1/things/a")
    assert response.status_code == 405
    assert code_in(response) == "method_not_allowed"
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert (await door.call("HEAD", "/v1/search")).headers["allow"] == "OPTIONS, POST"
    assert (await door.call("BREW", "/v1/things")).status_code == 405


async def test_options_say_what_a_path_takes_to_anybody(door: Door) -> None:
    response = await door.call("OPTIONS", "/v1/things/a", headers={})
    assert response.status_code == 204
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert "content-length" not in response.headers
    assert (await door.call("OPTIONS", "/nowhere", headers={})).status_code == 404


async def test_head_is_get_without_a_body(door: Door) -> None:
    full, head = await door.call("GET", "/v1/things/a"), await door.call("HEAD", "/v1/things/a")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(full.content))
    assert head.headers["etag"] == full.headers["etag"]
    assert (await door.call("HEAD", "/v1/things/a", headers={})).status_code == 401


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("localhost", True),
        ("LOCALHOST:3000", True),
        ("127.0.0.1:3000", True),
        ("[::1]:3000", True),
        ("[::1]", True),
        ("evil.test", False),
        ("localhost.evil.test", False),
        ("127.0.0.1.evil.test:3000", False),
        ("", False),
    ],
)
async def test_a_development_server_answers_to_its_own_names_only(ids: IdFactory, host: str, admitted: bool) -> None:
    door = Door(ids, HttpSettings(dev_host_check=("localhost", "127.0.0.1", "[::1]")))
    response = await door.call("GET", "/v1/things", headers=ADMIN | {"host": host})
    assert response.status_code == (200 if admitted else 400)
    if not admitted:
        assert code_in(response) == "invalid_host"


async def test_two_hosts_are_none(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(dev_host_check=("localhost",)))
    headers = [("host", "localhost"), ("host", "localhost"), *ADMIN.items()]
    assert code_in(await door.call("GET", "/v1/things", headers=headers)) == "invalid_host"


async def test_a_host_that_is_none_is_a_bad_request(door: Door) -> None:
    response = await door.call("GET", "/v1/things", headers=ADMIN | {"host": "a b"})
    assert response.status_code == 400
    assert code_in(response) == "invalid_request"


PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.7", "203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense, 10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:470::9]:4711"], "2001:470::9"),
        ("2001:db8::1", ["2001:470:0:0::9"], "2001:470::9"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
async def test_proxies_are_believed_by_name(ids: IdFactory, peer: str, forwarded: list[str], found: str) -> None:
    door = Door(ids, HttpSettings(trusted_proxies=PROXIES))
    headers = [*ADMIN.items(), *(("x-forwarded-for", value) for value in forwarded)]
    assert (await door.call("GET", "/v1/things", headers=headers, client=(peer, 1))).status_code == 200
    assert door.things.contexts[0].ip_address == found


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", ["for=203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", ["for=203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["for=198.51.100.7, for=203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["for=198.51.100.7", "for=203.0.113.9;proto=https,For=10.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ['by=10.0.0.1;proto=http;FOR="203.0.113.9:4711"'], "203.0.113.9"),
        ("10.0.0.1", ['for="[2001:470::9]:4711";proto=https'], "2001:470::9"),
        ("10.0.0.1", ["for=198.51.100.7, for=unknown"], "10.0.0.1"),
        ("10.0.0.1", ["for=198.51.100.7, for=_hidden, for=10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["for=198.51.100.7, proto=https"], "10.0.0.1"),
        ("10.0.0.1", ["for=198.51.100.7;for=198.51.100.8"], "10.0.0.1"),
        ("10.0.0.1", ['for="198.51.100.7, for=203.0.113.9'], "203.0.113.9"),
        ("10.0.0.1", ['for="x, for="[2001:470::9]:4711"'], "2001:470::9"),
        ("10.0.0.1", ['for=198.51.100.7;x="', 'for="203.0.113.9";y="a,b"'], "203.0.113.9"),
        ("10.0.0.1", [f"for={'1' * 60_000}, for=203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", [f"for={'1' * 60_000}"], "10.0.0.1"),
        ("10.0.0.1", ['"' * 9], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
async def test_proxies_are_believed_in_forwarded_where_that_is_their_header(
    ids: IdFactory, peer: str, forwarded: list[str], found: str
) -> None:
    door = Door(ids, HttpSettings(trusted_proxies=PROXIES, proxy_header=ProxyHeader.FORWARDED))
    headers = [*ADMIN.items(), *(("forwarded", value) for value in forwarded), ("x-forwarded-for", "198.51.100.99")]
    assert (await door.call("GET", "/v1/things", headers=headers, client=(peer, 1))).status_code == 200
    assert door.things.contexts[0].ip_address == found


async def test_the_other_header_is_the_clients_own_and_says_nothing(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(trusted_proxies=PROXIES))
    headers = ADMIN | {"forwarded": "for=198.51.100.7"}
    await door.call("GET", "/v1/things", headers=headers, client=("10.0.0.1", 1))
    assert door.things.contexts[0].ip_address == "10.0.0.1"


async def test_nobody_is_believed_when_nobody_is_named(door: Door) -> None:
    await door.call("GET", "/v1/things", headers=ADMIN | {"x-forwarded-for": "203.0.113.9"}, client=("10.0.0.1", 1))
    assert door.things.contexts[0].ip_address == "10.0.0.1"


async def test_an_unexpected_failure_tells_the_caller_nothing_and_the_log_everything_but_secrets(door: Door) -> None:
    response = await door.call("GET", "/v1/broken")
    assert response.status_code == 500
    assert code_in(response) == "internal_error"
    assert "RuntimeError" not in response.text
    assert "secret" not in response.text
    [failure, line] = door.log_lines
    assert failure["event"] == "unexpected_error"
    assert failure["level"] == "error"
    assert failure["request_id"] == line["request_id"] == response.headers["x-request-id"]
    assert "RuntimeError" in failure["exception"]
    assert "break_down" in failure["exception"]
    assert "sk_live_[redacted]" in failure["exception"]
    assert "0123456789abcdef" not in door.log_text
    assert "eyJzdWIi" not in door.log_text
    assert line["status"] == 500
    assert line["error"] == "internal_error"


async def test_being_unavailable_says_when_to_come_back_and_logs_the_cause(door: Door) -> None:
    response = await door.call("GET", "/v1/busy")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "disk" not in response.text
    assert "the disk is full" in door.log_lines[0]["exception"]


async def test_one_line_a_request_says_what_happened(door: Door) -> None:
    response = await door.call("GET", "/v1/things/usr_1")
    [line] = door.log_lines
    assert line.pop("duration_ms") >= 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "route": "/v1/things/{thing_id}",
        "status": 200,
        "request_id": response.headers["x-request-id"],
        "tenant": "tnt_01HABCDEF0000000000000TEST",
        "credential": "key_1",
        "error": None,
    }


async def test_nothing_that_was_sent_reaches_the_log(door: Door) -> None:
    secret = "hunter2hunter2"
    token = key_of("secret_key", "*", secret)
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "x-acting-admin": secret,
        "idempotency-key": secret,
        "cookie": secret,
        "user-agent": secret,
    }
    await door.call("POST", f"/v1/things?email={secret}", headers=headers, json={"name": secret})
    await door.call("POST", f"/v1/things?zzz={secret}", headers=headers, json={secret: secret})
    await door.call("POST", "/v1/things", headers=headers, content=secret.encode())
    await door.call("GET", f"/v1/things/{secret}", headers=headers)
    await door.call("GET", f"/{secret}", headers=headers)
    await door.call("GET", "/v1/things", headers={"authorization": f"Bearer sk_live_{secret}"})
    assert len(door.log_lines) == 6
    assert secret not in door.log_text


async def run(door: Door, messages: list[dict[str, Any]], **facts: Any) -> list[dict[str, Any]]:
    """Drive the app by hand with what a server would give it, and return what it sent."""
    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/things",
        "raw_path": b"/v1/things",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", ADMIN["authorization"].encode()), (b"content-type", b"application/json")],
        "client": ("192.0.2.1", 1),
        "server": ("door.test", 80),
    } | facts
    await door.app(scope, receive, send)
    return sent


async def test_a_client_that_goes_away_is_left_in_peace(door: Door) -> None:
    pieces = [{"type": "http.request", "body": b'{"na', "more_body": True}, {"type": "http.disconnect"}]
    assert await run(door, pieces) == []
    [line] = door.log_lines
    assert line["status"] == 499
    assert line["level"] == "info"
    assert door.things.contexts == []


async def test_a_connection_without_an_address_is_served(door: Door) -> None:
    body = [{"type": "http.request", "body": b'{"name":"x"}', "more_body": False}]
    sent = await run(door, body, client=None)
    assert sent[0]["status"] == 201
    assert door.things.contexts[0].ip_address is None


async def test_a_failure_while_an_answer_is_sent_is_logged_and_ends_the_connection(door: Door) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the pipe broke")

    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/openapi.json",
        "query_string": b"",
        "headers": [],
    }
    with pytest.raises(OSError, match="the pipe broke"):
        await door.app(scope, receive, send)
    assert [line["event"] for line in door.log_lines] == ["answer_interrupted", "request"]


async def test_requests_at_once_keep_their_own_ids(door: Door) -> None:
    answers = await asyncio.gather(
        *(door.call("GET", "/v1/things", headers=ADMIN | {"x-request-id": f"r{number}"}) for number in range(20))
    )
    assert [answer.headers["x-request-id"] for answer in answers] == [f"r{number}" for number in range(20)]


async def test_two_apps_of_a_process_each_serve_their_own(ids: IdFactory) -> None:
    one, two = (Door(ids, HttpSettings(public_url=f"https://{name}.door.test")) for name in ("one", "two"))

    for door in (one, two, one):
        await door.call("GET", "/v1/things")
    documents = [(await door.call("GET", "/openapi.json")).json() for door in (one, two, one)]

    assert (len(one.things.contexts), len(two.things.contexts)) == (2, 1)
    assert [document["servers"][0]["url"] for document in documents] == [
        "https://one.door.test",
        "https://two.door.test",
        "https://one.door.test",
    ]


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_not_http_is_refused(door: Door, kind: str) -> None:
    async def unused(*_message: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    with pytest.raises(RuntimeError, match=f"not {kind}"):
        await door.app({"type": kind}, unused, unused)
