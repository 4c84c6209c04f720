"""Express and Hono let by whom a route asks for, and turn the others away with an answer that says why."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest

from tests.sdk.typescript.drivers import running
from tests.sdk.typescript.issuer import ISSUER, TENANT, Issuer, issuing
from tests.sdk.typescript.packages import Application

IMPERSONATION: Final = {"act": {"sub": "key_9"}, "impersonated": True}
LOOK: Final = {**IMPERSONATION, "read_only": True}
OWN: Final = {"user_id": "usr_1", "actor": None}
FOREIGN: Final = {"user_id": "usr_1", "actor": "key_9"}
CASES: Final[list[tuple[str, str, dict[str, Any], int, Any]]] = [
    ("GET", "/user", {}, 200, OWN),
    ("GET", "/user", IMPERSONATION, 200, FOREIGN),
    ("GET", "/user", {"iss": "https://id.example.org"}, 401, "invalid_token"),
    ("GET", "/user", {"exp": 1}, 401, "token_expired"),
    ("GET", "/admin", {}, 403, "insufficient_role"),
    ("GET", "/admin", {"role": "admin"}, 200, OWN),
    ("GET", "/staff", {}, 200, OWN),
    ("GET", "/staff", {"role": "guest"}, 403, "insufficient_role"),
    ("POST", "/pay", {}, 200, OWN),
    ("POST", "/pay", IMPERSONATION, 403, "impersonation_forbidden"),
    ("POST", "/write", IMPERSONATION, 200, FOREIGN),
    ("POST", "/write", LOOK, 403, "read_only"),
]


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """The server whose tokens are presented."""
    async with issuing() as serving:
        yield serving


@pytest.fixture(params=["express.ts", "hono.ts"])
async def served(
    request: pytest.FixtureRequest, application: Application, issuer: Issuer
) -> AsyncIterator[httpx.AsyncClient]:
    """An application of each framework."""
    server = {"baseURL": issuer.url, "secretKey": "sk_test_x"}
    options = {"tenantId": TENANT, "issuer": ISSUER, "staleAfter": 500, "onStale": "fail_closed", **server}
    async with running(application, request.param, json.dumps(options)) as program:
        port = await program.said()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client


def told(answer: httpx.Response) -> tuple[int, Any]:
    body = answer.json()
    if answer.is_success:
        return answer.status_code, body
    assert body["error"]["status"] == answer.status_code
    return answer.status_code, body["error"]["code"]


async def fresh(client: httpx.AsyncClient, issuer: Issuer) -> None:
    """Wait until the feed has been read."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = await client.get("/user", headers={"Authorization": f"Bearer {issuer.token()}"})
        if answer.status_code != 503:
            return
        assert answer.json()["error"]["code"] == "verification_unavailable"
    raise AssertionError("the feed was never read")


async def test_each_route_lets_by_whom_it_asks_for(served: httpx.AsyncClient, issuer: Issuer) -> None:
    await fresh(served, issuer)
    for method, path, claims, status, expected in CASES:
        headers = {"Authorization": f"Bearer {issuer.token(**claims)}"}
        answer = await served.request(method, path, headers=headers)
        assert (path, claims, told(answer)) == (path, claims, (status, expected))
        challenge = 'Bearer error="invalid_token"' if status == 401 else None
        assert answer.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Bearer a b"])
async def test_without_a_token_nobody_is_let_by(served: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await served.get("/user", headers=headers)
    assert told(answer) == (401, "missing_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert told(await served.get("/open", headers=headers)) == (200, {"user_id": None})


async def test_when_nobody_can_say_the_answer_is_503(served: httpx.AsyncClient, issuer: Issuer) -> None:
    await fresh(served, issuer)
    issuer.is_down = True
    issuer.cut()
    deadline = time.monotonic() + 20
    said = (0, None)
    while said[0] != 503 and time.monotonic() < deadline:
        said = told(await served.get("/user", headers={"Authorization": f"Bearer {issuer.token()}"}))
    assert said == (503, "verification_unavailable")
