"""A stream of revocations from a real server: over a socket, from another process, and to the end of the server."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import msgspec

from tests.cli.conftest import Place
from tests.cli.test_beside import made, with_key
from tests.support import ServerProcess, server_process

PASSWORD = "correct horse battery"
PATIENCE_SECONDS = 20
"""There is a heartbeat every second."""


def opened(client: httpx.Client, key: dict[str, Any]) -> Any:
    """Return the context of a stream."""
    headers = {**with_key(key), "Accept": "text/event-stream"}
    return client.stream("GET", "/v1/revocations", headers=headers)


def revocations(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield what is revoked, and an empty object for each heartbeat."""
    for line in lines:
        if line.startswith("data: "):
            yield msgspec.json.decode(line.removeprefix("data: "))


def next_of(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Return the next that is no heartbeat. StopIteration when none comes for that many seconds."""
    return next(event for event in islice(events, PATIENCE_SECONDS) if event)


def tenant_with_keys(place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a publishable and a secret key of a new tenant."""
    tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
    front = made(place, "keys", "create", "--tenant", tenant, "--name", "front", "--type", "publishable")
    return front, made(place, "keys", "create", "--tenant", tenant, "--name", "back")


def sign_up(client: httpx.Client, front: dict[str, Any], email: str = "alice@example.com") -> dict[str, Any]:
    """Return the answer of a sign-up."""
    answer = client.post("/v1/auth/sign-up", headers=with_key(front), json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def open_streams(server: ServerProcess) -> str:
    """Return the figure of the metrics."""
    shown = httpx.get(f"{server.url}/metrics").text
    return next(line for line in shown.splitlines() if line.startswith("hellojohn_revocation_streams"))


def test_it_goes_on_until_the_server_stops(place: Place) -> None:
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        front, back = tenant_with_keys(place)
        signed_up = sign_up(client, front)
        with httpx.Client(base_url=server.url, timeout=20) as other, opened(other, back) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream"
            assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
            events = revocations(answer.iter_lines())
            assert next(events) == {}
            assert client.post(f"/v1/users/{signed_up['user']['id']}/disable", headers=with_key(back)).is_success
            assert next_of(events)["session_id"] == signed_up["session"]["id"]
            server.process.terminate()
            assert [event for event in events if event] == [], "it ends as an answer does"
        assert server.stop() == 0


def test_a_client_that_is_gone_is_noticed(place: Place) -> None:
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        _, back = tenant_with_keys(place)
        with opened(client, back) as answer:
            events = revocations(answer.iter_lines())
            assert next(events) == {}
            assert open_streams(server) == "hellojohn_revocation_streams 1.0"
        deadline = time.monotonic() + 20
        while open_streams(server) != "hellojohn_revocation_streams 0.0" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert open_streams(server) == "hellojohn_revocation_streams 0.0"


def test_what_another_server_does_is_told(shared: Place) -> None:
    with (
        server_process(shared.directory, shared.environ) as first,
        server_process(shared.directory, shared.environ) as second,
        httpx.Client(base_url=first.url) as here,
        httpx.Client(base_url=second.url, timeout=20) as there,
    ):
        front, back = tenant_with_keys(shared)
        with opened(there, back) as answer:
            events = revocations(answer.iter_lines())
            assert next(events) == {}
            for number in range(5):
                signed_up = sign_up(here, front, f"user{number}@example.com")
                path = f"/v1/sessions/{signed_up['session']['id']}"
                assert here.request("DELETE", path, headers=with_key(back)).is_success
                assert next_of(events)["session_id"] == signed_up["session"]["id"]
