"""A user's own change of address on both stores: asked for with the password, done by the link that is mailed there."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.kit.mail import Mail
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, make_front, said
from tests.features.password_reset.parts import (
    EXPIRED,
    INVALID,
    NEXT,
    USED,
    force,
    forgot,
    newest_token,
    reset,
    token_in,
    told_last,
)
from tests.support import PUBLIC_URL, RunningApp, running_app

OLD: Final = "alice@example.com"
NEW: Final = "Alice@New.example.com"
ACCEPTED: Final = (202, b'{"accepted":true}')
TAKEN: Final = (409, "email_already_exists")
WRONG: Final = (401, "invalid_credentials")
LIST_TOKENS: Final = Statement("SELECT * FROM action_tokens WHERE tenant_id = :tenant_id")
VERSION_AND_ADDRESS: Final = ("email", "email_verified", "version")


async def ask(front: Front, user: SignedIn, email: str = NEW, password: str = PASSWORD) -> httpx.Response:
    return await front.post("me/email", {"email": email, "current_password": password}, key=user.access)


async def asked(front: Front, user: SignedIn, email: str = NEW) -> str:
    """Ask for an address, and return the secret that went there."""
    answer = await ask(front, user, email)
    assert (answer.status_code, answer.content) == ACCEPTED, answer.text
    return await newest_token(front, email)


async def confirm(front: Front, token: str) -> tuple[int, str]:
    return said(await front.post("email/verify", {"token": token}))


async def shown(front: Front, user: SignedIn) -> tuple[Any, ...]:
    user_body = (await front.admin("GET", f"/v1/users/{user.user_id}")).json()
    return tuple(user_body[name] for name in VERSION_AND_ADDRESS)


async def mails_to(front: Front, address: str) -> list[Mail]:
    return [mail for mail in await front.app.mails() if mail.to == address]


@pytest.fixture
async def alice(front: Front) -> SignedIn:
    signed_up = await front.sign_up()
    await front.app.mails()
    return signed_up


async def test_the_address_changes_when_the_link_is_used(front: Front, alice: SignedIn) -> None:
    other = await front.sign_in()
    token = await asked(front, alice)
    [mail] = await mails_to(front, NEW)
    assert mail.subject == "Confirm your address for Acme"
    assert f"{PUBLIC_URL}/account/verify-email?token={token}" in mail.text
    assert "24 hours" in mail.text
    assert len(await mails_to(front, OLD)) == 1  # that of the sign-up
    assert await shown(front, alice) == (OLD, False, 1)
    assert await front.try_sign_in(OLD) == (200, "")
    assert await front.try_sign_in(NEW) == WRONG

    assert await confirm(front, token) == (204, "")

    assert await shown(front, alice) == (NEW, True, 2)
    assert await front.try_sign_in(NEW.lower()) == (200, "")
    assert await front.try_sign_in(OLD) == WRONG
    told = (await mails_to(front, OLD))[-1]
    assert told.subject == "Your address at Acme was changed"
    assert "act_" not in told.text + told.html
    assert NEW not in told.text + told.html
    for session in (alice, other):
        assert await front.me(session.access) == (401, "token_stale")
        assert await front.me((await front.refresh(session.refresh)).access) == (200, "")
    listed = (await front.admin("GET", "/v1/users?email_verified=true")).json()
    assert listed["pagination"]["total"] == 1
    assert (await front.admin("POST", "/v1/admin/users/search", {"query": "new.example"})).json()["data"] != []
    assert await told_last(front, "user.email_change_requested") == [("user", alice.user_id, {}, {})]
    changes = {"email": (OLD, NEW), "email_verified": (False, True)}
    assert await told_last(front, "user.email_changed") == [("user", alice.user_id, changes, {})]
    assert await confirm(front, token) == USED
    await front.sign_up(OLD)


async def test_the_page_that_opens_the_link_changes_it_too(front: Front, alice: SignedIn) -> None:
    token = await asked(front, alice)
    client = front.app
    page = await client.get(f"/account/verify-email?token={token}&utm_source=mail")
    assert (page.status_code, NEW in page.text) == (200, False)
    assert await shown(front, alice) == (OLD, False, 1)
    done = await client.post("/account/verify-email", data={"token": token})
    assert (done.status_code, "Your address is confirmed" in done.text) == (200, True)
    assert await shown(front, alice) == (NEW, True, 2)
    assert (await client.get(f"/account/verify-email?token={token}")).status_code == 410


async def test_the_application_may_have_a_page_of_its_own(front: Front, alice: SignedIn) -> None:
    page = "https://app.example.com/confirm"
    await front.admin("PATCH", "/v1/admin/config", {"urls": {"verification_url": page}})
    token = await asked(front, alice)
    assert f"{page}?token={token}" in (await mails_to(front, NEW))[-1].text


@pytest.mark.parametrize("email", [OLD, "ALICE@EXAMPLE.COM", "ａlice@example.com"])
async def test_the_address_that_one_has_is_refused(front: Front, alice: SignedIn, email: str) -> None:
    answer = await ask(front, alice, email)
    assert said(answer) == (422, "validation_failed")
    assert [fault["field"] for fault in answer.json()["error"]["details"]] == ["email"]


async def test_a_wrong_password_asks_for_nothing_and_counts(front: Front, alice: SignedIn) -> None:
    mails = len(await front.app.mails())
    for _ in range(10):
        assert said(await ask(front, alice, password="wrong")) == WRONG
    assert said(await ask(front, alice)) == (403, "account_locked")
    assert len(await front.app.mails()) == mails
    assert await told_last(front, "user.email_change_requested") == []


async def test_where_a_reset_is_required_the_old_password_is_good_for_nothing(front: Front, alice: SignedIn) -> None:
    await front.admin("POST", f"/v1/users/{alice.user_id}/password-reset", {})
    assert said(await ask(front, alice)) == (403, "password_reset_required")


async def test_whether_an_address_is_taken_is_said_to_its_owner_alone(front: Front, alice: SignedIn) -> None:
    users = {name: await front.sign_up(f"{name}@example.com") for name in ("bob", "binned", "banned", "disabled")}
    await front.admin("DELETE", f"/v1/users/{users['binned'].user_id}")
    await front.admin("POST", f"/v1/users/{users['banned'].user_id}/ban")
    await front.admin("POST", f"/v1/users/{users['disabled'].user_id}/disable")
    erased = await front.sign_up("erased@example.com")
    await front.admin("POST", f"/v1/users/{erased.user_id}/ban")
    await front.admin("DELETE", f"/v1/users/{erased.user_id}?permanent=true")
    before = {mail.message_id for mail in await front.app.mails()}
    free = await ask(front, alice, "free@example.com")
    for name in (*users, "erased"):
        answer = await ask(front, alice, f"{name.upper()}@example.com")
        assert (answer.status_code, answer.content) == (free.status_code, free.content) == ACCEPTED
    new = [mail for mail in await front.app.mails() if mail.message_id not in before]
    assert {mail.to: mail.subject for mail in new} == {
        "free@example.com": "Confirm your address for Acme",
        "bob@example.com": "You already have an account with Acme",
    }
    assert len(new) == 2
    assert all(OLD not in mail.text + mail.html for mail in new)
    entries = await told_last(front, "user.email_change_requested")
    assert entries == [("user", alice.user_id, {}, {})] * 6
    assert (await shown(front, alice))[0] == OLD


async def test_asking_again_ends_what_was_asked_before_whoever_has_the_address(front: Front, alice: SignedIn) -> None:
    await front.sign_up("bob@example.com")
    first = await asked(front, alice)
    second = await asked(front, alice, "second@example.com")
    assert await confirm(front, first) == INVALID
    await ask(front, alice, "bob@example.com")
    assert await confirm(front, second) == INVALID
    third = await asked(front, alice)
    assert await confirm(front, third) == (204, "")


@pytest.mark.parametrize("way", ["sign_up", "binned", "banned", "erased under a ban"])
async def test_an_address_that_was_taken_meanwhile_is_refused_alike(front: Front, alice: SignedIn, way: str) -> None:
    token = await asked(front, alice)
    bob = await front.sign_up(NEW.upper())
    if way != "sign_up":
        await front.admin("POST", f"/v1/users/{bob.user_id}/ban")
    if way == "binned":
        await front.admin("POST", f"/v1/users/{bob.user_id}/unban")
        await front.admin("DELETE", f"/v1/users/{bob.user_id}")
    if way == "erased under a ban":
        await front.admin("DELETE", f"/v1/users/{bob.user_id}?permanent=true")
    answer = await front.post("email/verify", {"token": token})
    assert said(answer) == TAKEN
    assert answer.json()["error"]["message"] == "Another user has this e-mail address."
    assert await shown(front, alice) == (OLD, False, 1)
    assert await told_last(front, "user.email_changed") == []
    page = await front.app.post("/account/verify-email", data={"token": token})
    assert page.status_code == httpx.codes.CONFLICT
    if way != "sign_up":
        return
    await front.admin("DELETE", f"/v1/users/{bob.user_id}?permanent=true")
    assert await confirm(front, token) == (204, "")


async def test_a_link_ends_after_a_day(front: Front, alice: SignedIn, clock: ManualClock) -> None:
    token = await asked(front, alice)
    clock.advance(86_399.999)
    alice = await front.sign_in()
    assert await confirm(front, token) == (204, "")
    alice = await front.refresh(alice.refresh)
    token = await asked(front, alice, "third@example.com")
    clock.advance(86_400)
    assert await confirm(front, token) == EXPIRED


async def by_own_password(front: Front, alice: SignedIn) -> None:
    body = {"current_password": PASSWORD, "new_password": NEXT}
    assert said(await front.post("password/change", body, key=alice.access)) == (200, "")


async def by_set_password(front: Front, alice: SignedIn) -> None:
    await front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password": NEXT})


async def by_reset(front: Front, _alice: SignedIn) -> None:
    await forgot(front)
    assert await reset(front, await newest_token(front)) == (204, "")


async def by_required_reset(front: Front, alice: SignedIn) -> None:
    assert (await force(front, alice.user_id)).status_code == 202


async def by_other_address(front: Front, alice: SignedIn) -> None:
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": "other@example.com"})


async def by_there_and_back(front: Front, alice: SignedIn) -> None:
    for email in ("other@example.com", OLD):
        await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": email})


async def by_bin(front: Front, alice: SignedIn) -> None:
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")


async def by_erase(front: Front, alice: SignedIn) -> None:
    await front.admin("DELETE", f"/v1/users/{alice.user_id}?permanent=true")


async def by_disable(front: Front, alice: SignedIn) -> None:
    await front.admin("POST", f"/v1/users/{alice.user_id}/disable")


async def by_ban(front: Front, alice: SignedIn) -> None:
    await front.admin("POST", f"/v1/users/{alice.user_id}/ban")


@pytest.mark.parametrize(
    "change",
    [
        by_own_password,
        by_set_password,
        by_reset,
        by_required_reset,
        by_other_address,
        by_there_and_back,
        by_bin,
        by_erase,
        by_disable,
        by_ban,
    ],
)
async def test_a_link_dies_with_what_it_was_asked_under(front: Front, alice: SignedIn, change: Any) -> None:
    token = await asked(front, alice)
    await change(front, alice)
    assert await confirm(front, token) == INVALID
    assert (await front.app.get(f"/account/verify-email?token={token}")).status_code == 410
    assert await told_last(front, "user.email_changed") == []


async def test_a_change_ends_every_other_link(front: Front, alice: SignedIn) -> None:
    await forgot(front)
    of_reset = await newest_token(front)
    of_sign_up = token_in(next(mail for mail in await mails_to(front, OLD) if "Confirm" in mail.subject))
    assert await confirm(front, await asked(front, alice)) == (204, "")
    assert await reset(front, of_reset) == INVALID
    assert await confirm(front, of_sign_up) == INVALID


async def test_a_link_is_for_this_and_its_tenant_only(front: Front, alice: SignedIn, app: RunningApp) -> None:
    other = await make_front(app)
    await other.sign_up()
    token = await asked(front, alice)
    assert await reset(front, token) == INVALID
    assert said(await front.post("magic-link/verify", {"token": token})) == INVALID
    assert await confirm(other, token) == INVALID
    assert await confirm(front, token) == (204, "")


async def test_of_16_at_once_with_one_link_one_changes_it(front: Front, alice: SignedIn) -> None:
    token = await asked(front, alice)
    answers = await asyncio.gather(*(confirm(front, token) for _ in range(16)))
    assert sorted(answers) == [(204, ""), *[USED] * 15]
    assert await shown(front, alice) == (NEW, True, 2)
    assert len(await told_last(front, "user.email_changed")) == 1


async def test_of_16_users_at_once_for_one_address_one_gets_it(front: Front) -> None:
    tokens = [await asked(front, await front.sign_up(f"user{number}@example.com")) for number in range(16)]
    answers = await asyncio.gather(*(confirm(front, token) for token in tokens))
    assert sorted(answers) == [(204, ""), *[TAKEN] * 15]
    assert len(await told_last(front, "user.email_changed")) == 1
    found = (await front.admin("GET", f"/v1/users?email={NEW}")).json()["data"]
    assert len(found) == 1


async def test_of_16_asked_at_once_one_link_is_good(front: Front, alice: SignedIn) -> None:
    addresses = [f"new{number}@example.com" for number in range(16)]
    answers = await asyncio.gather(*(ask(front, alice, address) for address in addresses))
    assert {(answer.status_code, answer.content) for answer in answers} == {ACCEPTED}
    tokens = [await newest_token(front, address) for address in addresses]
    assert sorted([await confirm(front, token) for token in tokens]) == [(204, ""), *[INVALID] * 15]


async def test_against_an_administrators_change_one_address_stands(front: Front, alice: SignedIn) -> None:
    token = await asked(front, alice)
    by_link, by_admin = await asyncio.gather(
        confirm(front, token),
        front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": "other@example.com"}),
    )
    assert by_admin.is_success
    assert by_link in {(204, ""), INVALID}
    assert (await shown(front, alice))[0] == "other@example.com"


async def test_a_disable_at_the_same_time_comes_before_or_after(front: Front, alice: SignedIn) -> None:
    for number in range(4):
        session = await front.sign_in()
        answer, _ = await asyncio.gather(
            ask(front, session, f"new{number}@example.com"),
            front.admin("POST", f"/v1/users/{alice.user_id}/disable"),
        )
        assert answer.status_code in {202, 401, 403}
        if answer.status_code == httpx.codes.ACCEPTED:
            assert await confirm(front, await newest_token(front, f"new{number}@example.com")) == INVALID
        await front.admin("POST", f"/v1/users/{alice.user_id}/enable")


async def test_the_lock_ends_with_the_address(front: Front, alice: SignedIn) -> None:
    token = await asked(front, alice)
    for email in (OLD, NEW):
        for _ in range(10):
            await front.try_sign_in(email, "wrong")
    assert await confirm(front, token) == (204, "")
    assert await front.try_sign_in(NEW) == (200, "")
    [(_, _, changes, _)] = await told_last(front, "user.email_changed")
    assert changes["locked_until"][1] is None


async def test_only_hash_and_seal_are_kept(front: Front, alice: SignedIn) -> None:
    token = await asked(front, alice)

    async def query(reader: Reader) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await reader.fetch_all(LIST_TOKENS)]

    kept = repr(await front.app.services.database.read(front.tenant_id, query))
    assert alice.user_id in kept
    for text in (token, NEW, NEW.lower(), "New.example"):
        assert text not in kept
    log = (await front.admin("GET", "/v1/audit-logs?limit=200")).text
    assert "new.example" not in log.lower()
    assert token not in log
    exported = (await front.admin("GET", f"/v1/admin/users/{alice.user_id}/export")).text
    assert "email_change" in exported
    assert token not in exported


async def test_without_mail_nothing_is_asked_for(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, with_mail=False) as app:
        front = await make_front(app)
        alice = await front.sign_up()
        entries = len(await front.entries())
        assert said(await ask(front, alice)) == (503, "mail_not_configured")
        assert len(await front.entries()) == entries


async def test_too_many_are_refused_whoever_has_the_address(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, environ={"HELLOJOHN_RATE_LIMIT_ENABLED": "true"}) as app:
        front = await make_front(app)
        alice = await front.sign_up()
        await front.sign_up("bob@example.com")
        for number in range(5):
            email = "bob@example.com" if number % 2 else f"new{number}@example.com"
            assert (await ask(front, alice, email)).status_code == httpx.codes.ACCEPTED
        answer = await ask(front, alice, "new9@example.com")
        assert said(answer) == (429, "rate_limited")
        clock.advance(700)
        alice = await front.refresh(alice.refresh)
        assert (await ask(front, alice)).status_code == httpx.codes.ACCEPTED


async def test_an_impersonation_changes_no_address(front: Front, alice: SignedIn) -> None:
    body = {"user_id": alice.user_id, "reason": "ticket"}
    token = (await front.admin("POST", "/v1/admin/users/impersonate", body)).json()["access_token"]
    body = {"email": NEW, "current_password": PASSWORD}
    assert said(await front.post("me/email", body, key=token)) == (403, "impersonation_forbidden")
