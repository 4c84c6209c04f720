"""The integrations in the real frameworks, with tokens of a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import django
import httpx
import litestar
import msgspec
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from fastapi import Depends, FastAPI
from flask import Flask
from litestar import Litestar

from hellojohn.integrations import django as in_django
from hellojohn.integrations import fastapi as in_fastapi
from hellojohn.integrations import flask as in_flask
from hellojohn.integrations import litestar as in_litestar
from hellojohn.verify import AsyncVerifier, Verified, Verifier
from tests.sdk.python.verifiers import impersonated, options_of, signed_up
from tests.sdk.typescript.recorder import Site

ROUTES: Final[Mapping[str, Mapping[str, Any]]] = {
    "/me": {},
    "/admin": {"role": "admin"},
    "/staff": {"role": ["admin", "member"]},
    "/pay": {"refuse_impersonated": True},
    "/write": {"refuse_read_only": True},
}


class Seen(msgspec.Struct, frozen=True):
    """What a framework answered."""

    status: int
    body: Any
    challenge: str | None

    @property
    def code(self) -> str:
        """The code of a refusal, wherever the framework puts it."""
        found = self.body.get("error") or self.body.get("detail")
        return str((found if isinstance(found, dict) else self.body["extra"])["code"])


Ask: TypeAlias = Callable[[str, str | None], Awaitable[Seen]]


def shown(user: Verified) -> dict[str, str | None]:
    return {"id": user.user_id, "actor": user.actor}


def seen(answer: httpx.Response) -> Seen:
    return Seen(answer.status_code, answer.json(), answer.headers.get("WWW-Authenticate"))


def headers_of(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def asking(app: Any) -> Ask:
    """Return what asks an ASGI app."""

    async def ask(where: str, token: str | None) -> Seen:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app.test") as client:
            return seen(await client.get(where, headers=headers_of(token)))

    return ask


def fastapi_app(verifier: AsyncVerifier | Verifier) -> FastAPI:
    app = FastAPI()
    for where, required in ROUTES.items():
        user_of = in_fastapi.require_user(verifier, **required)

        async def view(user: Annotated[Verified, Depends(user_of)]) -> dict[str, str | None]:
            return shown(user)

        app.get(where)(view)
    return app


def litestar_app(verifier: AsyncVerifier | Verifier) -> Litestar:
    def handler(where: str, required: Mapping[str, Any]) -> Any:
        @litestar.get(where, guards=[in_litestar.require_user(verifier, **required)])
        async def view(request: litestar.Request[Any, Any, Any]) -> dict[str, str | None]:
            return shown(in_litestar.current_user(request))

        return view

    return Litestar([handler(where, required) for where, required in ROUTES.items()], openapi_config=None)


def flask_app(verifier: Verifier) -> Flask:
    app = Flask("guarded")
    for where, required in ROUTES.items():

        @in_flask.require_user(verifier, **required)
        def view() -> dict[str, str | None]:
            return shown(in_flask.current_user())

        app.add_url_rule(where, endpoint=where, view_func=view)
    return app


class DjangoUrls:
    """What Django calls a URL configuration."""

    def __init__(self, verifier: Verifier) -> None:
        def view(request: HttpRequest) -> JsonResponse:
            return JsonResponse(shown(in_django.current_user(request)))

        async def view_async(request: HttpRequest) -> JsonResponse:
            return JsonResponse(shown(in_django.current_user(request)))

        self.urlpatterns = [
            path(f"{prefix}{where[1:]}", in_django.require_user(verifier, **required)(each))
            for prefix, each in (("", view), ("async/", view_async))
            for where, required in ROUTES.items()
        ]


def django_ask(verifier: Verifier, prefix: str) -> Ask:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["app.test"], SECRET_KEY="x", ROOT_URLCONF=None, USE_TZ=True)
        django.setup()
    settings.ROOT_URLCONF = DjangoUrls(verifier)
    ask = asking(get_asgi_application())
    return lambda where, token: ask(f"{prefix}{where}", token)


def flask_ask(verifier: Verifier) -> Ask:
    client = flask_app(verifier).test_client()

    async def ask(where: str, token: str | None) -> Seen:
        answer = await asyncio.to_thread(client.get, where, headers=headers_of(token))
        return Seen(answer.status_code, answer.get_json(), answer.headers.get("WWW-Authenticate"))

    return ask


MADE: Final[dict[str, Callable[[Verifier, AsyncVerifier], Ask]]] = {
    "django": lambda verifier, _: django_ask(verifier, ""),
    "django async": lambda verifier, _: django_ask(verifier, "/async"),
    "fastapi": lambda _, verifier: asking(fastapi_app(verifier)),
    "fastapi with threads": lambda verifier, _: asking(fastapi_app(verifier)),
    "flask": lambda verifier, _: flask_ask(verifier),
    "litestar": lambda _, verifier: asking(litestar_app(verifier)),
}


@pytest.fixture(params=MADE)
async def ask(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    told = options_of(site, revocations=False)
    async with AsyncVerifier(**told) as in_loop:
        with Verifier(**told) as in_threads:
            yield MADE[request.param](in_threads, in_loop)


async def test_nobody_comes_in_without_a_good_token(site: Site, ask: Ask) -> None:
    missing = await ask("/me", None)
    assert (missing.status, missing.code, missing.challenge) == (401, "missing_token", "Bearer")
    wrong = await ask("/me", "a.b.c")
    assert (wrong.status, wrong.code, wrong.challenge) == (401, "invalid_token", 'Bearer error="invalid_token"')


async def test_a_user_comes_in_where_the_role_is_right(site: Site, ask: Ask) -> None:
    answer = await signed_up(site.world)
    token, user_id = answer["session"]["access_token"], answer["user"]["id"]
    for where in ("/me", "/staff", "/pay", "/write"):
        let_in = await ask(where, token)
        assert (let_in.status, let_in.body) == (200, {"id": user_id, "actor": None}), where
    refused = await ask("/admin", token)
    assert (refused.status, refused.code, refused.challenge) == (403, "insufficient_role", None)
    await site.world.send("PATCH", f"/v1/users/{user_id}", {"role": "admin"})
    sign_in = {"email": "v@example.com", "password": "a long password"}
    again = await site.world.send("POST", "/v1/auth/sign-in", sign_in, key=site.world.publishable_key)
    assert (await ask("/admin", again.json()["session"]["access_token"])).status == 200


async def test_who_acts_for_the_user_is_refused_where_that_is_said(site: Site, ask: Ask) -> None:
    user_id = (await signed_up(site.world))["user"]["id"]
    acting = await impersonated(site.world, user_id)
    let_in = await ask("/me", acting)
    assert let_in.body == {"id": user_id, "actor": site.world.secret_key_id}
    refused = await ask("/pay", acting)
    assert (refused.status, refused.code) == (403, "impersonation_forbidden")
    assert (await ask("/write", acting)).status == 200
    looking = await impersonated(site.world, user_id, read_only=True)
    assert (await ask("/me", looking)).status == 200
    refused = await ask("/write", looking)
    assert (refused.status, refused.code) == (403, "read_only")


@pytest.mark.parametrize("framework", MADE)
async def test_what_cannot_be_verified_now_is_503(site: Site, framework: str) -> None:
    token = (await signed_up(site.world))["session"]["access_token"]
    told = options_of(site, base_url="http://127.0.0.1:1", revocations=False)
    async with AsyncVerifier(**told) as in_loop:
        with Verifier(**told) as in_threads:
            refused = await MADE[framework](in_threads, in_loop)("/me", token)
    assert (refused.status, refused.code) == (503, "verification_unavailable")


async def test_a_view_that_requires_no_user_has_none() -> None:
    app = Flask("open")
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="no @require_user"):
        in_flask.current_user()
    with pytest.raises(RuntimeError, match="no @require_user"):
        in_django.current_user(HttpRequest())
    with pytest.raises(RuntimeError, match="no require_user"):
        in_litestar.current_user(litestar.Request({"type": "http", "state": {}}))
