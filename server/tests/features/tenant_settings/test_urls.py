"""The application's own pages that mailed links open: which URLs are taken, and by whom they may be changed."""

from typing import Final

import pytest

from tests.features.tenant_settings.test_routes import NO_URLS, PATH, entries, error_of
from tests.support import RunningApp

OWN: Final = {
    "reset_url": "https://app.example.com/new-password?lang=en",
    "verification_url": "https://app.example.com/verify",
    "invitation_url": "http://localhost:5173/invited",
    "magic_link_url": "http://[::1]:8080/",
    "organization_invitation_url": "https://app.example.com/join",
}


async def test_pages_are_set_and_put_back(app: RunningApp) -> None:
    key = await app.make_key(await app.make_tenant())
    answer = await app.call(key, "PATCH", PATH, {"urls": OWN})
    assert (answer.status_code, answer.json()["urls"]) == (200, OWN)
    answer = await app.call(key, "PATCH", PATH, {"urls": {"reset_url": None}})
    assert answer.json()["urls"] == {**OWN, "reset_url": None}
    answer = await app.call(key, "PATCH", PATH, {"urls": None})
    assert answer.json()["urls"] == NO_URLS
    assert (await entries(app, key))[1]["changes"] == {"urls.reset_url": [OWN["reset_url"], None]}


async def test_they_say_whom_to_trust(app: RunningApp) -> None:
    lesser = await app.make_key(await app.make_tenant(), "*")
    refused = await app.call(lesser, "PATCH", PATH, {"urls": {"reset_url": OWN["reset_url"]}})
    assert error_of(refused) == (403, "insufficient_scope", [("scope", "missing_scope")])
    assert (await app.call(lesser, "GET", PATH)).json()["urls"] == NO_URLS


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/",
        "http://127.0.0.1.example.com/",
        "https://",
        "https:///path",
        "https://app.example.com/#/reset",
        "https://user@app.example.com/",
        "https://user:secret@app.example.com/",
        "https://app.example.com:0/",
        "https://app.example.com:x/",
        "https://app.example.com/a b",
        "https://app.example.com/\n",
        "https://ap\u0440.example.com/",
        "https://app.example.com/?token=x",
        'https://app.example.com/"',
        "https:\\\\app.example.com",
        "javascript:alert(1)",
        "//app.example.com/",
        "app.example.com",
        "",
    ],
)
async def test_what_is_no_page(app: RunningApp, url: str) -> None:
    key = await app.make_key(await app.make_tenant())
    answer = await app.call(key, "PATCH", PATH, {"urls": {"reset_url": url}})
    assert error_of(answer) == (422, "validation_failed", [("urls.reset_url", "invalid")])
    long = {"urls": {"reset_url": "https://app.example.com/" + "a" * 2048}}
    answer = await app.call(key, "PATCH", PATH, long)
    assert error_of(answer) == (422, "validation_failed", [("urls.reset_url", "too_long")])
