"""Forgotten passwords on both stores: a link to whoever has the address, the same answer to everybody, one use."""

import asyncio
from typing import Any, Final

import pytest

from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.features.password_reset.parts import (
    EXPIRED,
    INVALID,
    NEXT,
    USED,
    force,
    forgot,
    newest_token,
    reset,
    told_last,
)
from tests.support import PUBLIC_URL, RunningApp, running_app

ACCEPTED: Final = (202, b'{"accepted":true}')
WRONG: Final = (401, "invalid_credentials")


async def test_a_link_sets_a_new_password(front: Front) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    bob = await front.sign_up("bob@example.com")
    answer = await forgot(front, "Alice@Example.com")
    assert (answer.status_code, answer.content) == ACCEPTED
    [mail] = [mail for mail in await front.app.mails() if "password" in mail.subject]
    assert (mail.to, mail.subject) == ("alice@example.com", "Reset your password for Acme")
    assert "1 hour" in mail.text
    token = await newest_token(front)
    assert f"{PUBLIC_URL}/account/reset-password?token={token}" in mail.text
    assert await front.me(alice.access) == (200, "")

    assert await reset(front, token) == (204, "")

    for session in (alice, other):
        assert await front.me(session.access) == (401, "session_revoked")
    ended = (await front.admin("GET", f"/v1/sessions/{other.session_id}")).json()
    assert ended["revoked_reason"] == "password_reset"
    assert await front.try_sign_in() == WRONG
    assert await front.try_sign_in(password=NEXT) == (200, "")
    assert await front.me(bob.access) == (200, "")
    assert await front.try_sign_in("bob@example.com") == (200, "")
    user = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert (user["email_verified"], user["password_reset_required"]) == (True, False)
    verified = (await front.admin("GET", "/v1/users?email_verified=true")).json()
    assert verified["pagination"]["total"] == 1
    assert await told_last(front, "user.password_reset_requested") == [("api_key", alice.user_id, {}, {})]
    changes = {"email_verified": (False, True)}
    assert await told_last(front, "user.password_reset") == [("user", alice.user_id, changes, {"sessions_revoked": 2})]


async def test_the_secret_is_in_no_entry_and_in_no_answer(front: Front) -> None:
    await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    await reset(front, token)
    log = (await front.admin("GET", "/v1/audit-logs?limit=200")).text
    assert token[4:] not in log
    assert NEXT not in log


async def test_a_link_is_good_once_and_an_hour(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    clock.advance(3599)
    assert await reset(front, token) == (204, "")
    assert await reset(front, token, "a third long one") == USED
    assert await front.try_sign_in(password=NEXT) == (200, "")
    await forgot(front)
    token = await newest_token(front)
    clock.advance(3600)
    assert await reset(front, token) == EXPIRED


async def test_the_newest_link_is_good(front: Front) -> None:
    await front.sign_up()
    await forgot(front)
    first = await newest_token(front)
    await forgot(front)
    second = await newest_token(front)
    assert await reset(front, first) == INVALID
    assert await reset(front, second) == (204, "")


async def test_links_die_with_the_password(front: Front) -> None:
    alice = await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    body = {"current_password": PASSWORD, "new_password": NEXT}
    assert (await front.post("password/change", body, key=alice.access)).status_code == 200
    assert await reset(front, token, "a third long one") == INVALID
    await forgot(front)
    token = await newest_token(front)
    await front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password": PASSWORD})
    assert await reset(front, token, "a third long one") == INVALID
    assert await front.try_sign_in() == (200, "")


async def test_links_die_with_the_address(front: Front) -> None:
    alice = await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    for email in ("bob@example.com", "alice@example.com"):
        changed = await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": email})
        assert changed.status_code == 200
    assert await reset(front, token) == INVALID


async def test_everybody_gets_the_same_answer(front: Front) -> None:
    users = {name: await front.sign_up(f"{name}@example.com") for name in ("disabled", "banned", "binned")}
    await front.admin("POST", f"/v1/users/{users['disabled'].user_id}/disable")
    await front.admin("POST", f"/v1/users/{users['banned'].user_id}/ban")
    await front.admin("DELETE", f"/v1/users/{users['binned'].user_id}")
    entries, mails = len(await front.entries()), len(await front.app.mails())
    for name in (*users, "nobody"):
        answer = await forgot(front, f"{name}@example.com")
        assert (answer.status_code, answer.content) == ACCEPTED
    assert len(await front.app.mails()) == mails
    assert len(await front.entries()) == entries
    assert said(await front.post("password/forgot", {"email": ""})) == (422, "validation_failed")


@pytest.mark.parametrize("floor_ms", [150])
async def test_every_answer_takes_the_same_least_time(front: Front, floor_ms: int) -> None:
    waited: list[float] = []
    floor = front.app.services.password_resets._floor
    floor._seconds = floor_ms / 1000
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    await front.sign_up()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hellojohn_server.kit.floors.asyncio.sleep", noted)
        for name in ("alice", "nobody"):
            await forgot(front, f"{name}@example.com")
    assert len([seconds for seconds in waited if 0 < seconds <= floor_ms / 1000]) == 2


async def test_a_reset_ends_a_lock_and_lifts_neither_ban_nor_disable(front: Front) -> None:
    alice = await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    for _ in range(10):
        await front.try_sign_in(password="wrong")
    assert await front.try_sign_in() == (403, "account_locked")
    await front.admin("POST", f"/v1/users/{alice.user_id}/disable")
    await front.admin("POST", f"/v1/users/{alice.user_id}/ban", {"reason": "spam"})
    assert await reset(front, token) == (204, "")
    assert await front.try_sign_in(password=NEXT) == (403, "account_banned")
    await front.admin("POST", f"/v1/users/{alice.user_id}/unban")
    assert await front.try_sign_in(password=NEXT) == (403, "account_disabled")
    await front.admin("POST", f"/v1/users/{alice.user_id}/enable")
    assert await front.try_sign_in(password=NEXT) == (200, "")
    [(_, _, changes, _)] = await told_last(front, "user.password_reset")
    assert changes["locked_until"][1] is None


async def test_who_is_in_the_bin_resets_nothing(front: Front) -> None:
    alice = await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    assert await reset(front, token) == INVALID
    await front.admin("POST", f"/v1/users/{alice.user_id}/restore")
    assert await reset(front, token) == (204, "")


async def test_another_tenants_link_is_none(front: Front, app: RunningApp) -> None:
    await front.sign_up()
    other = await make_front(app)
    await other.sign_up()
    await app.mails()
    await forgot(front)
    token = await newest_token(front)
    assert await reset(other, token) == INVALID
    assert await other.try_sign_in() == (200, "")
    assert await reset(front, token) == (204, "")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"password": NEXT}, "token", "required"),
        ({"token": "act_x"}, "password", "required"),
        ({"token": "act_x", "password": "short"}, "password", "too_short"),
        ({"token": "act_x", "password": "ä" * 513}, "password", "invalid"),
        ({"token": "", "password": NEXT}, "token", "invalid"),
    ],
)
async def test_what_is_no_reset(front: Front, body: dict[str, Any], field: str, code: str) -> None:
    answer = await front.post("password/reset", body)
    assert said(answer) == (422, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in answer.json()["error"]["details"]] == [(field, code)]


async def test_a_password_that_is_not_taken_uses_nothing_up(front: Front) -> None:
    alice = await front.sign_up()
    await force(front, alice.user_id)
    token = await newest_token(front)
    assert await reset(front, token, "short") == (422, "validation_failed")
    assert await reset(front, token, PASSWORD) == (422, "validation_failed")
    assert await reset(front, token) == (204, "")


@pytest.mark.parametrize("token", ["act_", "nothing of ours", "act_" + "0" * 60])
async def test_other_text_is_no_link(front: Front, token: str) -> None:
    assert await reset(front, token) == INVALID


async def test_of_16_at_once_with_one_link_one_succeeds(front: Front) -> None:
    alice = await front.sign_up()
    await forgot(front)
    token = await newest_token(front)
    news = [f"a new password {n}" for n in range(16)]
    answers = await asyncio.gather(*(reset(front, token, new) for new in news))
    [winner] = [new for new, answer in zip(news, answers, strict=True) if answer == (204, "")]
    assert sorted(answers) == [(204, ""), *[USED] * 15]
    assert await front.try_sign_in(password=winner) == (200, "")
    assert [about for _, about, _, _ in await told_last(front, "user.password_reset")] == [alice.user_id]


async def test_a_reset_against_other_changes_of_the_password(front: Front) -> None:
    for _ in range(4):
        alice = await front.sign_up(f"alice{_}@example.com")
        await forgot(front, f"alice{_}@example.com")
        token = await newest_token(front, f"alice{_}@example.com")
        body = {"current_password": PASSWORD, "new_password": "changed by its user"}
        outcomes = await asyncio.gather(
            reset(front, token, "set by the link"),
            front.post("password/change", body, key=alice.access),
            front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password": "set by an admin"}),
        )
        assert outcomes[0] in {(204, ""), INVALID}
        assert outcomes[2].status_code == 200
        tried = [
            (await front.try_sign_in(f"alice{_}@example.com", password))[0]
            for password in ("set by the link", "set by an admin", "changed by its user")
        ]
        assert sorted(tried) == [200, 401, 401]


async def test_an_address_is_asked_for_five_times_in_ten_minutes(database: Database, clock: ManualClock) -> None:
    async with running_app(database, clock, environ={"HELLOJOHN_RATE_LIMIT_ENABLED": "true"}) as app:
        front = await make_front(app)
        await front.sign_up()
        for name in ("alice", "nobody"):
            answers = [await forgot(front, f"{name}@example.com") for _ in range(6)]
            assert [answer.status_code for answer in answers] == [202] * 5 + [429], name
            assert answers[-1].json()["error"]["code"] == "rate_limited"
            clock.advance(65)  # the limit of the caller's own address, which is ten a minute
        resets = [mail for mail in await app.mails() if mail.subject.startswith("Reset")]
        assert len(resets) == 5
        clock.advance(600)
        assert (await forgot(front)).status_code == 202
