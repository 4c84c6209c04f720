"""Verification and invitation by mail on both stores: who is mailed, what a link does, and what is refused."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.features.password_reset.parts import EXPIRED, INVALID, NEXT, USED, newest_token, reset, told_last
from tests.support import PUBLIC_URL, running_app

NEW: Final = "new@example.com"


async def verify(front: Front, token: str) -> tuple[int, str]:
    return said(await front.post("email/verify", {"token": token}))


async def accept(front: Front, token: str, password: str = NEXT) -> tuple[int, str]:
    return said(await front.post("invitation/accept", {"token": token, "password": password}))


async def invite(front: Front, **fields: Any) -> httpx.Response:
    return await front.admin("POST", "/v1/users", {"email": NEW, "send_invitation": True, **fields})


async def resend(front: Front, user_id: str, what: str) -> httpx.Response:
    return await front.admin("POST", f"/v1/users/{user_id}/resend-{what}", {"reason": "asked for it"})


async def user_of(front: Front, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await front.admin("GET", f"/v1/users/{user_id}")).json()
    return found


async def verified_users(front: Front) -> int:
    return int((await front.admin("GET", "/v1/users?email_verified=true")).json()["pagination"]["total"])


async def test_who_signs_up_is_mailed_a_link_that_verifies(front: Front) -> None:
    alice = await front.sign_up()
    [mail] = await front.app.mails()
    assert (mail.to, mail.subject) == ("alice@example.com", "Confirm your address for Acme")
    token = await newest_token(front)
    assert f"{PUBLIC_URL}/account/verify-email?token={token}" in mail.text
    assert (await user_of(front, alice.user_id))["email_verified"] is False
    assert await verify(front, token) == (204, "")
    user = await user_of(front, alice.user_id)
    assert (user["email_verified"], user["version"]) == (True, 2)
    assert await verified_users(front) == 1
    assert await front.me(alice.access) == (200, "")
    assert await verify(front, token) == USED
    assert await told_last(front, "user.email_verified") == [
        ("user", alice.user_id, {"email_verified": (False, True)}, {})
    ]


async def test_a_verification_ends_after_a_day(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    token = await newest_token(front)
    clock.advance(86_400)
    assert await verify(front, token) == EXPIRED


async def test_a_link_for_one_purpose_is_none_for_another(front: Front) -> None:
    await front.sign_up()
    verification = await newest_token(front)
    await invite(front)
    invitation = await newest_token(front, NEW)
    assert await reset(front, verification) == INVALID
    assert await accept(front, verification) == INVALID
    assert await reset(front, invitation) == INVALID
    assert await verify(front, invitation) == INVALID
    assert await verify(front, verification) == (204, "")
    assert await accept(front, invitation) == (204, "")


async def test_what_was_verified_meanwhile_stays_so(front: Front) -> None:
    alice = await front.sign_up()
    token = await newest_token(front)
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email_verified": True})
    assert await verify(front, token) == (204, "")
    assert (await user_of(front, alice.user_id))["version"] == 2
    assert await verified_users(front) == 1
    assert await told_last(front, "user.email_verified") == [("user", alice.user_id, {}, {})]


async def test_of_16_at_once_one_verifies(front: Front) -> None:
    await front.sign_up()
    token = await newest_token(front)
    answers = await asyncio.gather(*(verify(front, token) for _ in range(16)))
    assert sorted(answers) == [(204, ""), *[USED] * 15]
    assert await verified_users(front) == 1
    assert len(await told_last(front, "user.email_verified")) == 1


async def test_an_invited_user_sets_the_first_password(front: Front) -> None:
    answer = await invite(front, name="New")
    made = answer.json()
    assert (answer.status_code, made["status"], made["email_verified"]) == (201, "pending", False)
    [mail] = await front.app.mails()
    assert (mail.to, mail.subject) == (NEW, "You are invited to Acme")
    token = await newest_token(front, NEW)
    assert f"{PUBLIC_URL}/account/accept-invitation?token={token}" in mail.text
    assert await front.try_sign_in(NEW, NEXT) == (401, "invalid_credentials")
    assert await accept(front, token, "short") == (422, "validation_failed")
    assert await accept(front, token) == (204, "")
    user = await user_of(front, made["id"])
    assert (user["status"], user["email_verified"]) == ("pending", True)
    assert await front.try_sign_in(NEW, NEXT) == (200, "")
    assert (await user_of(front, made["id"]))["status"] == "active"
    assert await accept(front, token) == USED
    assert [about for _, about, _, _ in await told_last(front, "user.invited")] == [made["id"]]
    assert await told_last(front, "user.invitation_accepted") == [
        ("user", made["id"], {"email_verified": (False, True)}, {"sessions_revoked": 0})
    ]


async def test_of_16_at_once_one_accepts(front: Front) -> None:
    await invite(front)
    token = await newest_token(front, NEW)
    answers = await asyncio.gather(*(accept(front, token, f"a new password {n}") for n in range(16)))
    assert sorted(answers) == [(204, ""), *[USED] * 15]


async def test_an_invitation_is_good_for_seven_days_and_until_it_is_sent_again(
    front: Front, clock: ManualClock
) -> None:
    made = (await invite(front)).json()
    first = await newest_token(front, NEW)
    clock.advance(7 * 86_400)
    assert await accept(front, first) == EXPIRED
    answer = await resend(front, made["id"], "invitation")
    assert (answer.status_code, answer.json()) == (202, {"email_queued": True})
    second = await newest_token(front, NEW)
    await resend(front, made["id"], "invitation")
    third = await newest_token(front, NEW)
    assert [await accept(front, token) for token in (first, second, third)] == [INVALID, INVALID, (204, "")]
    await front.sign_in(NEW, NEXT)
    assert said(await resend(front, made["id"], "invitation")) == (409, "user_not_pending")
    assert (await user_of(front, made["id"]))["version"] == 2
    assert [entry.reason for entry in await front.entries() if entry.type == "user.invited"] == [
        None,
        "asked for it",
        "asked for it",
    ]


async def test_a_verification_is_sent_again(front: Front) -> None:
    alice = await front.sign_up()
    first = await newest_token(front)
    answer = await resend(front, alice.user_id, "verification")
    assert (answer.status_code, answer.json()) == (202, {"email_queued": True})
    second = await newest_token(front)
    assert [await verify(front, token) for token in (first, second)] == [INVALID, (204, "")]
    assert said(await resend(front, alice.user_id, "verification")) == (409, "email_already_verified")
    assert said(await resend(front, alice.user_id, "invitation")) == (409, "user_not_pending")
    assert await told_last(front, "user.verification_sent") == [("api_key", alice.user_id, {}, {})]


@pytest.mark.parametrize("what", ["verification", "invitation"])
async def test_refusals(front: Front, what: str) -> None:
    alice = await front.sign_up()
    admin = (await invite(front, role="admin")).json()["id"]
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    mails = len(await front.app.mails())
    path = f"/v1/users/{admin}/resend-{what}"
    weak = await front.app.make_key(front.tenant_id, "users:write")
    assert said(await front.app.call(weak, "POST", path, {})) == (403, "insufficient_scope")
    assert said(await resend(front, alice.user_id, what)) == (409, "user_deleted")
    assert said(await resend(await make_front(front.app), admin, what)) == (404, "user_not_found")
    assert said(await resend(front, "usr_x", what)) == (404, "user_not_found")
    stale = await front.app.call(front.secret, "POST", path, {}, headers={"If-Match": '"7"'})
    assert said(stale) == (412, "version_mismatch")
    assert len(await front.app.mails()) == mails
    assert (await resend(front, admin, what)).status_code == 202


async def test_without_mail_settings(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        front = await make_front(app)
        alice = await front.sign_up()
        entries = len(await front.entries())
        assert said(await invite(front)) == (503, "mail_not_configured")
        for what in ("verification", "invitation"):
            assert said(await resend(front, alice.user_id, what)) == (503, "mail_not_configured")
        assert len(await front.entries()) == entries
        moved = await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": "bob@example.com"})
        assert moved.status_code == 200
        assert (await front.admin("POST", "/v1/users", {"email": NEW})).status_code == 201


async def test_the_old_address_is_told(front: Front) -> None:
    alice = await front.sign_up()
    before = len(await front.app.mails())
    path = f"/v1/users/{alice.user_id}"
    await front.admin("PATCH", path, {"email": "Alice@Example.com", "name": "A"})
    assert len(await front.app.mails()) == before
    await front.admin("PATCH", path, {"email": "bob@example.com"})
    [mail] = (await front.app.mails())[before:]
    assert (mail.to, mail.subject) == ("Alice@Example.com", "Your address at Acme was changed")
    assert "bob" not in mail.text + mail.html


async def test_a_user_who_is_in_the_bin_verifies_and_accepts_nothing(front: Front) -> None:
    alice = await front.sign_up()
    made = (await invite(front)).json()
    tokens = await newest_token(front), await newest_token(front, NEW)
    for user_id in (alice.user_id, made["id"]):
        await front.admin("DELETE", f"/v1/users/{user_id}")
    assert await verify(front, tokens[0]) == INVALID
    assert await accept(front, tokens[1]) == INVALID


async def test_an_administrators_password_ends_an_invitation(front: Front) -> None:
    made = (await invite(front)).json()
    token = await newest_token(front, NEW)
    await front.admin("PUT", f"/v1/users/{made['id']}/password", {"password": PASSWORD})
    assert await accept(front, token) == INVALID
    assert await front.try_sign_in(NEW) == (200, "")


@pytest.mark.parametrize(
    ("page", "sent", "button", "done"),
    [
        ("verify-email", {}, "Confirm the address", "Your address is confirmed"),
        ("accept-invitation", {"password": NEXT, "again": NEXT}, "Accept the invitation", "Welcome"),
    ],
)
async def test_the_built_in_pages(front: Front, page: str, sent: dict[str, str], button: str, done: str) -> None:
    await front.sign_up()
    await invite(front)
    token = await newest_token(front, NEW if sent else "alice@example.com")
    for _ in range(2):
        shown = await front.app.get(f"/account/{page}?token={token}&utm_source=mail")
        assert (shown.status_code, button in shown.text) == (200, True)
        assert ('type="password"' in shown.text) == bool(sent)
    answer = await front.app.post(f"/account/{page}", data={"token": token, **sent})
    assert (answer.status_code, done in answer.text) == (200, True), answer.text
    again = await front.app.post(f"/account/{page}", data={"token": token, **sent})
    assert (again.status_code, "This link was used before." in again.text) == (410, True)


async def test_a_retry_invites_nobody_twice(front: Front) -> None:
    body, headers = {"email": NEW, "send_invitation": True}, {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(front.app.call(front.secret, "POST", "/v1/users", body, headers=headers) for _ in range(8))
    )
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert len(await front.app.mails()) == 1
    assert await accept(front, await newest_token(front, NEW)) == (204, "")
