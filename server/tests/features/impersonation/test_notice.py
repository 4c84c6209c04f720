"""Telling the user by mail that somebody was given access in the user's place, on both stores."""

from typing import Any

import httpx
import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.mail import MailServerDown
from hellojohn_server.storage.database import Database
from tests.features.impersonation.parts import PATH, REASON, Desk, error_of, make_desk
from tests.features.users.parts import UserParts
from tests.support import running_app

ADMIN = {"X-Acting-Admin": "dana@example.com"}


async def told(desk: Desk) -> list[dict[str, Any]]:
    """Return what the entries say besides who and whom."""
    return [entry.metadata for entry in await desk.entries(type="user.impersonated")]


async def test_nobody_is_told_unless_the_tenant_says_so(desk: Desk) -> None:
    await desk.impersonate(await desk.make_user())
    assert list(await desk.app.mails()) == []
    assert "user_notified" not in (await told(desk))[0]


async def test_the_user_is_told_when_and_for_how_long_but_not_who_and_why(desk: Desk) -> None:
    await desk.set_config(notify_user=True)
    alice = await desk.make_user()
    await desk.call("POST", PATH, {"user_id": alice, "reason": REASON, "expires_in": "90m"}, **ADMIN)
    [mail] = await desk.app.mails()
    assert (mail.to, mail.subject) == ("alice@example.com", "The support of Acme looked into your account")
    for form in (mail.text, mail.html):
        assert "on 2026-09-21 14:13 UTC, for 90 minutes at most" in form
        for secret in (REASON, "8842", "dana", "ses_", "key_", "eyJ", "http://", "https://"):
            assert secret not in form
    assert (await told(desk))[0]["user_notified"] is True


async def test_a_text_of_the_tenant_says_who_and_why(desk: Desk) -> None:
    text = "{{ acting_admin }}: {{ reason }} ({{ started_at }}, {{ expires_in }})"
    mail = {"templates": {"impersonated": {"text": text, "html": f"<p>{text}</p>"}}}
    answer = await desk.call("PATCH", "/v1/admin/config", {"mail": mail, "impersonation": {"notify_user": True}})
    assert answer.status_code == httpx.codes.OK, answer.text
    alice = await desk.make_user()
    desk.clock.advance(0.5)
    await desk.call("POST", PATH, {"user_id": alice, "reason": "<b>ticket</b> & more"}, **ADMIN)
    await desk.ask(alice, expires_in="1m")
    first, second = await desk.app.mails()
    assert first.text == "dana@example.com: <b>ticket</b> & more (2026-09-21 14:13 UTC, 1 hour)"
    assert "dana@example.com: &lt;b&gt;ticket&lt;/b&gt; &amp; more (" in first.html
    assert second.text == f"test: {REASON} (2026-09-21 14:13 UTC, 1 minute)"


async def test_a_retry_tells_once_and_a_refusal_never(desk: Desk) -> None:
    await desk.set_config(notify_user=True)
    alice, eve = await desk.make_user(), await desk.make_user("eve", status="banned")
    assert await desk.impersonate(alice, retry="one") == await desk.impersonate(alice, retry="one")
    assert error_of(await desk.ask(eve)) == (409, "user_banned")
    assert [mail.to for mail in await desk.app.mails()] == ["alice@example.com"]


async def test_a_dead_mail_server_holds_nothing_up(desk: Desk) -> None:
    await desk.set_config(notify_user=True)
    alice = await desk.make_user()
    desk.app.mailbox.failure = MailServerDown("timeout")
    await desk.impersonate(alice)
    assert list(await desk.app.mails()) == []
    desk.app.mailbox.failure = None
    desk.clock.advance(60)
    await desk.app.services.emails.ring_if_due(desk.tenant_id, desk.clock.now_ms())
    assert len(await desk.app.mails()) == 1


@pytest.mark.parametrize("notify", [True, False])
async def test_without_mail_it_begins_and_the_entry_says_that_nobody_was_told(
    database: Database, clock: Clock, parts: UserParts, *, notify: bool
) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        desk = await make_desk(app, parts)
        await desk.set_config(notify_user=notify)
        alice = await desk.make_user()
        assert (await desk.ask(alice)).status_code == httpx.codes.OK
        assert [one.get("user_notified") for one in await told(desk)] == [False if notify else None]
        mails = (await desk.call("GET", f"/v1/admin/emails?user_id={alice}")).json()["data"]
        assert mails == []
