"""Signing in by a mailed link on both stores: it stands for the password, and for nothing else."""

import asyncio
from typing import Any, Final

import httpx
import jwt
import pytest

from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, kept, make_front, said
from tests.features.mfa.parts import STEP, begin, challenge, confirm, enrolled, verify
from tests.features.password_reset.parts import EXPIRED, INVALID, NEXT, USED, force, newest_token, reset, told_last
from tests.support import RunningApp, running_app

PAGE: Final = "https://app.example.com/enter"
ACCEPTED: Final = (202, b'{"accepted":true}')


async def set_page(front: Front, page: str | None = PAGE) -> None:
    """Name the page of the application that links open."""
    answer = await front.admin("PATCH", "/v1/admin/config", {"urls": {"magic_link_url": page}})
    assert answer.status_code == 200, answer.text


async def ask(front: Front, email: str = "alice@example.com") -> httpx.Response:
    return await front.post("magic-link", {"email": email})


async def enter(front: Front, token: str) -> httpx.Response:
    return await front.post("magic-link/verify", {"token": token})


async def asked(front: Front, email: str = "alice@example.com") -> str:
    """Ask for a link, and return its secret."""
    answer = await ask(front, email)
    assert (answer.status_code, answer.content) == ACCEPTED
    mail = (await front.app.mails())[-1]
    assert (mail.to, mail.subject) == (email, "Sign in to Acme")
    return await newest_token(front, email)


@pytest.fixture
async def mallory(front: Front) -> SignedIn:
    """Whoever signed up with the address of alice, and did not show to have it."""
    await set_page(front)
    signed_up = await front.sign_up()
    await front.app.mails()
    return signed_up


@pytest.fixture
async def alice(front: Front, mallory: SignedIn) -> SignedIn:
    """Who signed up with an address that is verified since."""
    answer = await front.admin("PATCH", f"/v1/users/{mallory.user_id}", {"email_verified": True})
    assert answer.status_code == 200, answer.text
    return mallory


async def test_a_link_signs_in(front: Front, alice: SignedIn) -> None:
    token = await asked(front)
    mail = (await front.app.mails())[-1]
    assert f"{PAGE}?token={token}" in mail.text
    assert "15 minutes" in mail.text
    answer = await enter(front, token)
    session = kept(answer)
    assert session.user_id == alice.user_id
    assert (answer.json()["user"]["email_verified"], answer.json()["user"]["version"]) == (True, 2)
    for signed_in in (session, alice):
        assert await front.me(signed_in.access) == (200, "")
    assert (await front.refresh(session.refresh)).session_id == session.session_id
    found = (await front.admin("GET", f"/v1/sessions/{session.session_id}")).json()
    assert found["amr"] == ["email"]
    verified = (await front.admin("GET", "/v1/users?email_verified=true")).json()
    assert verified["pagination"]["total"] == 1
    assert await told_last(front, "user.magic_link_requested") == [("api_key", alice.user_id, {}, {})]
    entry = (await told_last(front, "user.signed_in"))[-1]
    assert entry == ("user", alice.user_id, {}, {"session_id": session.session_id, "amr": ["email"]})
    assert said(await enter(front, token)) == USED


async def test_a_link_that_verifies_the_address_ends_what_was_there_before(front: Front, mallory: SignedIn) -> None:
    session = kept(await enter(front, await asked(front)))
    assert session.user_id == mallory.user_id
    assert await front.me(session.access) == (200, "")
    assert await front.me(mallory.access) == (401, "session_revoked")
    assert said(await front.post("token/refresh", {"refresh_token": mallory.refresh})) == (401, "session_revoked")
    body = {"email": "alice@example.com", "password": PASSWORD}
    assert said(await front.post("sign-in", body)) == (401, "invalid_credentials")
    ended = (await front.admin("GET", f"/v1/sessions/{mallory.session_id}")).json()
    assert ended["revoked_reason"] == "email_verified"
    taken = {"password_removed": True, "sessions_revoked": 1, "passkeys_removed": 0}
    verified = {"email_verified": (False, True)}
    assert await told_last(front, "user.email_verified") == [("user", mallory.user_id, verified, taken)]
    again = kept(await enter(front, await asked(front)))
    for held in (session, again):
        assert await front.me(held.access) == (200, "")


async def test_a_link_ends_after_a_quarter_of_an_hour(front: Front, alice: SignedIn, clock: ManualClock) -> None:
    token = await asked(front)
    clock.advance(899.999)
    assert (await enter(front, token)).status_code == 200
    token = await asked(front)
    clock.advance(900)
    assert said(await enter(front, token)) == EXPIRED


async def test_the_newest_link_is_good_and_only_for_this(front: Front, alice: SignedIn) -> None:
    first, second = await asked(front), await asked(front)
    assert said(await enter(front, first)) == INVALID
    assert await reset(front, second) == INVALID
    assert (await enter(front, second)).status_code == 200


async def test_links_die_with_the_password(front: Front, alice: SignedIn) -> None:
    token = await asked(front)
    body = {"current_password": PASSWORD, "new_password": NEXT}
    assert (await front.post("password/change", body, key=alice.access)).status_code == 200
    assert said(await enter(front, token)) == INVALID


async def test_everybody_gets_the_same_answer(front: Front, alice: SignedIn) -> None:
    users = {name: await front.sign_up(f"{name}@example.com") for name in ("disabled", "banned", "binned", "reset")}
    await front.admin("POST", f"/v1/users/{users['disabled'].user_id}/disable")
    await front.admin("POST", f"/v1/users/{users['banned'].user_id}/ban")
    await front.admin("DELETE", f"/v1/users/{users['binned'].user_id}")
    await force(front, users["reset"].user_id)
    entries, mails = len(await front.entries()), len(await front.app.mails())
    for name in (*users, "nobody"):
        answer = await ask(front, f"{name}@example.com")
        assert (answer.status_code, answer.content) == ACCEPTED
    assert (len(await front.entries()), len(await front.app.mails())) == (entries, mails)
    await set_page(front, None)
    assert (await ask(front)).content == ACCEPTED[1]
    assert len(await front.app.mails()) == mails


async def test_without_mail_settings_nothing_is_written(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        front = await make_front(app)
        await set_page(front)
        await front.sign_up()
        entries = len(await front.entries())
        answer = await ask(front)
        assert (answer.status_code, answer.content) == ACCEPTED
        assert len(await front.entries()) == entries


@pytest.mark.parametrize(
    ("act", "undo", "code"),
    [
        (("POST", "disable", None), ("POST", "enable"), "account_disabled"),
        (("POST", "ban", {"reason": "spam"}), ("POST", "unban"), "account_banned"),
    ],
)
async def test_what_keeps_a_user_out_does_so_here(
    front: Front, mallory: SignedIn, act: tuple[str, str, Any], undo: tuple[str, str], code: str
) -> None:
    token = await asked(front)
    await front.admin(act[0], f"/v1/users/{mallory.user_id}/{act[1]}", act[2])
    assert said(await enter(front, token)) == (403, code)
    assert (await front.admin("GET", f"/v1/users/{mallory.user_id}")).json()["email_verified"] is False
    await front.admin(undo[0], f"/v1/users/{mallory.user_id}/{undo[1]}")
    assert (await enter(front, token)).status_code == 200


async def test_a_required_reset_is_not_passed_by(front: Front, alice: SignedIn) -> None:
    token = await asked(front)
    await force(front, alice.user_id)
    assert said(await enter(front, token)) == (403, "password_reset_required")


async def test_a_second_factor_is_asked_for(front: Front, clock: ManualClock) -> None:
    await set_page(front)
    alice, authenticator = await enrolled(front, clock)
    await front.app.mails()
    token = await asked(front)
    answer = await enter(front, token)
    assert said(answer) == (403, "mfa_required")
    error = answer.json()["error"]
    assert [factor["id"] for factor in error["factors"]] == [authenticator.factor_id]
    assert said(await enter(front, token)) == USED
    body = {"challenge_id": error["challenge_id"], "code": authenticator.code()}
    session = kept(await front.post("mfa/verify", body))
    assert session.user_id == alice.user_id
    assert await front.me(session.access) == (200, "")
    found = (await front.admin("GET", f"/v1/sessions/{session.session_id}")).json()
    assert found["amr"] == jwt.decode(session.access, options={"verify_signature": False})["amr"]
    assert found["amr"] == ["email", "otp", "mfa"]
    entry = (await told_last(front, "user.signed_in"))[-1]
    assert entry[3]["amr"] == ["email", "otp", "mfa"]
    refreshed = await front.refresh(session.refresh)
    assert jwt.decode(refreshed.access, options={"verify_signature": False})["amr"] == ["email", "otp", "mfa"]


async def test_each_challenge_keeps_its_own_first_step(front: Front, clock: ManualClock) -> None:
    await set_page(front)
    alice, authenticator = await enrolled(front, clock)
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email_verified": True})
    await front.app.mails()
    by_link = (await enter(front, await asked(front))).json()["error"]["challenge_id"]
    by_password = await challenge(front)
    first = kept(await verify(front, by_password, authenticator.code()))
    second = kept(await verify(front, by_link, authenticator.backup_codes[0]))
    amr = [(await front.admin("GET", f"/v1/sessions/{one.session_id}")).json()["amr"] for one in (first, second)]
    assert amr == [["pwd", "otp", "mfa"], ["email", "otp", "mfa"]]


async def test_a_link_lets_who_lacks_a_factor_that_is_asked_for_enrol_and_no_more(
    front: Front, alice: SignedIn, clock: ManualClock
) -> None:
    assert said(await front.admin("PATCH", "/v1/admin/config", {"mfa": {"required": "all"}})) == (200, "")
    answer = await enter(front, await asked(front))
    session = kept(answer)
    assert answer.json()["session"]["mfa_enrollment_required"] is True
    audience = jwt.decode(session.access, options={"verify_signature": False})["aud"]
    assert audience == f"{front.tenant_id}:mfa_enrollment"
    assert await front.me(session.access) == (403, "mfa_enrollment_required")
    authenticator = await begin(front, session.access, clock)
    assert said(await confirm(front, session.access, authenticator)) == (200, "")
    session = await front.refresh(session.refresh)
    assert await front.me(session.access) == (200, "")
    clock.advance(STEP)
    again = await enter(front, await asked(front))
    assert said(again) == (403, "mfa_required")
    finished = await verify(front, again.json()["error"]["challenge_id"], authenticator.code())
    assert await front.me(kept(finished).access) == (200, "")


async def test_who_has_no_password_signs_in(front: Front) -> None:
    await set_page(front)
    made = (await front.admin("POST", "/v1/users", {"email": "new@example.com"})).json()
    assert kept(await enter(front, await asked(front, "new@example.com"))).user_id == made["id"]


async def test_of_16_at_once_one_signs_in(front: Front, alice: SignedIn) -> None:
    token = await asked(front)
    answers = await asyncio.gather(*(enter(front, token) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [(200, ""), *[USED] * 15]
    sessions = (await front.admin("GET", f"/v1/users/{alice.user_id}/sessions")).json()
    assert sessions["pagination"]["total"] == 2


async def test_a_sign_in_against_a_disable_leaves_no_session(front: Front, alice: SignedIn) -> None:
    for _ in range(6):
        token = await asked(front)
        entered, _ = await asyncio.gather(
            enter(front, token), front.admin("POST", f"/v1/users/{alice.user_id}/disable")
        )
        if entered.is_success:
            assert await front.me(kept(entered).access) == (401, "session_revoked")
        await front.admin("POST", f"/v1/users/{alice.user_id}/enable")


async def test_another_tenants_link_is_none(front: Front, alice: SignedIn, app: RunningApp) -> None:
    other = await make_front(app)
    await other.sign_up()
    await app.mails()
    token = await asked(front)
    assert said(await enter(other, token)) == INVALID
    assert (await enter(front, token)).status_code == 200
