"""Administrators and the second factors of users, through the app, on both stores."""

import asyncio
from typing import Any

import httpx
import pytest

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mail
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.auth.parts import Front, make_front, said
from tests.features.mfa.parts import STEP, App, challenge, confirm, enrolled, facts, told, verify
from tests.support import RunningApp, running_app


async def act(front: Front, method: str, user_id: str, path: str, body: Any = None) -> httpx.Response:
    return await front.admin(method, f"/v1/users/{user_id}/mfa/{path}", body)


async def test_the_list_says_what_a_user_has(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    answer = await act(front, "GET", alice.user_id, "factors")
    assert answer.json() == {
        "data": [
            {
                "id": app.factor_id,
                "type": "totp",
                "name": None,
                "created_at": "2026-09-21T14:13:20.000Z",
                "confirmed_at": "2026-09-21T14:13:20.000Z",
                "last_used_at": "2026-09-21T14:13:20.000Z",
            }
        ],
        "backup_codes_left": 10,
        "pagination": {"total": 1, "total_is_exact": True, "limit": 10, "has_more": False, "next_cursor": None},
    }
    assert said(await act(front, "GET", "usr_x", "factors")) == (404, "user_not_found")


async def test_removing_the_last_factor_lets_the_password_suffice(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    alice = await front.refresh(alice.refresh)
    waiting = await challenge(front)
    assert await facts(front) == {"users": [alice.user_id], "total": 1}

    removed = await act(front, "DELETE", alice.user_id, f"factors/{app.factor_id}", {"reason": "lost phone"})

    assert (removed.status_code, removed.content) == (204, b"")
    assert await facts(front) == {"users": [], "total": 0}
    assert await front.me(alice.access) == (401, "token_stale")
    assert said(await verify(front, waiting, app.code())) == (401, "mfa_challenge_invalid")
    entry = (await front.entries())[-1]
    assert (entry.type, entry.reason, entry.changes) == (
        "user.mfa_factor_removed",
        "lost phone",
        {"mfa_enrolled": (True, False)},
    )
    assert entry.metadata == {"factor_id": app.factor_id, "type": "totp"}
    assert await front.try_sign_in() == (200, "")
    listed = (await act(front, "GET", alice.user_id, "factors")).json()
    assert (listed["data"], listed["backup_codes_left"]) == ([], 0)
    again = await act(front, "DELETE", alice.user_id, f"factors/{app.factor_id}")
    assert said(again) == (404, "mfa_factor_not_found")


async def test_16_removals_at_once_remove_once(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    path = f"factors/{app.factor_id}"
    answers = await asyncio.gather(*(act(front, "DELETE", alice.user_id, path) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [(204, ""), *[(404, "mfa_factor_not_found")] * 15]
    assert await facts(front) == {"users": [], "total": 0}
    assert len(await told(front, "user.mfa_factor_removed")) == 1


async def test_an_administrator_enrols_for_a_user(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    begun = await act(front, "POST", alice.user_id, "factors", {"type": "totp", "name": "Key fob", "reason": "asked"})
    assert begun.status_code == 201, begun.text
    app = App(begun.json()["id"], begun.json()["secret"], clock)
    path = f"factors/{app.factor_id}/confirm"
    wrong = await act(front, "POST", alice.user_id, path, {"code": app.wrong()})
    assert (said(wrong), wrong.json()["error"]["details"][0]["field"]) == ((422, "validation_failed"), "code")
    nobody = await act(front, "POST", alice.user_id, "backup-codes/generate")
    assert said(nobody) == (409, "no_mfa_factor")
    done = await act(front, "POST", alice.user_id, path, {"code": app.code()})
    assert (done.status_code, len(done.json()["backup_codes"])) == (200, 10)
    made = await act(front, "POST", alice.user_id, "backup-codes/generate", {"reason": "lost the list"})
    assert len(made.json()["backup_codes"]) == 10
    assert said(await verify(front, await challenge(front), done.json()["backup_codes"][0])) == (
        401,
        "invalid_mfa_code",
    )
    clock.advance(STEP)
    assert (await verify(front, await challenge(front), made.json()["backup_codes"][0])).status_code == 200
    entries = [entry for entry in await front.entries() if entry.type.startswith("user.mfa_")]
    assert [(entry.type, entry.reason) for entry in entries if entry.actor.type == "api_key"] == [
        ("user.mfa_enrollment_begun", "asked"),
        ("user.mfa_failed", None),
        ("user.mfa_factor_added", None),
        ("user.mfa_backup_codes_generated", "lost the list"),
        ("user.mfa_challenged", None),
        ("user.mfa_failed", None),
        ("user.mfa_challenged", None),
    ]


@pytest.mark.parametrize("role", ["admin", "super_admin"])
async def test_never_upward(front: Front, clock: ManualClock, app: RunningApp, role: str) -> None:
    alice, authenticator = await enrolled(front, clock)
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": role})
    key = await app.make_key(front.tenant_id, "mfa:write", "mfa:read", "users:credentials")
    base = f"/v1/users/{alice.user_id}/mfa"
    for method, path, body in (
        ("DELETE", f"factors/{authenticator.factor_id}", {}),
        ("POST", "factors", {"type": "totp"}),
        ("POST", "backup-codes/generate", {}),
        ("POST", f"factors/{authenticator.factor_id}/confirm", {"code": authenticator.code()}),
    ):
        answer = await app.call(key, method, f"{base}/{path}", body)
        assert said(answer) == (403, "insufficient_scope"), answer.text
    assert (await app.call(key, "GET", f"{base}/factors")).status_code == 200
    assert (await act(front, "DELETE", alice.user_id, f"factors/{authenticator.factor_id}")).status_code == 204


async def test_a_binned_user_is_left_alone(front: Front, clock: ManualClock) -> None:
    alice, app = await enrolled(front, clock)
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    assert (await facts(front))["total"] == 0
    removed = await act(front, "DELETE", alice.user_id, f"factors/{app.factor_id}")
    assert said(removed) == (409, "user_deleted")
    await front.admin("POST", f"/v1/users/{alice.user_id}/restore")
    assert await facts(front) == {"users": [alice.user_id], "total": 1}
    assert (await verify(front, await challenge(front), app.code())).status_code == 200


async def test_another_tenants_key_finds_nothing(front: Front, app: RunningApp, clock: ManualClock) -> None:
    alice, authenticator = await enrolled(front, clock)
    other = await make_front(app)
    for method, path in (("GET", "factors"), ("DELETE", f"factors/{authenticator.factor_id}")):
        assert said(await act(other, method, alice.user_id, path)) == (404, "user_not_found")
    assert await facts(front) == {"users": [alice.user_id], "total": 1}


async def test_counters_hold_while_factors_come_and_go(front: Front, clock: ManualClock) -> None:
    people = [await enrolled(front, clock, f"u{number}@example.com") for number in range(6)]
    alive = [(await front.refresh(user.refresh), app) for user, app in people]

    async def once_more(user: Any, app: App) -> None:
        await act(front, "DELETE", user.user_id, f"factors/{app.factor_id}")
        begun = await act(front, "POST", user.user_id, "factors", {"type": "totp"})
        again = App(begun.json()["id"], begun.json()["secret"], clock)
        assert said(await confirm(front, user.access, again)) in {(401, "token_stale"), (401, "session_revoked")}
        await act(front, "POST", user.user_id, f"factors/{again.factor_id}/confirm", {"code": again.code()})

    others = [front.admin("POST", f"/v1/users/{user.user_id}/disable") for user, _ in alive[:3]]
    await asyncio.gather(*(once_more(*pair) for pair in alive), *others)
    assert (await facts(front))["total"] == 6
    await front.admin("DELETE", f"/v1/users/{alive[0][0].user_id}?permanent=true")
    assert (await facts(front))["total"] == 5


async def test_the_user_is_told_by_mail(front: Front, app: RunningApp, clock: ManualClock) -> None:
    async def told_mails() -> list[Mail]:
        return [mail for mail in await app.mails() if "authenticator app" in mail.text]

    alice, authenticator = await enrolled(front, clock)
    [added] = await told_mails()
    await act(front, "DELETE", alice.user_id, f"factors/{authenticator.factor_id}", {"reason": "lost phone"})
    [_, removed] = await told_mails()
    assert [added.to, removed.to] == ["alice@example.com"] * 2
    assert removed.subject != added.subject
    begun = await act(front, "POST", alice.user_id, "factors", {"type": "totp"})
    await act(front, "DELETE", alice.user_id, f"factors/{begun.json()['id']}")
    assert len(await told_mails()) == 2


async def test_without_mail_nothing_fails(database: Database, clock: ManualClock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids, with_mail=False) as app:
        front = await make_front(app)
        alice, authenticator = await enrolled(front, clock)
        assert (await act(front, "DELETE", alice.user_id, f"factors/{authenticator.factor_id}")).status_code == 204
