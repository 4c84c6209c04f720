"""Every operation, page and refusal has the headers of the house."""

import re
from typing import Any, Final

import httpx

from hellojohn_server import __version__
from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Database
from tests.walk.world import World, walked_world

EVERYWHERE: Final = {
    "x-hellojohn-version": __version__,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}
OF_DATA: Final = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
OF_PAGES: Final = {
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
KEPT: Final = {("GET", "/.well-known/jwks.json"), ("HEAD", "/.well-known/jwks.json")}
ODD: Final = ("/", "/v1", "/nowhere", "//v1", "/v1/users/", "/v1/%2F")


def _check(answer: httpx.Response, *, is_kept: bool, is_page: bool = False) -> None:
    where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
    wanted = EVERYWHERE | (OF_PAGES if is_page else OF_DATA)
    assert {name: answer.headers.get(name) for name in wanted} == wanted, where
    assert answer.headers["x-request-id"], where
    assert answer.headers["cache-control"] == ("public, max-age=900" if is_kept else "no-store"), where
    assert len(set(answer.headers)) == len(answer.headers.multi_items()), where
    assert "server" not in answer.headers, where


async def _walk(world: World, document: dict[str, Any]) -> set[int]:
    """Call each path of the document in each way, with a key and without; return the statuses that were met."""
    met: set[int] = set()
    for path in document["paths"]:
        place = re.sub(r"\{.*?\}", "x", path)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
            for headers in ({}, {"Authorization": f"Bearer {world.secret_key}"}, {"Authorization": "Bearer nonsense"}):
                answer = await world.client.request(method, place, headers=headers)
                _check(answer, is_kept=answer.is_success and (method, place) in KEPT)
                met.add(answer.status_code)
    return met


async def test_every_answer_has_them(database: Database, clock: Clock) -> None:
    async with walked_world(database, clock, {"HELLOJOHN_PUBLIC_URL": "https://id.example.com"}) as world:
        document = (await world.client.get("/openapi.json")).json()
        assert (
            {200, 204, 400, 401, 403, 404, 405, 415, 422}
            >= await _walk(world, document)
            >= {200, 401, 403, 404, 405, 422}
        )
        for path in ODD:
            _check(await world.client.get(path), is_kept=False)
        _check(await world.client.get("/openapi.json"), is_kept=False)
        _check(await world.client.get("/metrics"), is_kept=False)
        page = await world.client.get("/docs")
        _check(page, is_kept=False, is_page=True)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
