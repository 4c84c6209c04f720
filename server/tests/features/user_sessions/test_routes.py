"""Sessions for administrators on both stores: listed, looked at, and what a token is worth at this moment."""

from typing import Any

import httpx
import msgspec
import pytest

from hellojohn_server.kit.ids import IMPERSONATION_SUFFIX, IdPrefix
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import Front, make_front, said
from tests.features.user_sessions.parts import DAY, IMPERSONATOR, MINUTE, a_session, ban, put, put_one
from tests.support import RunningApp

NOT_FOUND = (404, "session_not_found")


async def listed(front: Front, query: str = "", path: str = "/v1/sessions") -> list[str]:
    """Return the ids of one page, which says that it is everything."""
    answer = await front.admin("GET", f"{path}?limit=100{query and '&'}{query}")
    assert answer.status_code == 200, answer.text
    page = answer.json()
    ids = [session["id"] for session in page["data"]]
    assert page["pagination"] == {
        "total": len(ids), "total_is_exact": True, "limit": 100, "has_more": False, "next_cursor": None
    }  # fmt: skip
    return ids


async def verified(front: Front, token: str) -> str:
    """Return "" for a token that is good, else the reason why it is not."""
    answer = await front.admin("POST", "/v1/sessions/verify", {"token": token})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if body["valid"]:
        assert body.keys() == {"valid", "user", "permissions", "session"}
        return ""
    assert body.keys() == {"valid", "reason"}
    return str(body["reason"])


async def test_a_session_shows_where_it_came_from_and_what_became_of_it(front: Front, clock: ManualClock) -> None:
    body = {"email": "alice@example.com", "password": "correct horse battery"}
    answer = await front.app.call(
        front.publishable, "POST", "/v1/auth/sign-up", body, {"User-Agent": "Firefox on a phone"}
    )
    alice, session_id = answer.json()["user"]["id"], answer.json()["session"]["id"]
    assert (await front.admin("GET", f"/v1/sessions/{session_id}")).json() == {
        "id": session_id,
        "user_id": alice,
        "status": "active",
        "amr": ["pwd"],
        "organization_id": None,
        "ip_address": "127.0.0.1",
        "user_agent": "Firefox on a phone",
        "created_at": "2026-09-21T14:13:20.000Z",
        "last_refreshed_at": None,
        "expires_at": "2026-10-21T14:13:20.000Z",
        "revoked_at": None,
        "revoked_reason": None,
        "revoked_by": None,
        "impersonated": False,
        "impersonation": None,
    }
    clock.advance(30 * 86_400)
    assert (await front.admin("GET", f"/v1/sessions/{session_id}")).json()["status"] == "expired"


async def test_an_impersonation_shows_who_is_behind_it(front: Front) -> None:
    alice = await front.sign_up()
    made = f"{front.app.services.ids.new(IdPrefix.SESSION)}{IMPERSONATION_SUFFIX}"
    session_id = await put_one(front, alice.user_id, id=made, read_only=True, **IMPERSONATOR)
    shown = (await front.admin("GET", f"/v1/sessions/{session_id}")).json()
    assert (shown["id"], shown["impersonated"], shown["user_id"]) == (made, True, alice.user_id)
    assert shown["impersonation"] == {
        "by": {
            "id": "key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
            "type": "api_key",
            "name": "support desk",
            "asserted": "jane@example.com",
        },
        "reason": "ticket 7",
        "read_only": True,
    }


async def test_what_is_no_session_of_the_tenant_is_not_found(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    other = await make_front(app)
    absent = front.app.services.ids.new(IdPrefix.SESSION)
    for session_id in (absent, "ses_x", alice.user_id, f"{alice.session_id}{IMPERSONATION_SUFFIX}"):
        assert said(await front.admin("GET", f"/v1/sessions/{session_id}")) == NOT_FOUND
        assert said(await front.admin("DELETE", f"/v1/sessions/{session_id}", {})) == NOT_FOUND
    assert said(await other.admin("GET", f"/v1/sessions/{alice.session_id}")) == NOT_FOUND
    assert said(await other.admin("DELETE", f"/v1/sessions/{alice.session_id}", {})) == NOT_FOUND
    assert said(await other.admin("GET", f"/v1/users/{alice.user_id}/sessions")) == (404, "user_not_found")
    assert await listed(other) == await listed(other, f"user_id={alice.user_id}") == []
    assert await front.me(alice.access) == (200, "")


async def test_lists_by_user_status_and_kind_newest_first(front: Front, clock: ManualClock) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    second = await front.sign_in()
    over = await put_one(front, alice.user_id, expires_at=START_MS - 1)
    ended = await put_one(front, bob.user_id, revoked_at=START_MS, revoked_reason="signed_out", revoked_by=bob.user_id)
    acted = await put_one(front, alice.user_id, **IMPERSONATOR)
    own = [second.session_id, bob.session_id, alice.session_id]
    of_alice = [acted, second.session_id, alice.session_id]

    assert await listed(front) == await listed(front, "status=active") == [acted, *own]
    assert await listed(front, "status=expired") == [over]
    assert await listed(front, "status=revoked") == [ended]
    assert await listed(front, "impersonated=true") == [acted]
    assert await listed(front, "impersonated=false") == own
    assert await listed(front, f"user_id={alice.user_id}") == of_alice
    assert await listed(front, f"user_id={alice.user_id}&impersonated=false") == of_alice[1:]
    assert await listed(front, f"user_id={alice.user_id}&status=expired") == [over]
    assert await listed(front, f"user_id={bob.user_id}&status=expired") == []
    assert await listed(front, "user_id=x") == await listed(front, "impersonated=true&status=revoked") == []

    path = f"/v1/users/{alice.user_id}/sessions"
    assert await listed(front, path=path) == of_alice
    assert await listed(front, "impersonated=true", path) == [acted]
    assert await listed(front, "status=expired", path) == [over]
    clock.advance(DAY / 1000)
    assert await listed(front, "status=expired") == [acted, over]
    assert await listed(front, "status=revoked") == [ended]


async def test_a_resting_session_is_listed_as_active(front: Front) -> None:
    alice = await front.sign_up()
    await front.admin("POST", f"/v1/users/{alice.user_id}/disable", {"revoke_sessions": False})
    assert await listed(front) == [alice.session_id]


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/users/{user}/sessions"])
async def test_pages_neither_repeat_nor_skip_while_sessions_begin_and_end(front: Front, path: str) -> None:
    alice = await front.sign_up()
    path = path.format(user=alice.user_id)
    made = [alice.session_id, *[await put_one(front, alice.user_id) for _ in range(11)]]
    seen: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        answer = await front.admin("GET", f"{path}?limit=4{cursor and '&cursor='}{cursor}")
        page = answer.json()
        seen += [session["id"] for session in page["data"]]
        cursor, pages = page["pagination"]["next_cursor"], pages + 1
        assert page["pagination"]["has_more"] is (cursor is not None)
        await put_one(front, alice.user_id)  # above every page that is still to come
        if pages == 1:
            assert (await front.admin("DELETE", f"/v1/sessions/{made[5]}", {})).status_code == 200
    assert pages == 3
    assert seen == [session_id for session_id in made[::-1] if session_id != made[5]]


async def test_a_cursor_belongs_to_its_list(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    await put(front, [a_session(front, alice.user_id) for _ in range(3)])
    other = await make_front(app)
    cursor = (await front.admin("GET", "/v1/sessions?limit=2")).json()["pagination"]["next_cursor"]
    for query in ("status=revoked", "impersonated=false", f"user_id={alice.user_id}"):
        answer = await front.admin("GET", f"/v1/sessions?limit=2&cursor={cursor}&{query}")
        assert said(answer) == (422, "invalid_cursor")
    assert said(await other.admin("GET", f"/v1/sessions?limit=2&cursor={cursor}")) == (422, "invalid_cursor")
    assert len((await front.admin("GET", f"/v1/sessions?limit=2&cursor={cursor}")).json()["data"]) == 2


@pytest.mark.parametrize("query", ["status=ended", "impersonated=yes", "limit=0", "limit=101", "users=x"])
async def test_what_cannot_be_asked_for(front: Front, query: str) -> None:
    answer = await front.admin("GET", f"/v1/sessions?{query}")
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [query.split("=", maxsplit=1)[0]]


async def test_reading_needs_sessions_read(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    key = await app.make_key(front.tenant_id, "users:*", "sessions:write")
    for method, path, body in (
        ("GET", "/v1/sessions", None),
        ("GET", f"/v1/sessions/{alice.session_id}", None),
        ("GET", f"/v1/users/{alice.user_id}/sessions", None),
        ("POST", "/v1/sessions/verify", {"token": alice.access}),
    ):
        answer = await app.call(key, method, path, body)
        assert said(answer) == (403, "insufficient_scope")
        assert [detail["message"] for detail in answer.json()["error"]["details"]] == ["Needs the scope sessions:read."]
    for key in (front.publishable, alice.access):
        assert said(await app.call(key, "GET", "/v1/sessions")) == (403, "credential_not_allowed")


async def test_verify_shows_whose_token_it_is(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    answer = await front.admin("POST", "/v1/sessions/verify", {"token": alice.access})
    assert answer.json() == {
        "valid": True,
        "user": (await app.call(alice.access, "GET", "/v1/auth/me")).json(),
        "permissions": [],
        "session": (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json(),
    }


async def test_verify_says_why_a_token_is_not_good(front: Front, app: RunningApp, clock: ManualClock) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    carol, dora = await front.sign_up("carol@example.com"), await front.sign_up("dora@example.com")
    other = await make_front(app)
    assert await verified(other, alice.access) == "invalid_token"
    tampered = alice.access[:-6] + ("AAAAAA" if not alice.access.endswith("AAAAAA") else "BBBBBB")
    for token in (tampered, alice.refresh, front.secret, "x", alice.access + ".", alice.access.rpartition(".")[0]):
        assert await verified(front, token) == "invalid_token"
    assert await verified(front, alice.access) == ""

    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": "admin"})
    assert await verified(front, alice.access) == "token_stale"
    await front.admin("POST", f"/v1/users/{bob.user_id}/disable", {"revoke_sessions": False})
    assert await verified(front, bob.access) == "account_disabled"
    await ban(front, carol.user_id, START_MS + 1)
    assert await verified(front, carol.access) == "account_banned"
    assert await front.me(carol.access) == (403, "account_banned")
    await front.sign_out(dora.access)
    assert await verified(front, dora.access) == "session_revoked"

    fresh = await front.refresh(alice.refresh)
    assert await verified(front, fresh.access) == ""
    clock.advance(0.001)
    assert await verified(front, carol.access) == ""
    clock.advance(899.999)
    for token in (fresh.access, bob.access, carol.access, dora.access):
        assert await verified(front, token) == "token_expired"


async def test_a_session_may_end_before_its_token_does(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    session = a_session(front, alice.user_id, expires_at=START_MS + MINUTE, access_expires_at=START_MS + 5 * MINUTE)
    await put(front, [session])
    claims = await front.app.services.signing_keys.verify(alice.access)
    token = await front.app.services.signing_keys.sign(msgspec.structs.replace(claims, sid=session.id))
    assert (await verified(front, token), await front.me(token)) == ("", (200, ""))
    clock.advance(60)
    assert (await verified(front, token), await front.me(token)) == ("session_expired", (401, "session_expired"))


async def test_a_token_of_our_own_that_names_somebody_elses_session_is_invalid(front: Front) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    claims = await front.app.services.signing_keys.verify(alice.access)
    crossed = await front.app.services.signing_keys.sign(msgspec.structs.replace(claims, sid=bob.session_id))
    nowhere = msgspec.structs.replace(claims, sid=front.app.services.ids.new(IdPrefix.SESSION))
    for token in (crossed, await front.app.services.signing_keys.sign(nowhere)):
        assert (await verified(front, token), await front.me(token)) == ("invalid_token", (401, "invalid_token"))


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 1}, {"token": "e" * 4097}])
async def test_verify_needs_a_token(front: Front, body: Any) -> None:
    answer = await front.admin("POST", "/v1/sessions/verify", body)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["token"]


async def test_verify_changes_nothing_and_takes_a_retry_key_without_keeping_it(front: Front) -> None:
    alice = await front.sign_up()
    before = len(await front.entries())
    headers = {"Idempotency-Key": "k"}
    for reason in ("", "session_revoked"):
        answer = await front.app.call(
            front.secret, "POST", "/v1/sessions/verify", {"token": alice.access}, headers=headers
        )
        assert answer.json().get("reason", "") == reason
        assert len(await front.entries()) == before
        await front.sign_out(alice.access)
        before += not reason
