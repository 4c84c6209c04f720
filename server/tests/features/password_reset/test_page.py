"""The built-in page of a reset, as a browser without scripts uses it, and as mail scanners open it."""

import asyncio
import html
import re
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front
from tests.features.password_reset.parts import NEXT, USED, force, forgot, newest_token, reset, told_last
from tests.support import RunningApp, running_app

PAGE: Final = "/account/reset-password"
TRACKED: Final = "&utm_source=mail&fbclid=x&utm_source=again&%ff=%zz&empty="


async def open_page(front: Front, token: str, more: str = "") -> httpx.Response:
    """Open the page as a link does."""
    return await front.app.get(f"{PAGE}?token={token}{more}")


async def submit(front: Front, token: str, password: str = NEXT, again: str | None = None) -> httpx.Response:
    """Send the form."""
    fields = {"token": token, "password": password, "again": password if again is None else again}
    return await front.app.post(PAGE, data=fields)


def text_of(answer: httpx.Response) -> str:
    """Return what a person reads on a page."""
    body = answer.text.partition("<body>")[2]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


async def asked(front: Front) -> str:
    """Sign up, ask for a link, and return its secret."""
    await front.sign_up()
    await forgot(front)
    return await newest_token(front)


async def test_a_form_sets_a_new_password(front: Front) -> None:
    token = await asked(front)
    shown = await open_page(front, token, TRACKED)
    assert shown.status_code == 200
    assert text_of(shown).startswith("Acme Choose a new password It takes the place of the old one")
    assert re.findall(r'<form method="post" action="([^"]*)">', shown.text) == ["reset-password"]
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]*?(?: value="([^"]*)")?[^>]*>', shown.text))
    assert fields.keys() == {"token", "password", "again"}
    assert fields["token"] == token
    done = await submit(front, token)
    assert done.status_code == 200
    assert text_of(done) == "Acme Your new password is set Close this page, and sign in with it."
    assert token not in done.text
    assert await front.try_sign_in(password=NEXT) == (200, "")
    [(actor, _, _, metadata)] = await told_last(front, "user.password_reset")
    assert (actor, metadata) == ("user", {"sessions_revoked": 1})


async def test_opening_the_page_uses_nothing_up(front: Front) -> None:
    token = await asked(front)
    entries = len(await front.entries())
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        assert (await front.app.request(method, f"{PAGE}?token={token}")).is_success
    assert len(await front.entries()) == entries
    assert await reset(front, token) == (204, "")


async def test_what_goes_out_with_the_page(front: Front) -> None:
    token = await asked(front)
    for answer in (await open_page(front, token), await submit(front, token), await open_page(front, "x")):
        headers = answer.headers
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "set-cookie" not in headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy["style-src"])
        assert "<script" not in answer.text
        assert re.findall(r"(?:src|href|url)\s*[=(]", answer.text) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": NEXT, "again": "another"}, "The two passwords are not the same."),
        ({"password": NEXT}, "The two passwords are not the same."),
        ({"password": "short", "again": "short"}, "8 characters"),
        ({}, "The two passwords are not the same."),
        ({"password": "a\x00" * 8, "again": "a\x00" * 8}, "U+0000"),
        ({"password": "x" * 1025, "again": "x" * 1025}, "1024"),
    ],
)
async def test_a_form_that_is_not_right_comes_again(front: Front, fields: dict[str, str], said: str) -> None:
    token = await asked(front)
    answer = await front.app.post(PAGE, data={"token": token, **fields})
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert f'value="{token}"' in answer.text
    assert NEXT not in answer.text
    assert (await submit(front, token)).status_code == 200


async def test_the_old_password_is_not_taken_where_another_is_required(front: Front) -> None:
    alice = await front.sign_up()
    await force(front, alice.user_id)
    token = await newest_token(front)
    answer = await submit(front, token, PASSWORD)
    assert (answer.status_code, "Must be another password than the old one." in text_of(answer)) == (422, True)
    assert (await submit(front, token)).status_code == 200


@pytest.mark.parametrize("method", ["open", "submit"])
async def test_a_link_that_is_not_good(front: Front, clock: ManualClock, method: str) -> None:
    do = open_page if method == "open" else submit
    used = await asked(front)
    await submit(front, used)
    await forgot(front)
    expired = await newest_token(front)
    clock.advance(3600)
    for token, said in (
        (used, "This link was used before."),
        (expired, "This link has expired."),
        (used[:-1], "This link is not valid"),
        ("", "This link is not valid"),
    ):
        answer = await do(front, token)
        assert (answer.status_code, said in text_of(answer)) == (410, True), answer.text
        assert "<form" not in answer.text
    assert await front.try_sign_in(password=NEXT) == (200, "")
    assert (await front.app.get(PAGE)).status_code == 410


async def test_a_tenant_that_is_closed_opens_no_page(front: Front, app: RunningApp) -> None:
    token = await asked(front)
    master = await app.make_master_key()
    await app.call(master, "POST", f"/v1/tenants/{front.tenant_id}/suspend")
    for answer in (await open_page(front, token), await submit(front, token)):
        assert (answer.status_code, "<form" in answer.text) == (410, False)
    await app.call(master, "POST", f"/v1/tenants/{front.tenant_id}/resume")
    assert (await submit(front, token)).status_code == 200


async def test_names_are_text(app: RunningApp, front: Front) -> None:
    master = await app.make_master_key()
    name = '<b onload="x">Acme & {co}'
    await app.call(master, "PATCH", f"/v1/tenants/{front.tenant_id}", {"name": name})
    token = await asked(front)
    answer = await open_page(front, token)
    assert "&lt;b onload=&quot;x&quot;&gt;Acme &amp; {co}" in answer.text
    assert "<b " not in answer.text


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"token": "x", "password": NEXT}}, 415),
        ({"content": b"token=" + b"x" * 20_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 413),
        ({"content": b"\xff\xfe", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 410),
        ({"content": b"a=1&" * 60, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 410),
        ({"content": b""}, 415),
    ],
)
async def test_what_is_no_form(front: Front, sent: dict[str, Any], status: int) -> None:
    answer = await front.app.post(PAGE, **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


async def test_the_secret_is_not_in_the_log(
    capsys: pytest.CaptureFixture[str], database: Database, clock: ManualClock
) -> None:
    async with running_app(database, clock) as app:
        front = await make_front(app)
        token = await asked(front)
        await open_page(front, token)
        await submit(front, token)
        await open_page(front, token)
    printed = capsys.readouterr().out
    assert PAGE in printed
    assert '"error":"link_used"' in printed
    assert token not in printed


async def test_of_many_forms_at_once_one_sets_the_password(front: Front) -> None:
    token = await asked(front)
    answers = await asyncio.gather(*(submit(front, token, f"a new password {n}") for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 7
    assert await reset(front, token) == USED
