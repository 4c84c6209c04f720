"""Forced resets on both stores: the old password is recognised and opens nothing, until a link has set another."""

import asyncio
from typing import Final

import httpx
import pytest

from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.features.password_reset.parts import INVALID, NEXT, USED, force, forgot, newest_token, reset, told_last
from tests.support import running_app

REQUIRED: Final = (403, "password_reset_required")
WRONG: Final = (401, "invalid_credentials")


async def user_of(front: Front, user_id: str) -> dict[str, object]:
    found: dict[str, object] = (await front.admin("GET", f"/v1/users/{user_id}")).json()
    return found


async def test_the_old_password_opens_nothing_until_the_link_set_another(front: Front) -> None:
    alice = await front.sign_up()
    answer = await force(front, alice.user_id, reason="a leak")
    assert (answer.status_code, answer.json()) == (202, {"email_queued": True, "sessions_revoked": 0})
    mail = (await front.app.mails())[-1]
    assert (mail.to, mail.subject) == ("alice@example.com", "Choose a new password for Acme")
    assert await front.try_sign_in() == REQUIRED
    assert await front.try_sign_in(password="wrong") == WRONG
    assert await front.me(alice.access) == (200, "")
    user = await user_of(front, alice.user_id)
    assert (user["password_reset_required"], user["version"]) == (True, 2)
    body = {"current_password": PASSWORD, "new_password": NEXT}
    assert said(await front.post("password/change", body, key=alice.access)) == REQUIRED
    token = await newest_token(front)
    assert await reset(front, token, PASSWORD) == (422, "validation_failed")
    assert await reset(front, token) == (204, "")
    assert await front.try_sign_in(password=NEXT) == (200, "")
    assert (await user_of(front, alice.user_id))["password_reset_required"] is False
    metadata = {"required": True, "sessions_revoked": 0}
    changes = {"password_reset_required": (False, True)}
    assert await told_last(front, "user.password_reset_forced") == [("api_key", alice.user_id, changes, metadata)]
    [(_, _, changes, _)] = await told_last(front, "user.password_reset")
    assert changes["password_reset_required"] == (True, False)


async def test_sessions_end_when_that_is_asked_for(front: Front) -> None:
    alice = await front.sign_up()
    await front.sign_in()
    answer = await force(front, alice.user_id, revoke_sessions=True)
    assert (answer.status_code, answer.json()) == (202, {"email_queued": True, "sessions_revoked": 2})
    assert await front.me(alice.access) == (401, "session_revoked")
    assert await front.try_refresh(alice.refresh) == (401, "session_revoked")
    session = (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json()
    assert session["revoked_reason"] == "password_reset_forced"


async def test_a_link_may_be_mailed_and_nothing_required(front: Front) -> None:
    alice = await front.sign_up()
    assert (await force(front, alice.user_id, require=False)).status_code == 202
    assert (await front.app.mails())[-1].subject == "Reset your password for Acme"
    user = await user_of(front, alice.user_id)
    assert (user["password_reset_required"], user["version"]) == (False, 1)
    assert await front.try_sign_in() == (200, "")
    metadata = {"required": False, "sessions_revoked": 0}
    assert await told_last(front, "user.password_reset_forced") == [("api_key", alice.user_id, {}, metadata)]
    assert await reset(front, await newest_token(front), PASSWORD) == (204, "")


async def test_what_is_required_stays_so(front: Front) -> None:
    alice = await front.sign_up()
    await force(front, alice.user_id)
    first = await newest_token(front)
    await force(front, alice.user_id, require=False)
    second = await newest_token(front)
    await forgot(front)
    third = await newest_token(front)
    user = await user_of(front, alice.user_id)
    assert (user["password_reset_required"], user["version"]) == (True, 2)
    assert [await reset(front, token) for token in (first, second, third)] == [INVALID, INVALID, (204, "")]
    assert await reset(front, third) == USED


async def test_an_administrators_password_ends_what_is_required(front: Front) -> None:
    alice = await front.sign_up()
    await force(front, alice.user_id)
    token = await newest_token(front)
    await front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password": NEXT})
    assert await front.try_sign_in(password=NEXT) == (200, "")
    assert await reset(front, token, "a third long one") == INVALID


async def test_who_was_made_without_a_password_sets_the_first(front: Front) -> None:
    made = (await front.admin("POST", "/v1/users", {"email": "new@example.com"})).json()
    assert (await force(front, made["id"])).status_code == 202
    token = await newest_token(front, "new@example.com")
    assert await reset(front, token) == (204, "")
    assert await front.try_sign_in("new@example.com", NEXT) == (200, "")


async def test_refusals(front: Front) -> None:
    alice = await front.sign_up()
    admin = (await front.admin("POST", "/v1/users", {"email": "boss@example.com", "role": "admin"})).json()["id"]
    other = await make_front(front.app)
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    assert said(await force(front, alice.user_id)) == (409, "user_deleted")
    assert said(await force(other, admin)) == (404, "user_not_found")
    assert said(await force(front, "usr_x")) == (404, "user_not_found")
    weak = await front.app.make_key(front.tenant_id, "users:write")
    path = f"/v1/users/{admin}/password-reset"
    assert said(await front.app.call(weak, "POST", path, {})) == (403, "insufficient_scope")
    reader = await front.app.make_key(front.tenant_id, "users:read", "users:credentials")
    assert said(await front.app.call(reader, "POST", path, {})) == (403, "insufficient_scope")
    stale = await front.app.call(front.secret, "POST", path, {}, headers={"If-Match": '"7"'})
    assert said(stale) == (412, "version_mismatch")
    assert [mail for mail in await front.app.mails() if "password" in mail.subject] == []
    assert await told_last(front, "user.password_reset_forced") == []
    assert (await force(front, admin)).status_code == 202


async def test_without_mail_settings_nothing_is_written(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        front = await make_front(app)
        alice = await front.sign_up()
        entries = len(await front.entries())
        assert said(await force(front, alice.user_id, revoke_sessions=True)) == (503, "mail_not_configured")
        body = {"user_ids": [alice.user_id]}
        answer = await front.admin("POST", "/v1/admin/users/bulk-password-reset", body)
        assert said(answer) == (503, "mail_not_configured")
        assert (await forgot(front)).status_code == 202
        assert len(await front.entries()) == entries
        assert (await user_of(front, alice.user_id))["password_reset_required"] is False
        assert await front.try_sign_in() == (200, "")
        assert await front.me(alice.access) == (200, "")


async def test_a_retry_mails_nothing_twice(front: Front) -> None:
    alice = await front.sign_up()
    path, headers = f"/v1/users/{alice.user_id}/password-reset", {"Idempotency-Key": "k"}
    answers: list[httpx.Response] = await asyncio.gather(
        *(front.app.call(front.secret, "POST", path, {}, headers=headers) for _ in range(8))
    )
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (202, b'{"email_queued":true,"sessions_revoked":0}')
    }
    assert [mail.subject for mail in await front.app.mails()][1:] == ["Choose a new password for Acme"]
    assert await reset(front, await newest_token(front)) == (204, "")


async def test_a_link_opens_the_applications_own_page(front: Front) -> None:
    alice = await front.sign_up()
    await front.admin("PATCH", "/v1/admin/config", {"urls": {"reset_url": "https://app.example.com/new?a=b"}})
    await force(front, alice.user_id)
    mail = (await front.app.mails())[-1]
    token = await newest_token(front)
    assert f"https://app.example.com/new?a=b&token={token}" in mail.text
    assert await reset(front, token) == (204, "")


@pytest.mark.parametrize("rounds", [3])
async def test_forced_and_forgotten_at_once_leave_one_good_link(front: Front, rounds: int) -> None:
    for number in range(rounds):
        email = f"user{number}@example.com"
        alice = await front.sign_up(email)
        before = len(await front.app.mails())
        await asyncio.gather(*(force(front, alice.user_id) if n % 2 else forgot(front, email) for n in range(16)))
        mails = (await front.app.mails())[before:]
        assert len(mails) == 16
        found = [mail.text.split("token=")[1].split()[0] for mail in mails]
        answers = [await reset(front, token, f"a new password {n}") for n, token in enumerate(found)]
        assert sorted(answers) == [(204, ""), *[INVALID] * 15]
