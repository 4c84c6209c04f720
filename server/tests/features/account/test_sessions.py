"""One's own sessions on both stores: which are seen, which may be ended, and signing out."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.kit.ids import IdPrefix
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.features.user_sessions.parts import IMPERSONATOR, a_session, put, put_one
from tests.support import RunningApp

REVOKED = (401, "session_revoked")
NOT_FOUND = (404, "session_not_found")


async def own(front: Front, access: str) -> list[dict[str, Any]]:
    """Return the sessions that a user sees."""
    answer = await front.app.call(access, "GET", "/v1/auth/sessions")
    assert answer.status_code == 200, answer.text
    sessions: list[dict[str, Any]] = answer.json()["data"]
    return sessions


async def end(front: Front, access: str, session_id: str, **headers: str) -> tuple[int, str]:
    """End a session as a user and return the status and the error code, or nothing."""
    return said(await front.app.call(access, "DELETE", f"/v1/auth/sessions/{session_id}", headers=headers))


async def types(front: Front) -> list[str]:
    """Return the types of the entries about ended sessions."""
    return [entry.type for entry in await front.entries() if entry.type in {"session.revoked", "user.signed_out"}]


async def test_the_active_ones_are_seen_newest_first(front: Front, clock: ManualClock) -> None:
    body = {"email": "alice@example.com", "password": PASSWORD}
    phone = {"User-Agent": "a phone"}
    answer = await front.app.call(front.publishable, "POST", "/v1/auth/sign-up", body, phone)
    first = answer.json()["session"]
    user_id = answer.json()["user"]["id"]
    clock.advance(60)
    second = await front.sign_in()
    await put(
        front,
        [
            a_session(front, user_id, **IMPERSONATOR),
            a_session(front, user_id, expires_at=START_MS),
            a_session(front, user_id, revoked_at=START_MS, revoked_reason="signed_out", revoked_by=user_id),
        ],
    )
    await front.sign_up("bob@example.com")
    seen = await own(front, second.access)
    assert [(one["id"], one["current"]) for one in seen] == [(second.session_id, True), (first["id"], False)]
    assert seen[1] == {
        "id": first["id"],
        "current": False,
        "ip_address": "127.0.0.1",
        "user_agent": "a phone",
        "created_at": "2026-09-21T14:13:20.000Z",
        "last_refreshed_at": None,
        "expires_at": "2026-10-21T14:13:20.000Z",
    }
    assert [one["current"] for one in await own(front, first["access_token"])] == [False, True]


async def test_pages(front: Front) -> None:
    alice = await front.sign_up()
    made = [alice.session_id, *[await put_one(front, alice.user_id) for _ in range(4)]]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        path = f"/v1/auth/sessions?limit=2{cursor and '&cursor='}{cursor}"
        page = (await front.app.call(alice.access, "GET", path)).json()
        seen += [session["id"] for session in page["data"]]
        assert page["pagination"]["total"] == 5
        cursor = page["pagination"]["next_cursor"]
    assert seen == made[::-1]
    bob = await front.sign_up("bob@example.com")
    first = (await front.app.call(alice.access, "GET", "/v1/auth/sessions?limit=2")).json()
    theirs = f"/v1/auth/sessions?limit=2&cursor={first['pagination']['next_cursor']}"
    assert said(await front.app.call(bob.access, "GET", theirs)) == (422, "invalid_cursor")


async def test_ending_one_of_ones_own(front: Front) -> None:
    alice = await front.sign_up()
    lost = await front.sign_in()
    assert await end(front, alice.access, lost.session_id) == (204, "")
    assert await front.me(lost.access) == REVOKED
    assert await front.try_refresh(lost.refresh) == REVOKED
    assert [one["id"] for one in await own(front, alice.access)] == [alice.session_id]
    assert await end(front, alice.access, lost.session_id) == (204, "")
    assert await types(front) == ["session.revoked"]
    entry = (await front.entries())[-1]
    assert (entry.actor.id, entry.metadata) == (alice.user_id, {"session_id": lost.session_id})
    shown = (await front.admin("GET", f"/v1/sessions/{lost.session_id}")).json()
    assert (shown["revoked_reason"], shown["revoked_by"]) == ("session_revoked", alice.user_id)


async def test_nobody_elses_is_there(front: Front, app: RunningApp) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    other = await make_front(app)
    foreign = await other.sign_up()
    acted = await put_one(front, alice.user_id, **IMPERSONATOR)
    absent = app.services.ids.new(IdPrefix.SESSION)
    for session_id in (bob.session_id, foreign.session_id, acted, absent, "x"):
        assert await end(front, alice.access, session_id) == NOT_FOUND
    assert await front.me(bob.access) == await other.me(foreign.access) == (200, "")
    assert (await front.admin("GET", f"/v1/sessions/{acted}")).json()["status"] == "active"
    assert await types(front) == []


async def test_a_retry_of_ending_one(front: Front) -> None:
    alice = await front.sign_up()
    lost = await front.sign_in()
    for _ in range(2):
        assert await end(front, alice.access, lost.session_id, **{"Idempotency-Key": "k"}) == (204, "")
    assert await types(front) == ["session.revoked"]


async def test_of_16_at_once_one_is_written_down(front: Front) -> None:
    alice = await front.sign_up()
    lost = await front.sign_in()
    answers = await asyncio.gather(*(end(front, alice.access, lost.session_id) for _ in range(16)))
    assert answers == [(204, "")] * 16
    assert await types(front) == ["session.revoked"]


async def test_signing_out_ends_this_session_only(front: Front) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    assert await front.sign_out(alice.access) == (204, "")
    assert await front.me(alice.access) == REVOKED
    assert await front.try_refresh(alice.refresh) == REVOKED
    assert await front.sign_out(alice.access) == REVOKED
    assert await front.me(other.access) == (200, "")
    shown = (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json()
    assert (shown["status"], shown["revoked_reason"], shown["revoked_by"]) == ("revoked", "signed_out", alice.user_id)
    entry = (await front.entries())[-1]
    assert (entry.type, entry.metadata) == ("user.signed_out", {"session_id": alice.session_id})
    assert await front.try_sign_in() == (200, "")


async def test_of_16_sign_outs_at_once_one_is_written_down(front: Front) -> None:
    alice = await front.sign_up()
    answers = await asyncio.gather(*(front.sign_out(alice.access) for _ in range(16)))
    assert set(answers) <= {(204, ""), REVOKED}
    assert (204, "") in answers
    assert await types(front) == ["user.signed_out"]


@pytest.mark.parametrize("body", [{}, {"session_id": "x"}])
async def test_signing_out_takes_no_body(front: Front, body: Any) -> None:
    alice = await front.sign_up()
    assert said(await front.app.call(alice.access, "POST", "/v1/auth/sign-out", body)) == (422, "validation_failed")
    assert await front.me(alice.access) == (200, "")
