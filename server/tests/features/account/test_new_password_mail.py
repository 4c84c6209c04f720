"""Telling users by mail that there is a new password, whoever set it, on both stores."""

from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import pytest

from hellojohn_server.kit.mail import Mail, MailServerDown
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, make_front, said
from tests.features.password_reset.parts import NEXT, force, forgot, newest_token, reset
from tests.support import running_app

Change = Callable[[Front, SignedIn], Awaitable[object]]
FORBIDDEN: Final = (PASSWORD, NEXT, "http://", "https://", "act_", "token")


async def by_link(front: Front, _alice: SignedIn) -> None:
    await forgot(front)
    assert await reset(front, await newest_token(front)) == (204, "")


async def by_forced_link(front: Front, alice: SignedIn) -> None:
    await force(front, alice.user_id)
    assert await reset(front, await newest_token(front)) == (204, "")


async def by_administrator(front: Front, alice: SignedIn) -> None:
    answer = await front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password": NEXT, "reason": "lost"})
    assert answer.status_code == httpx.codes.OK, answer.text


async def by_the_user(front: Front, alice: SignedIn) -> None:
    body = {"current_password": PASSWORD, "new_password": NEXT}
    answer = await front.post("password/change", body, key=alice.access)
    assert answer.status_code == httpx.codes.OK, answer.text


async def notices(front: Front) -> list[Mail]:
    return [mail for mail in await front.app.mails() if mail.subject == "Your password at Acme was changed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (by_link, "with a mailed link"),
        (by_forced_link, "with a mailed link"),
        (by_administrator, "by an administrator"),
        (by_the_user, "with the old one"),
    ],
)
async def test_the_user_is_told_once_and_nothing_secret(front: Front, change: Change, words: str) -> None:
    alice = await front.sign_up()
    await front.sign_up("bob@example.com")
    assert await notices(front) == []
    await change(front, alice)
    [mail] = await notices(front)
    assert mail.to == "alice@example.com"
    for form in (mail.text, mail.html):
        assert f"alice@example.com with Acme, {words}." in form
        for text in (*FORBIDDEN, "lost", alice.user_id, alice.session_id):
            assert text not in form
    assert await front.try_sign_in(password=NEXT) == (200, "")


async def test_what_is_refused_tells_nobody(front: Front) -> None:
    alice = await front.sign_up()
    body = {"current_password": "wrong", "new_password": NEXT}
    assert said(await front.post("password/change", body, key=alice.access)) == (401, "invalid_credentials")
    assert await reset(front, "act_1") == (401, "link_invalid")
    path = f"/v1/users/{alice.user_id}/password"
    assert said(await front.admin("PUT", path, {"password": "short"})) == (422, "validation_failed")
    assert await notices(front) == []


async def test_the_first_password_of_an_invitation_is_no_news(front: Front) -> None:
    await front.admin("POST", "/v1/users", {"email": "alice@example.com", "send_invitation": True})
    token = await newest_token(front)
    assert said(await front.post("invitation/accept", {"token": token, "password": NEXT})) == (204, "")
    assert await notices(front) == []


@pytest.mark.parametrize("change", [by_administrator, by_the_user])
async def test_a_dead_mail_server_holds_nothing_up(front: Front, change: Change) -> None:
    alice = await front.sign_up()
    front.app.mailbox.failure = MailServerDown("timeout")
    await change(front, alice)
    assert await notices(front) == []
    assert await front.try_sign_in(password=NEXT) == (200, "")


@pytest.mark.parametrize("change", [by_administrator, by_the_user])
async def test_without_mail_it_is_changed_all_the_same(database: Database, clock: ManualClock, change: Change) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        front = await make_front(app)
        alice = await front.sign_up()
        await change(front, alice)
        assert await front.try_sign_in(password=NEXT) == (200, "")
        assert (await front.admin("GET", "/v1/admin/emails")).json()["data"] == []
