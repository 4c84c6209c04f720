"""Changing one's own password on both stores: what it takes, what it ends, and how it counts when it fails."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, said
from tests.features.user_sessions.parts import IMPERSONATOR, put_one

NEXT = "another long one"
REVOKED = (401, "session_revoked")
WRONG = (401, "invalid_credentials")


async def change(front: Front, access: str, current: str = PASSWORD, new: str = NEXT) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await front.post("password/change", body, key=access)


async def test_the_other_sessions_end_and_this_one_goes_on(front: Front) -> None:
    alice = await front.sign_up()
    others = [await front.sign_in() for _ in range(2)]
    acted = await put_one(front, alice.user_id, **IMPERSONATOR)
    bob = await front.sign_up("bob@example.com")
    answer = await change(front, alice.access)
    assert (answer.status_code, answer.json()) == (200, {"sessions_revoked": 3, "residual_seconds": 900})
    for other in others:
        assert await front.me(other.access) == REVOKED
        assert await front.try_refresh(other.refresh) == REVOKED
    ended = (await front.admin("GET", f"/v1/sessions/{acted}")).json()
    assert (ended["status"], ended["revoked_reason"]) == ("revoked", "password_changed")
    assert await front.me(alice.access) == await front.me(bob.access) == (200, "")
    assert (await front.refresh(alice.refresh)).session_id == alice.session_id
    assert await front.try_sign_in() == WRONG
    assert await front.try_sign_in(password=NEXT) == (200, "")


async def test_it_is_written_down_without_the_password(front: Front) -> None:
    alice = await front.sign_up()
    await change(front, alice.access)
    entry = (await front.entries())[-1]
    assert (entry.type, entry.actor.id, entry.changes) == ("user.password_changed", alice.user_id, {})
    assert entry.metadata == {"sessions_revoked": 0}
    user = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert user["version"] == 2
    log = (await front.admin("GET", "/v1/audit-logs?limit=200")).text
    assert PASSWORD not in log
    assert NEXT not in log


async def test_a_wrong_current_password_changes_nothing(front: Front) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    assert said(await change(front, alice.access, "wrong")) == WRONG
    assert await front.me(other.access) == (200, "")
    assert await front.try_sign_in() == (200, "")
    entry = [entry for entry in await front.entries() if entry.type == "user.sign_in_failed"][-1]
    assert (entry.actor.id, entry.metadata) == (alice.user_id, {"code": "invalid_credentials"})


async def test_failures_count_with_those_of_signing_in(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    for _ in range(5):
        assert said(await change(front, alice.access, "wrong")) == WRONG
        assert await front.try_sign_in(password="wrong") == WRONG
    assert said(await change(front, alice.access)) == (403, "account_locked")
    assert await front.try_sign_in() == (403, "account_locked")
    assert await front.me(alice.access) == (200, "")
    clock.advance(15 * 60)
    alice = await front.refresh(alice.refresh)
    assert (await change(front, alice.access)).status_code == 200


async def test_of_wrong_guesses_at_once_no_more_than_ten_are_looked_at(front: Front) -> None:
    alice = await front.sign_up()
    answers = await asyncio.gather(*(change(front, alice.access, f"wrong {n}") for n in range(16)))
    assert sorted(said(answer) for answer in answers) == [*[WRONG] * 10, *[(403, "account_locked")] * 6]


async def test_a_change_forgets_the_failures_before_it(front: Front) -> None:
    alice = await front.sign_up()
    for _ in range(9):
        await change(front, alice.access, "wrong")
    assert (await change(front, alice.access)).status_code == 200
    assert said(await change(front, alice.access, "wrong")) == WRONG
    assert (await change(front, alice.access, NEXT, PASSWORD)).status_code == 200


async def test_of_16_changes_with_one_password_one_succeeds(front: Front) -> None:
    alice = await front.sign_up()
    sessions = [alice, *[await front.sign_in() for _ in range(3)]]
    news = [f"a new password {n}" for n in range(16)]
    answers = await asyncio.gather(*(change(front, sessions[n % 4].access, new=new) for n, new in enumerate(news)))
    [winner] = [new for new, answer in zip(news, answers, strict=True) if answer.is_success]
    assert {said(answer) for answer in answers if not answer.is_success} <= {WRONG, REVOKED}
    assert [entry.type for entry in await front.entries()].count("user.password_changed") == 1
    assert await front.try_sign_in(password=winner) == (200, "")
    assert await front.try_sign_in() == WRONG


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"current_password": PASSWORD, "new_password": PASSWORD}, "new_password", "invalid"),
        ({"current_password": PASSWORD, "new_password": "short"}, "new_password", "too_short"),
        ({"current_password": PASSWORD, "new_password": "ä" * 513}, "new_password", "invalid"),
        ({"current_password": PASSWORD}, "new_password", "required"),
        ({"new_password": NEXT}, "current_password", "required"),
        ({"current_password": "", "new_password": NEXT}, "current_password", "invalid"),
    ],
)
async def test_what_is_no_change_of_password(front: Front, body: dict[str, Any], field: str, code: str) -> None:
    alice = await front.sign_up()
    answer = await front.post("password/change", body, key=alice.access)
    assert said(answer) == (422, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in answer.json()["error"]["details"]] == [(field, code)]


async def test_an_idempotency_key_is_refused(front: Front) -> None:
    alice = await front.sign_up()
    body = {"current_password": PASSWORD, "new_password": NEXT}
    answer = await front.app.call(
        alice.access, "POST", "/v1/auth/password/change", body, headers={"Idempotency-Key": "k"}
    )
    assert said(answer) == (422, "idempotency_not_supported")
    assert await front.try_sign_in() == (200, "")


async def test_a_hash_of_another_system_may_be_the_current_one(front: Front) -> None:
    bcrypt = "$2b$04$h9mW91nIm8Xg5Iq7lbWL9eXhItIq67NE7KOyTqR4i8lOpkO0Kj8nO"
    alice = await front.sign_up(password="a first password")
    put = await front.admin("PUT", f"/v1/users/{alice.user_id}/password", {"password_hash": bcrypt})
    assert put.status_code == 200, put.text
    assert (await change(front, alice.access)).status_code == 200
    assert await front.try_sign_in(password=NEXT) == (200, "")
