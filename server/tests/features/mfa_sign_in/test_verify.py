"""The second step of a sign-in, through the app, on both stores."""

import asyncio
from collections import Counter
from typing import Final

import jwt
import pytest

from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, kept, said
from tests.features.auth.test_sign_in import BCRYPT
from tests.features.mfa.parts import STEP, App, challenge, enrolled, rows, told, verify

LIST_CHALLENGES: Final = Statement("SELECT challenge_hash FROM mfa_challenges WHERE tenant_id = :tenant_id")
LIST_FAILURES: Final = Statement("SELECT failures FROM mfa_failures WHERE tenant_id = :tenant_id")
COUNT_SESSIONS: Final = Statement(
    "SELECT count(*) FROM sessions WHERE tenant_id = :tenant_id AND user_id = :user_id AND revoked_at IS NULL"
)
WRONG: Final = (401, "invalid_mfa_code")
OVER: Final = (401, "mfa_challenge_invalid")
TOO_MANY: Final = (429, "too_many_mfa_attempts")


async def test_the_right_password_is_asked_for_a_second_step(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    answer = await front.post("sign-in", {"email": "alice@example.com", "password": PASSWORD})
    error = answer.json()["error"]
    assert said(answer) == (403, "mfa_required")
    assert error["factors"] == [{"id": app.factor_id, "type": "totp", "name": None}]
    assert error["challenge_id"].encode() not in {bytes(hashed) for (hashed,) in await rows(front, LIST_CHALLENGES)}
    entry = (await front.entries())[-1]
    assert (entry.type, entry.resource and entry.resource.id) == ("user.mfa_challenged", alice.user_id)
    sessions = await rows(front, COUNT_SESSIONS, user_id=alice.user_id)

    done = await verify(front, error["challenge_id"], app.code(), factor_id=app.factor_id)

    signed_in = kept(done)
    assert signed_in.user_id == alice.user_id
    assert await rows(front, COUNT_SESSIONS, user_id=alice.user_id) == [(sessions[0][0] + 1,)]
    claims = jwt.decode(signed_in.access, options={"verify_signature": False})
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    entry = (await front.entries())[-1]
    assert (entry.type, entry.actor.id, entry.actor.type) == ("user.signed_in", alice.user_id, "user")
    assert entry.metadata == {
        "session_id": signed_in.session_id,
        "amr": ["pwd", "otp", "mfa"],
        "factor_id": app.factor_id,
    }
    assert await front.me(signed_in.access) == (200, "")
    assert await rows(front, LIST_CHALLENGES) == []
    assert said(await verify(front, error["challenge_id"], app.code(1))) == OVER


async def test_a_code_is_good_once_and_so_is_every_one_before_it(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    assert said(await verify(front, await challenge(front), app.code(-1))) == WRONG  # the code it was confirmed with
    assert (await verify(front, await challenge(front), app.code(1))).status_code == 200
    assert said(await verify(front, await challenge(front), app.code(1))) == WRONG
    assert said(await verify(front, await challenge(front), app.code())) == WRONG
    clock.advance(2 * STEP)
    assert (await verify(front, await challenge(front), app.code())).status_code == 200


async def test_codes_of_one_step_before_and_after_are_taken_and_no_others(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    clock.advance(10 * STEP)
    waiting = await challenge(front)
    assert said(await verify(front, waiting, app.code(-2))) == WRONG
    assert said(await verify(front, waiting, app.code(2))) == WRONG
    assert (await verify(front, waiting, app.code(-1))).status_code == 200


async def test_a_backup_code_is_good_once(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    typed = app.backup_codes[3].lower().replace("-", " ")
    assert (await verify(front, await challenge(front), typed)).status_code == 200
    assert (await told(front, "user.signed_in"))[-1]["backup_code"] is True
    assert said(await verify(front, await challenge(front), app.backup_codes[3])) == WRONG
    only = {"factor_id": app.factor_id}
    assert said(await verify(front, await challenge(front), app.backup_codes[4], **only)) == WRONG
    assert said(await verify(front, await challenge(front), app.code(), factor_id="fac_another")) == WRONG


@pytest.mark.parametrize("kind", ["code", "backup code"])
async def test_of_16_at_once_with_one_challenge_one_gets_in(front: Front, clock: ManualClock, kind: str) -> None:
    alice, app = await enrolled(front, clock)
    code = app.code() if kind == "code" else app.backup_codes[0]
    waiting = await challenge(front)
    before = await rows(front, COUNT_SESSIONS, user_id=alice.user_id)
    answers = await asyncio.gather(*(verify(front, waiting, code) for _ in range(16)))
    assert Counter(said(answer) for answer in answers) == {(200, ""): 1, OVER: 15}
    assert await rows(front, COUNT_SESSIONS, user_id=alice.user_id) == [(before[0][0] + 1,)]
    assert await rows(front, LIST_FAILURES) == []


@pytest.mark.parametrize("kind", ["code", "backup code"])
async def test_of_16_challenges_at_once_with_one_code_one_gets_in(front: Front, clock: ManualClock, kind: str) -> None:
    _, app = await enrolled(front, clock)
    code = app.code() if kind == "code" else app.backup_codes[0]
    waiting = [await challenge(front) for _ in range(16)]
    answers = await asyncio.gather(*(verify(front, one, code) for one in waiting))
    counted = Counter(said(answer) for answer in answers)
    assert counted[200, ""] == 1
    assert counted.keys() <= {(200, ""), WRONG, TOO_MANY}


async def test_five_wrong_codes_in_ten_minutes_and_no_more(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    waiting = await challenge(front)
    answers = await asyncio.gather(*(verify(front, waiting, app.wrong()) for _ in range(16)))
    assert Counter(said(answer) for answer in answers) == {WRONG: 5, TOO_MANY: 11}
    assert len(await told(front, "user.mfa_failed")) == 5
    clock.advance(60)
    late = await verify(front, waiting, app.code())
    assert (said(late), late.headers["Retry-After"]) == (TOO_MANY, "540")
    assert said(await verify(front, await challenge(front), app.backup_codes[0])) == TOO_MANY
    clock.advance(540)
    assert (await verify(front, await challenge(front), app.code())).status_code == 200
    assert await rows(front, LIST_FAILURES) == []
    for _ in range(4):
        assert said(await verify(front, await challenge(front), app.wrong())) == WRONG
    assert (await verify(front, await challenge(front), app.backup_codes[0])).status_code == 200
    for _ in range(5):
        assert said(await verify(front, await challenge(front), app.wrong())) == WRONG


async def test_a_challenge_waits_ten_minutes(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    waiting = await challenge(front)
    clock.advance(600)
    assert said(await verify(front, waiting, app.code())) == OVER
    assert said(await verify(front, "mch_nobody", app.code())) == OVER
    await front.app.services.mfa.purge(front.tenant_id, clock.now_ms())
    assert await rows(front, LIST_CHALLENGES) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "disable", {}),
        ("POST", "disable", {"revoke_sessions": False}),
        ("POST", "ban", {"reason": "x"}),
        ("DELETE", "", {}),
        ("DELETE", "sessions", {}),
        ("PUT", "password", {"password": "another long one"}),
        ("DELETE", "mfa/factors/{factor}", {"reason": "lost"}),
    ],
)
async def test_nothing_that_changed_the_user_leaves_a_way_in(
    front: Front, clock: ManualClock, method: str, path: str, body: dict[str, str]
) -> None:
    alice, app = await enrolled(front, clock)
    waiting = [await challenge(front) for _ in range(8)]
    target = f"/v1/users/{alice.user_id}/{path}".rstrip("/").format(factor=app.factor_id)
    backups = iter(app.backup_codes)
    before = {session["id"] for session in await sessions_of(front, alice.user_id)}
    answers = await asyncio.gather(
        *(verify(front, one, next(backups)) for one in waiting[:4]),
        front.admin(method, target, body),
        *(verify(front, one, next(backups)) for one in waiting[4:7]),
    )
    assert answers[4].is_success, answers[4].text
    assert {said(answer) for number, answer in enumerate(answers) if number != 4} <= {(200, ""), OVER}
    assert said(await verify(front, waiting[7], next(backups))) == OVER
    assert await rows(front, LIST_FAILURES) == []
    left = {session["id"] for session in await sessions_of(front, alice.user_id)}
    if path.startswith(("password", "mfa")) or body == {"revoke_sessions": False}:
        # Those who came before it are in; nobody came in after it.
        entered = [verified for verified in answers if verified.is_success and "access_token" in verified.text]
        assert left == before | {verified.json()["session"]["id"] for verified in entered}
    else:
        assert left == set()


async def sessions_of(front: Front, user_id: str) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = (await front.admin("GET", f"/v1/users/{user_id}/sessions")).json()["data"]
    return listed


async def test_the_users_own_new_password_ends_what_waits(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    alice = await front.refresh(alice.refresh)
    waiting = await challenge(front)
    change = {"current_password": PASSWORD, "new_password": "another long one"}
    assert (await front.post("password/change", change, key=alice.access)).status_code == 200
    assert said(await verify(front, waiting, app.code())) == OVER
    assert (await verify(front, await challenge(front, password="another long one"), app.code())).status_code == 200


@pytest.mark.parametrize(
    ("act", "code"), [("disable", "account_disabled"), ("ban", "account_banned"), ("lock", "account_locked")]
)
async def test_what_keeps_a_user_out_is_said_before_a_challenge_is_given(
    front: Front, clock: ManualClock, act: str, code: str
) -> None:
    alice, _ = await enrolled(front, clock)
    if act == "lock":
        for _ in range(10):
            await front.try_sign_in(password="wrong")
    else:
        await front.admin("POST", f"/v1/users/{alice.user_id}/{act}", {"reason": "x"})
    assert await front.try_sign_in() == (403, code)
    assert await rows(front, LIST_CHALLENGES) == []


async def test_a_lock_that_came_meanwhile_keeps_the_second_step_out(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    waiting = await challenge(front)
    for _ in range(10):
        await front.try_sign_in(password="wrong")
    before = len(await sessions_of(front, alice.user_id))
    assert said(await verify(front, waiting, app.code())) == (403, "account_locked")
    assert (await told(front, "user.mfa_failed")) == [{"code": "account_locked"}]
    assert len(await sessions_of(front, alice.user_id)) == before


async def test_a_hash_of_another_system_is_replaced_at_the_first_step(front: Front, clock: ManualClock) -> None:
    made = await front.admin("POST", "/v1/users", {"email": "alice@example.com", "password_hash": BCRYPT})
    user_id = made.json()["id"]
    begun = await front.admin("POST", f"/v1/users/{user_id}/mfa/factors", {"type": "totp"})
    app = App(begun.json()["id"], begun.json()["secret"], clock)
    path = f"/v1/users/{user_id}/mfa/factors/{app.factor_id}/confirm"
    assert (await front.admin("POST", path, {"code": app.code()})).status_code == 200
    clock.advance(STEP)
    waiting = await challenge(front)
    context = front.app.context(front.tenant_id)
    replaced = await front.app.services.auth.verify_password(context, user_id, PASSWORD)
    assert replaced.startswith("$argon2id$")
    assert (await verify(front, waiting, app.code())).status_code == 200


async def test_erased_users_leave_no_factor_code_or_challenge(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    waiting = await challenge(front)
    await verify(front, waiting, app.wrong())
    assert (await front.admin("DELETE", f"/v1/users/{alice.user_id}?permanent=true")).status_code == 204
    for table in ("mfa_factors", "mfa_backup_codes", "mfa_failures", "mfa_challenges"):
        of_user = Statement(f"SELECT user_id FROM {table} WHERE tenant_id = :tenant_id")
        assert await rows(front, of_user) == []
    assert said(await verify(front, waiting, app.code())) == OVER
