"""/metrics: who may read it, what it counts, and what it never shows."""

import asyncio
import ipaddress
from typing import Any, Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.setting_values import MetricsToken
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.http.things import ADMIN, Door, code_in
from tests.support import running_app

TOKEN: Final = "0123456789abcdef"
LOCAL: Final = ("127.0.0.1", 4711)
OUTSIDE: Final = ("203.0.113.9", 4711)
REQUESTS: Final = "hellojohn_http_requests_total"
IN_PROGRESS: Final = "hellojohn_http_requests_in_progress"


@pytest.fixture
def guarded(ids: IdFactory) -> Door:
    """An app with a token for /metrics."""
    return Door(ids, HttpSettings(metrics_token=MetricsToken(TOKEN)))


async def scrape(
    door: Door, client: tuple[str, int] = LOCAL, token: str | None = None, **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    return await door.call("GET", "/metrics", headers=sent, client=client)


def requests_in(text: str) -> dict[tuple[str, str, str], float]:
    """Return the requests that were counted: (method, route, status) -> number."""
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for sample in samples_in(text)
        if sample.name == REQUESTS
    }


def samples_in(text: str) -> list[Any]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def in_progress_in(text: str) -> float:
    [value] = [sample.value for sample in samples_in(text) if sample.name == IN_PROGRESS]
    return float(value)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_the_machine_itself_needs_no_token(door: Door, guarded: Door, address: str) -> None:
    for served in (door, guarded):
        response = await scrape(served, (address, 4711))
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert samples_in(response.text)


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "0.0.0.0", "::", "2001:db8::1", "/run/proxy.sock"])
async def test_nobody_else_reads_without_a_token(door: Door, guarded: Door, address: str) -> None:
    for served in (door, guarded):
        response = await scrape(served, (address, 4711))
        assert response.status_code == 401
        assert code_in(response) == "missing_token"
        assert response.headers["www-authenticate"] == 'Bearer realm="hellojohn"'
        assert served.denied == []


async def test_a_connection_without_an_address_is_not_local(door: Door) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": []}
    await door.app(scope, receive, send)
    assert sent[0]["status"] == 401


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x_forwarded_for", "203.0.113.9"),
        ("x_forwarded_for", "127.0.0.1"),
        ("x_forwarded_for", ""),
        ("x_forwarded_for", "nonsense"),
        ("x_forwarded_host", "id.example.com"),
        ("x_forwarded_proto", "https"),
        ("x_real_ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
    ],
)
@pytest.mark.parametrize("trusted", [(), ("127.0.0.0/8",)])
async def test_what_came_through_a_proxy_is_not_local_whether_it_is_trusted_or_not(
    ids: IdFactory, trusted: tuple[str, ...], header: str, value: str
) -> None:
    proxies = tuple(ipaddress.ip_network(network) for network in trusted)
    door = Door(ids, HttpSettings(trusted_proxies=proxies, metrics_token=MetricsToken(TOKEN)))
    refused = await scrape(door, **{header: value})
    assert refused.status_code == 401
    assert code_in(refused) == "missing_token"
    assert (await scrape(door, token=TOKEN, **{header: value})).status_code == 200


@pytest.mark.parametrize("named", ["127.0.0.1", "::1"])
async def test_a_distant_proxy_that_names_loopback_is_not_local(ids: IdFactory, named: str) -> None:
    door = Door(ids, HttpSettings(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)))
    assert (await scrape(door, ("10.0.0.1", 4711), x_forwarded_for=named)).status_code == 401


async def test_a_trusted_proxy_that_calls_for_itself_is_local(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),)))
    assert (await scrape(door)).status_code == 200


@pytest.mark.parametrize("client", [LOCAL, OUTSIDE])
async def test_the_token_opens_from_everywhere_and_another_one_from_nowhere(
    door: Door, guarded: Door, client: tuple[str, int]
) -> None:
    assert (await scrape(guarded, client, TOKEN)).status_code == 200
    for served, wrong in [
        (guarded, TOKEN[:-1]),
        (guarded, TOKEN + "0"),
        (guarded, TOKEN.upper()),
        (guarded, "sk_live_0123456789"),
        (door, TOKEN),
    ]:
        response = await scrape(served, client, wrong)
        assert response.status_code == 401
        assert code_in(response) == "invalid_token"
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert TOKEN not in response.text
        assert served.denied == []
    twice = [("authorization", f"Bearer {TOKEN}")] * 2
    assert code_in(await guarded.call("GET", "/metrics", headers=twice, client=client)) == "invalid_token"


async def test_a_key_of_a_tenant_opens_nothing_here(door: Door) -> None:
    assert code_in(await door.call("GET", "/metrics", client=LOCAL)) == "invalid_token"


async def test_head_and_options_work_and_other_methods_do_not(guarded: Door) -> None:
    head = await guarded.call("HEAD", "/metrics", headers={}, client=LOCAL)
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 1000
    assert (await guarded.call("HEAD", "/metrics", headers={}, client=OUTSIDE)).status_code == 401
    options = await guarded.call("OPTIONS", "/metrics", headers={}, client=OUTSIDE)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (await guarded.call("POST", "/metrics", headers={}, client=LOCAL)).status_code == 405


async def test_it_takes_no_parameters_and_says_so_only_to_who_may_read(door: Door) -> None:
    response = await door.call("GET", "/metrics?name[]=x", headers={}, client=LOCAL)
    assert response.status_code == 422
    assert code_in(response) == "validation_failed"
    assert (await door.call("GET", "/metrics?name[]=x", headers={}, client=OUTSIDE)).status_code == 401


async def test_a_development_server_shows_it_under_its_own_names_only(ids: IdFactory) -> None:
    door = Door(ids, HttpSettings(dev_host_check=("localhost",)))
    assert code_in(await scrape(door, host="evil.test")) == "invalid_host"
    assert (await scrape(door, host="localhost:3000")).status_code == 200


async def test_requests_are_counted_under_the_templates_of_their_paths(door: Door) -> None:
    await door.call("GET", "/v1/things/secret-one")
    await door.call("GET", "/v1/things/secret-two")
    await door.call("HEAD", "/v1/things/secret-two")
    await door.call("GET", "/v1/things", headers={})
    await door.call("GET", "/secret-path")
    await door.call("GET", "/v1//things")
    await door.call("PUT", "/v1/things/secret-one")
    await door.call("BREW", "/v1/things/secret-one")
    await door.call("OPTIONS", "/v1/things/secret-one")
    await door.call("GET", "/v1/broken")
    await door.call("GET", "/v1/busy")
    await door.post(b"{")
    await scrape(door, OUTSIDE)
    text = (await scrape(door)).text
    assert requests_in(text) == {
        ("GET", "/v1/things/{thing_id}", "200"): 2,
        ("HEAD", "/v1/things/{thing_id}", "200"): 1,
        ("GET", "/v1/things", "401"): 1,
        ("GET", "none", "404"): 2,
        ("PUT", "none", "405"): 1,
        ("other", "none", "405"): 1,
        ("OPTIONS", "/v1/things/{thing_id}", "204"): 1,
        ("GET", "/v1/broken", "500"): 1,
        ("GET", "/v1/busy", "503"): 1,
        ("POST", "/v1/things", "400"): 1,
        ("GET", "/metrics", "401"): 1,
    }
    assert "secret" not in text
    assert "BREW" not in text
    counts = {
        (sample.labels["method"], sample.labels["route"]): sample.value
        for sample in samples_in(text)
        if sample.name == "hellojohn_http_request_duration_seconds_count"
    }
    assert counts["GET", "/v1/things/{thing_id}"] == 2
    assert sum(counts.values()) == sum(requests_in(text).values()) == 13
    assert requests_in((await scrape(door)).text)["GET", "/metrics", "200"] == 1


async def test_a_scrape_has_its_line_in_the_log_like_any_request(door: Door) -> None:
    await scrape(door)
    await scrape(door, OUTSIDE)
    assert [(line["route"], line["status"], line["error"]) for line in door.log_lines] == [
        ("/metrics", 200, None),
        ("/metrics", 401, "missing_token"),
    ]


async def test_a_request_is_in_progress_until_it_ends_however_it_ends(door: Door) -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    async def receive() -> Any:
        begun.set()
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    headers = [(name.encode(), value.encode()) for name, value in ADMIN.items()]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"9")]
    scope: Any = {"type": "http", "method": "POST", "path": "/v1/things", "query_string": b"", "headers": headers}
    waiting = [asyncio.ensure_future(door.app(dict(scope), receive, send)) for _ in range(2)]
    await begun.wait()
    assert in_progress_in((await scrape(door)).text) == 3
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    leave.set()
    await waiting[1]
    text = door.metrics.render().decode()
    assert in_progress_in(text) == 0
    assert requests_in(text)["POST", "/v1/things", "499"] == 2


async def test_scrapes_at_once_are_all_answered(door: Door) -> None:
    answers = await asyncio.gather(*(scrape(door) for _ in range(16)))
    assert [answer.status_code for answer in answers] == [200] * 16
    assert in_progress_in(door.metrics.render().decode()) == 0


async def test_the_service_shows_no_tenant_user_key_or_address(
    database: Database, clock: ManualClock, ids: IdFactory
) -> None:
    async with running_app(database, clock, ids, {"HELLOJOHN_METRICS_TOKEN": TOKEN}) as app:
        tenant_id = await app.make_tenant("Hidden Company")
        key = await app.make_key(tenant_id)
        publishable = await app.make_key(tenant_id, key_type=TenantKeyType.PUBLISHABLE)
        master = await app.make_master_key()
        user = (await app.call(key, "POST", "/v1/users", {"email": "hidden@example.com"})).json()
        request_id = ids.new(IdPrefix.REQUEST)
        for path in (f"/v1/users/{user['id']}", f"/v1/users/{key}", f"/v1/users/{user['id']}/access", f"/{key}"):
            await app.call(key, "GET", path, headers={"X-Request-ID": request_id, "User-Agent": "hidden"})
        await app.call(master, "GET", f"/v1/tenants/{tenant_id}")
        await app.call(publishable, "GET", f"/v1/users?email={user['email']}")
        assert (await app.call(key, "GET", "/metrics")).status_code == 401
        assert (await app.call(TOKEN, "GET", "/metrics")).status_code == 200
        text = (await app.get("/metrics")).text
    for hidden in (tenant_id, user["id"], key, publishable, master, request_id, TOKEN, "idden", "sk_live", "127.0.0.1"):
        assert hidden not in text
    counted = requests_in(text)
    assert counted["GET", "/v1/users/{user_id}", "200"] == 1
    assert counted["GET", "/v1/users/{user_id}", "404"] == 1
    assert counted["GET", "/v1/users", "403"] == 1
    assert counted["GET", "none", "404"] == 1
    labels = {name for sample in samples_in(text) for name in sample.labels}
    shown = {label for label in labels if label not in PYTHONS}
    assert shown == {"method", "route", "result", "status", "le", "version"}


PYTHONS: Final = {"implementation", "major", "minor", "patchlevel", "generation"}
"""What the library's own figures of the interpreter have as labels, beside `version`."""


async def test_the_store_is_not_asked(database: Database, clock: ManualClock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids) as app:
        await database.close()
        assert (await app.get("/metrics")).status_code == 200
