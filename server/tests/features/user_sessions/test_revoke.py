"""Ending sessions on both stores: one, every one of a tenant, by whom, and what of it is told."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.storage.database import Command, Transaction
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import Front, make_front, said
from tests.features.recorder import Recorder
from tests.features.user_sessions.parts import IMPERSONATOR, MINUTE, a_session, put, put_one
from tests.support import RunningApp

REVOKED = (401, "session_revoked")
MANY = 1_200
ENTRY = 2
"""An audit entry and its values."""
TELLING = 1
"""What verifiers are to refuse."""


async def revoke(front: Front, session_id: str, body: Any = None) -> dict[str, Any]:
    """End a session and return the answer."""
    answer = await front.admin("DELETE", f"/v1/sessions/{session_id}", {} if body is None else body)
    assert answer.status_code == 200, answer.text
    ended: dict[str, Any] = answer.json()
    return ended


async def revoke_every(front: Front, key: str | None = None, **headers: str) -> dict[str, Any]:
    """End every session of the tenant and return the answer."""
    path = f"/v1/sessions?confirm={front.tenant_id}"
    answer = await front.app.call(key or front.secret, "DELETE", path, {"reason": "a breach"}, headers)
    assert answer.status_code == 200, answer.text
    stopped: dict[str, Any] = answer.json()
    return stopped


async def active(front: Front) -> int:
    """Return how many sessions the list says are active."""
    total: int = (await front.admin("GET", "/v1/sessions?limit=1")).json()["pagination"]["total"]
    return total


async def told(front: Front) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Return type, reason and metadata of the entries about ended sessions."""
    entries = await front.entries()
    return [(entry.type, entry.reason, entry.metadata) for entry in entries if "session" in entry.type]


async def test_an_ended_session_is_refused_at_the_next_request(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    clock.advance(5 * 60)
    ended = await revoke(front, alice.session_id, {"reason": "a lost phone"})
    assert ended.pop("access_stopped") == {"sessions_revoked": 1, "residual_seconds": 600}
    assert ended == (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json()
    assert (ended["status"], ended["revoked_reason"]) == ("revoked", "session_revoked")
    assert ended["revoked_at"] == "2026-09-21T14:18:20.000Z"
    entry = (await front.entries())[-1]
    assert (entry.type, entry.reason, entry.metadata) == (
        "session.revoked",
        "a lost phone",
        {"session_id": alice.session_id},
    )
    assert (entry.actor.id, entry.resource and entry.resource.id) == (ended["revoked_by"], alice.user_id)
    assert await front.me(alice.access) == REVOKED
    assert await front.try_refresh(alice.refresh) == REVOKED
    assert await front.me(other.access) == (200, "")


async def test_ending_what_is_over_changes_nothing(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    first = await revoke(front, alice.session_id)
    del first["access_stopped"]
    over = await put_one(front, alice.user_id, expires_at=START_MS, access_expires_at=START_MS)
    clock.advance(60)
    before = await front.entries()
    assert await revoke(front, alice.session_id, {"reason": "again"}) == first
    expired = await revoke(front, over)
    assert (expired["status"], expired["revoked_at"], "access_stopped" in expired) == ("expired", None, False)
    assert await front.entries() == before


async def test_the_residue_is_that_of_the_last_access_token(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    clock.advance(10 * 60 + 0.5)
    await front.refresh(alice.refresh)
    assert (await revoke(front, alice.session_id))["access_stopped"]["residual_seconds"] == 900
    bob = await front.sign_up("bob@example.com")
    clock.advance(3600)
    assert (await revoke(front, bob.session_id))["access_stopped"] == {"sessions_revoked": 1, "residual_seconds": 0}


async def test_of_16_at_once_one_ends_it(front: Front) -> None:
    alice = await front.sign_up()
    ended = await asyncio.gather(*(revoke(front, alice.session_id) for _ in range(16)))
    stopped = [one.pop("access_stopped") for one in ended if "access_stopped" in one]
    assert stopped == [{"sessions_revoked": 1, "residual_seconds": 900}]
    assert all(one == ended[0] for one in ended)
    assert [entry[0] for entry in await told(front)] == ["session.revoked"]


async def test_a_privileged_users_session_needs_admins_manage(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": "admin"})
    alice = await front.sign_in()
    bob = await front.sign_up("bob@example.com")
    impersonation = await put_one(front, alice.user_id, **IMPERSONATOR)
    lesser = await app.make_key(front.tenant_id, "*")
    for session_id in (alice.session_id, impersonation):
        answer = await app.call(lesser, "DELETE", f"/v1/sessions/{session_id}", {}, {"Idempotency-Key": session_id})
        assert said(answer) == (403, "insufficient_scope")
        messages = [detail["message"] for detail in answer.json()["error"]["details"]]
        assert messages == ["Needs the scope admins:manage."]
    assert await front.me(alice.access) == (200, "")
    assert (await app.call(lesser, "DELETE", f"/v1/sessions/{bob.session_id}", {})).status_code == 200
    assert (await revoke(front, alice.session_id))["status"] == "revoked"
    assert (await revoke(front, impersonation))["status"] == "revoked"


async def test_upward_is_judged_before_a_retry_is_answered(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    lesser = await app.make_key(front.tenant_id, "*")
    path, retry = f"/v1/sessions/{alice.session_id}", {"Idempotency-Key": "k"}
    answers = [await app.call(lesser, "DELETE", path, {}, retry) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert "access_stopped" in answers[1].json()
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": "super_admin"})
    assert said(await app.call(lesser, "DELETE", path, {}, retry)) == (403, "insufficient_scope")


async def test_ending_needs_sessions_write(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    reader = await app.make_key(front.tenant_id, "sessions:read", "users:*", "admins:manage")
    for path in (f"/v1/sessions/{alice.session_id}", f"/v1/sessions?confirm={front.tenant_id}"):
        answer = await app.call(reader, "DELETE", path, {})
        assert said(answer) == (403, "insufficient_scope")
        assert [detail["message"] for detail in answer.json()["error"]["details"]] == [
            "Needs the scope sessions:write."
        ]
    assert await front.me(alice.access) == (200, "")


async def test_every_session_of_a_tenant(front: Front, app: RunningApp, clock: ManualClock) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    await front.admin("PATCH", f"/v1/users/{bob.user_id}", {"role": "super_admin"})
    bob = await front.refresh(bob.refresh)
    await put(
        front,
        [
            a_session(front, alice.user_id, access_expires_at=START_MS + 60 * MINUTE, **IMPERSONATOR),
            a_session(front, alice.user_id, expires_at=START_MS, access_expires_at=START_MS),
        ],
    )
    other = await make_front(app)
    carol = await other.sign_up()
    assert await revoke_every(front) == {"sessions_revoked": 3, "residual_seconds": 3600}
    for who in (alice, bob):
        assert await front.me(who.access) == REVOKED
        assert await front.try_refresh(who.refresh) == REVOKED
    assert await told(front) == [("tenant.sessions_revoked", "a breach", {"sessions_revoked": 3})]
    assert await revoke_every(front) == {"sessions_revoked": 0, "residual_seconds": 0}
    assert len(await told(front)) == 1
    shown = (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json()
    assert shown["revoked_reason"] == "sessions_revoked"
    assert await other.me(carol.access) == (200, "")
    assert await front.try_sign_in() == (200, "")


@pytest.mark.parametrize(("confirm", "code"), [(None, "required"), ("yes", "invalid"), ("other", "invalid")])
async def test_it_is_not_done_by_a_slip(front: Front, app: RunningApp, confirm: str | None, code: str) -> None:
    alice = await front.sign_up()
    given = (await make_front(app)).tenant_id if confirm == "other" else confirm
    answer = await front.admin("DELETE", f"/v1/sessions{'' if given is None else f'?confirm={given}'}", {})
    assert said(answer) == (422, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in answer.json()["error"]["details"]] == [("confirm", code)]
    assert await front.me(alice.access) == (200, "")


async def test_ending_every_session_always_needs_admins_manage(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    lesser = await app.make_key(front.tenant_id, "*")
    answer = await app.call(lesser, "DELETE", f"/v1/sessions?confirm={front.tenant_id}", {})
    assert said(answer) == (403, "insufficient_scope")
    assert [detail["message"] for detail in answer.json()["error"]["details"]] == ["Needs the scope admins:manage."]
    assert await front.me(alice.access) == (200, "")


async def test_a_retry_ends_nothing_that_began_since(front: Front) -> None:
    await front.sign_up()
    first = await revoke_every(front, **{"Idempotency-Key": "k"})
    alice = await front.sign_in()
    assert await revoke_every(front, **{"Idempotency-Key": "k"}) == first
    assert await front.me(alice.access) == (200, "")


async def many(front: Front) -> list[str]:
    """Return the ids of MANY sessions of one user, in their order."""
    alice = await front.sign_up()
    sessions = [a_session(front, alice.user_id) for _ in range(MANY - 1)]
    await put(front, sessions)
    return [alice.session_id, *(session.id for session in sessions)]


async def test_1200_sessions_end_in_slices_and_reads_are_answered_in_between(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(front)
    database = front.app.services.database
    write = database.write
    recorders: list[Recorder] = []
    reading: list[asyncio.Task[int]] = []

    class Reading(Recorder):
        """Has somebody else read at each slice, and slices until that is answered."""

        async def slice(self) -> None:
            self.slices += 1
            reading.append(asyncio.create_task(active(front)))
            while not reading[-1].done():
                await self._tx.slice()

    async def recording(tenant: str, command: Command[Any], result: type[Any], **options: Any) -> Any:
        async def recorded(tx: Transaction) -> Any:
            recorders.append(Reading(tx))
            return await command(recorders[-1])

        return await write(tenant, recorded, result, **options)

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", recording)
        assert await revoke_every(front) == {"sessions_revoked": MANY, "residual_seconds": 900}
    [recorder] = recorders
    assert recorder.slices == 2
    assert len(recorder.ran) <= 3 + TELLING + ENTRY
    assert [await task for task in reading] == [MANY, MANY]
    assert await active(front) == 0


async def test_of_16_at_once_each_of_1200_sessions_is_ended_by_one(front: Front) -> None:
    await many(front)
    stopped = await asyncio.gather(*(revoke_every(front) for _ in range(16)))
    assert sorted(one["sessions_revoked"] for one in stopped) == [0] * 15 + [MANY]
    assert [entry[0] for entry in await told(front)] == ["tenant.sessions_revoked"]
    assert await active(front) == 0


async def test_sessions_that_end_meanwhile_neither_count_twice_nor_keep_others_alive(front: Front) -> None:
    ids = await many(front)
    answers = await asyncio.gather(
        *(revoke(front, session_id) for session_id in ids[:8]),
        revoke_every(front),
        *(revoke(front, session_id) for session_id in ids[8:16]),
    )
    singly = sum("access_stopped" in answer for answer in answers)
    [at_once] = [answer["sessions_revoked"] for answer in answers if "sessions_revoked" in answer]
    assert (singly + at_once, await active(front)) == (MANY, 0)
