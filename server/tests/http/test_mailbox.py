"""/dev/mailbox: every mail that `hj dev` kept, as a page that runs nothing, and nowhere but there."""

import json
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from hellojohn_server.http.mailbox import links_in
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mail, Mailbox
from hellojohn_server.storage.database import Database
from tests.conftest import START_MS, ManualClock
from tests.features.emails.parts import SECRET, queue
from tests.http.things import Door
from tests.support import running_app

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def mail(number: int, **values: Any) -> Mail:
    given = {
        "from_name": "Acme",
        "from_address": "no-reply@localhost",
        "to": f"user{number}@example.com",
        "subject": f"Mail {number}",
        "text": f"Go to https://example.com/{number}?a=1&b=2.\n",
        "html": f'<a href="https://example.com/{number}">go</a>',
        "created_at": START_MS + number,
    }
    return Mail(message_id=f"eml_{number}@localhost", **{**given, **values})


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def open_door(ids: IdFactory, mailbox: Mailbox) -> Door:
    return Door(ids, HttpSettings(), mailbox=mailbox)


async def test_the_list_has_the_newest_first_as_a_page_and_as_json(open_door: Door, mailbox: Mailbox) -> None:
    empty = await open_door.call("GET", "/dev/mailbox")
    assert "no mail yet" in empty.text
    for number in range(3):
        await mailbox.send(mail(number))
    listed = await open_door.call("GET", "/dev/mailbox")
    assert listed.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(listed.text)
    assert [link["href"] for link in page.named("a")] == [f"/dev/mailbox/eml_{number}" for number in (2, 1, 0)]
    asked = await open_door.call("GET", "/dev/mailbox", headers={"accept": "application/json"})
    as_json = await open_door.call("GET", "/dev/mailbox.json")
    assert asked.json() == as_json.json()
    assert [row["id"] for row in as_json.json()["data"]] == ["eml_2", "eml_1", "eml_0"]
    assert as_json.json()["data"][0] == {
        "id": "eml_2",
        "to": "user2@example.com",
        "from_name": "Acme",
        "from_address": "no-reply@localhost",
        "reply_to": None,
        "subject": "Mail 2",
        "text": "Go to https://example.com/2?a=1&b=2.\n",
        "html": '<a href="https://example.com/2">go</a>',
        "links": ["https://example.com/2?a=1&b=2"],
        "created_at": "2026-09-21T14:13:20.002Z",
    }


async def test_a_mail_has_a_page_with_its_links_and_its_html_in_a_frame_that_runs_nothing(
    open_door: Door, mailbox: Mailbox
) -> None:
    html = f'<p style="color:red">{EVIL}</p>'
    await mailbox.send(mail(1, subject=EVIL, from_name=EVIL, text=f"{EVIL}\nhttps://example.com/1?a=1&b=2", html=html))
    answer = await open_door.call("GET", "/dev/mailbox/eml_1")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    page = Page(answer.text)
    assert page.named("script") == page.named("img") == []
    assert "https://example.com/1?a=1&b=2" in [link["href"] for link in page.named("a")]
    assert page.text.count(EVIL) >= 3
    [frame] = page.named("iframe")
    assert frame["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert frame["srcdoc"] == f'<base target="_blank">{html}'
    missing = await open_door.call("GET", "/dev/mailbox/eml_2")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json", "/dev/mailbox/eml_1"])
async def test_wrong_input_is_refused(open_door: Door, mailbox: Mailbox, path: str) -> None:
    await mailbox.send(mail(1))
    assert (await open_door.call("GET", f"{path}?x=1")).status_code == 422
    assert (await open_door.call("POST", path)).status_code == 405


async def test_only_the_last_five_hundred_are_kept(mailbox: Mailbox) -> None:
    for number in range(510):
        await mailbox.send(mail(number))
    assert (len(mailbox.mails), mailbox.mails[0].subject) == (500, "Mail 10")


def test_an_address_ends_before_the_point_of_its_sentence() -> None:
    text = "See https://a.example/x?y=(1), or http://b.example/ <https://c.example>."
    assert list(links_in(text)) == ["https://a.example/x?y=(1", "http://b.example/", "https://c.example"]


async def test_production_has_no_mailbox(database: Database, clock: ManualClock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids) as app:
        tenant_id = await app.make_tenant()
        await queue(app, tenant_id)
        await app.mails()
        for path in ("/dev/mailbox", "/dev/mailbox.json", "/dev/mailbox/eml_1"):
            answer: httpx.Response = await app.call(None, "GET", path)
            assert answer.status_code == 404
            assert SECRET not in answer.text
            assert json.loads(answer.text)["error"]["code"] == "not_found"
