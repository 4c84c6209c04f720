"""An impersonation under way on both stores: what it may do, what is written of it, and everything that ends it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
import pytest

from hellojohn_server.kit.sightings import SightingKind
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock, OpenDatabase
from tests.features.impersonation.parts import REASON, Desk, error_of
from tests.support import RunningApp, running_app

ME: Final = "/v1/auth/me"
GET_HASHES: Final = Statement(
    "SELECT family_hash, refresh_hash FROM sessions WHERE tenant_id = :tenant_id AND id = :id"
)


async def look(app: RunningApp, token: str) -> tuple[int, str]:
    """Return what an access token gets at a server."""
    return error_of(await app.call(token, "GET", ME))


@asynccontextmanager
async def second_app(open_database: OpenDatabase, clock: ManualClock) -> AsyncGenerator[RunningApp]:
    """Serve the app as another process would: over the same data, through a store of its own."""
    database = await open_database()
    try:
        async with running_app(database, clock) as elsewhere:
            yield elsewhere
    finally:
        await database.close()


async def begin(desk: Desk, **fields: Any) -> tuple[str, str, str]:
    """Begin an impersonation of a new user; return the user, the session and the token."""
    alice = await desk.make_user()
    given = await desk.impersonate(alice, **fields)
    return alice, given["session_id"], given["access_token"]


async def make_key(desk: Desk, *scopes: str, expires_in: str | None = None) -> tuple[str, str]:
    """Make a key over HTTP; return its id and itself."""
    body = {"name": "support", "scopes": scopes or ("users:impersonate",), "expires_in": expires_in}
    made = (await desk.call("POST", "/v1/api-keys", body)).json()
    return made["id"], made["key"]


async def test_it_sees_what_the_user_sees(desk: Desk) -> None:
    alice, session_id, token = await begin(desk)
    me = await desk.call("GET", ME, key=token)
    assert (me.status_code, me.json()["id"], me.json()["email"]) == (200, alice, "alice@example.com")
    own = await desk.parts.add_session(desk.tenant_id, alice)
    listed = (await desk.call("GET", "/v1/auth/sessions", key=token)).json()["data"]
    assert [(one["id"], one["current"]) for one in listed] == [(own, False)]
    assert session_id != own
    named = await desk.call("GET", ME, key=token, **{"X-Tenant-ID": desk.tenant_id})
    assert named.status_code == 200
    other = await desk.call("GET", ME, key=token, **{"X-Tenant-ID": await desk.app.make_tenant("Other")})
    assert error_of(other) == (403, "tenant_mismatch")


async def test_looking_leaves_no_trace_on_the_user(desk: Desk) -> None:
    alice, _, token = await begin(desk)
    before = (await desk.call("GET", f"/v1/users/{alice}")).json()
    desk.clock.advance(600)
    assert (await desk.call("GET", ME, key=token)).status_code == 200
    seen = desk.app.services.sightings.drain()
    assert (SightingKind.API_KEY, desk.tenant_id) in seen
    assert (SightingKind.USER, desk.tenant_id) not in seen
    assert (await desk.call("GET", f"/v1/users/{alice}")).json() == before


async def test_what_is_done_has_both_names(desk: Desk) -> None:
    key_id, key = await make_key(desk)
    alice = await desk.make_user()
    body = {"user_id": alice, "reason": REASON}
    asked = await desk.call(
        "POST", "/v1/admin/users/impersonate", body, key=key, **{"X-Acting-Admin": "dana@example.com"}
    )
    token = asked.json()["access_token"]
    changed = await desk.call("PATCH", ME, {"name": "B"}, key=token, **{"X-Acting-Admin": "somebody else"})
    assert (changed.status_code, changed.json()["name"]) == (200, "B")
    denied = await desk.call("GET", "/v1/users", key=token)
    assert error_of(denied) == (403, "impersonation_forbidden")
    assert (await desk.call("POST", "/v1/auth/sign-out", key=token)).status_code == 204

    entries = [msgspec.to_builtins(entry) for entry in await desk.entries(user_id=alice)]
    told = [(entry["type"], entry["result"], entry["changes"]) for entry in entries]
    assert told == [
        ("user.created", "success", {"email": (None, "alice@example.com"), "role": (None, "member")}),
        ("user.impersonated", "success", {}),
        ("user.updated", "success", {"name": (None, "B")}),
        ("operation.denied", "denied", {}),
        ("user.signed_out", "success", {}),
    ]
    for entry in entries[1:]:
        assert entry["actor"] == {"id": key_id, "type": "api_key", "name": "support", "asserted": "dana@example.com"}
        assert entry["on_behalf_of"] == {"id": alice, "type": "user"}
        assert entry["impersonated"] is True
        assert entry["ip_address"] == "127.0.0.1"


async def test_one_that_looks_changes_nothing_but_may_leave(desk: Desk) -> None:
    alice, session_id, token = await begin(desk, read_only=True)
    assert await look(desk.app, token) == (200, "")
    assert error_of(await desk.call("PATCH", ME, {"name": "B"}, key=token)) == (403, "impersonation_forbidden")
    assert (await desk.call("GET", f"/v1/users/{alice}")).json()["version"] == 1
    assert (await desk.call("POST", "/v1/auth/sign-out", key=token)).status_code == 204
    assert await look(desk.app, token) == (401, "session_revoked")
    ended = (await desk.call("GET", f"/v1/sessions/{session_id}")).json()
    assert (ended["status"], ended["revoked_reason"]) == ("revoked", "signed_out")


async def test_leaving_ends_nothing_else(desk: Desk) -> None:
    alice, _, token = await begin(desk)
    second = (await desk.impersonate(alice))["access_token"]
    own = await desk.parts.add_session(desk.tenant_id, alice)
    await desk.call("POST", "/v1/auth/sign-out", key=token)
    assert await look(desk.app, second) == (200, "")
    assert (await desk.call("GET", f"/v1/sessions/{own}")).json()["status"] == "active"


async def test_administrators_see_and_end_it(desk: Desk) -> None:
    alice, session_id, token = await begin(desk, read_only=True)
    await desk.parts.add_session(desk.tenant_id, alice)
    [listed] = (await desk.call("GET", "/v1/sessions?impersonated=true")).json()["data"]
    assert (listed["id"], listed["user_id"], listed["impersonated"]) == (session_id, alice, True)
    assert (listed["impersonation"]["reason"], listed["impersonation"]["read_only"]) == (REASON, True)
    verified = (await desk.call("POST", "/v1/sessions/verify", {"token": token})).json()
    assert (verified["valid"], verified["session"]["impersonated"], verified["user"]["id"]) == (True, True, alice)
    ended = await desk.call("DELETE", f"/v1/sessions/{session_id}", {"reason": "enough"})
    assert (ended.status_code, ended.json()["access_stopped"]) == (
        200,
        {"sessions_revoked": 1, "residual_seconds": 3600},
    )
    assert await look(desk.app, token) == (401, "session_revoked")
    verified = (await desk.call("POST", "/v1/sessions/verify", {"token": token})).json()
    assert (verified["valid"], verified["reason"]) == (False, "session_revoked")


async def test_it_ends_by_itself(desk: Desk) -> None:
    _, session_id, token = await begin(desk, expires_in="5m")
    desk.clock.advance(299.999)
    assert await look(desk.app, token) == (200, "")
    desk.clock.advance(0.001)
    assert await look(desk.app, token) == (401, "token_expired")
    assert (await desk.call("GET", f"/v1/sessions/{session_id}")).json()["status"] == "expired"


async def test_it_ends_with_its_key(desk: Desk, open_database: OpenDatabase, clock: ManualClock) -> None:
    key_id, key = await make_key(desk)
    _, session_id, token = await begin(desk, key=key)
    another = (await desk.impersonate(await desk.make_user("bob")))["access_token"]
    async with second_app(open_database, clock) as elsewhere:
        assert await look(elsewhere, token) == (200, "")
        revoked = await desk.call("DELETE", f"/v1/api-keys/{key_id}")
        assert revoked.is_success
        assert await look(elsewhere, token) == (401, "session_revoked")
        assert await look(desk.app, token) == (401, "session_revoked")
        assert await look(elsewhere, another) == (200, "")
        ended = (await elsewhere.call(desk.key, "GET", f"/v1/sessions/{session_id}")).json()
        assert (ended["status"], ended["revoked_reason"]) == ("revoked", "api_key_revoked")


async def test_of_a_revocation_and_impersonations_at_once_none_stands(desk: Desk) -> None:
    alice = await desk.make_user()
    key_id, key = await make_key(desk)
    asked = [desk.ask(alice, key=key) for _ in range(15)]
    *answers, revoked = await asyncio.gather(*asked, desk.call("DELETE", f"/v1/api-keys/{key_id}"))
    assert revoked.is_success
    assert {error_of(answer) for answer in answers if not answer.is_success} <= {(401, "invalid_api_key")}
    for answer in answers:
        if answer.is_success:
            assert await look(desk.app, answer.json()["access_token"]) == (401, "session_revoked")
    assert (await desk.call("GET", "/v1/sessions?impersonated=true")).json()["data"] == []


async def test_it_ends_when_its_key_expires(desk: Desk) -> None:
    _, key = await make_key(desk, expires_in="10m")
    _, _, token = await begin(desk, key=key, expires_in="24h")
    desk.clock.advance(599)
    assert await look(desk.app, token) == (200, "")
    desk.clock.advance(1)
    assert await look(desk.app, token) == (401, "token_expired")


ENDED_BY: Final[dict[str, tuple[str, str, Any]]] = {
    "ban": ("POST", "/ban", {"reason": "spam"}),
    "delete": ("DELETE", "", None),
    "disable": ("POST", "/disable", {"revoke_sessions": True}),
    "disable and keep": ("POST", "/disable", {"revoke_sessions": False}),
    "end every session": ("DELETE", "/sessions", None),
}
REVIVED_BY: Final[dict[str, str]] = {
    "ban": "/unban",
    "delete": "/restore",
    "disable": "/enable",
    "disable and keep": "/enable",
}


@pytest.mark.parametrize("act", sorted(ENDED_BY))
async def test_it_ends_with_the_users_access_and_does_not_come_back(
    desk: Desk, open_database: OpenDatabase, clock: ManualClock, act: str
) -> None:
    alice, _, token = await begin(desk)
    method, path, body = ENDED_BY[act]
    async with second_app(open_database, clock) as elsewhere:
        assert await look(elsewhere, token) == (200, "")
        stopped = await desk.call(method, f"/v1/users/{alice}{path}", body)
        assert stopped.is_success, stopped.text
        for app in (elsewhere, desk.app):
            assert await look(app, token) == (401, "session_revoked")
        if act in REVIVED_BY:
            revived = await desk.call("POST", f"/v1/users/{alice}{REVIVED_BY[act]}")
            assert revived.status_code == httpx.codes.OK, revived.text
        for app in (elsewhere, desk.app):
            assert await look(app, token) == (401, "session_revoked")
    await desk.impersonate(alice)


@pytest.mark.parametrize("change", [{"role": "admin"}, {"email": "new@example.com"}])
async def test_a_token_of_somebody_who_has_changed_is_stale(desk: Desk, change: dict[str, str]) -> None:
    alice, _, token = await begin(desk)
    await desk.call("PATCH", f"/v1/users/{alice}", change)
    assert await look(desk.app, token) == (401, "token_stale")
    await desk.impersonate(alice)


async def test_it_ends_with_all_sessions_of_the_tenant(desk: Desk) -> None:
    _, _, token = await begin(desk)
    everything = await desk.call("DELETE", f"/v1/sessions?confirm={desk.tenant_id}")
    assert everything.status_code == 200
    assert await look(desk.app, token) == (401, "session_revoked")


async def test_a_suspended_tenant_opens_nothing(desk: Desk) -> None:
    _, _, token = await begin(desk)
    master = await desk.app.make_master_key()
    await desk.call("POST", f"/v1/tenants/{desk.tenant_id}/suspend", {"reason": "unpaid"}, key=master)
    assert await look(desk.app, token) == (403, "tenant_suspended")
    await desk.call("POST", f"/v1/tenants/{desk.tenant_id}/resume", key=master)
    assert await look(desk.app, token) == (200, "")


async def test_it_cannot_be_refreshed(desk: Desk) -> None:
    _, session_id, _ = await begin(desk)
    session = await desk.app.services.sessions.require_session(desk.tenant_id, session_id)
    assert session.last_refreshed_at is None
    [row] = await desk.parts.rows(desk.tenant_id, GET_HASHES, id=session_id)
    assert row == (None, None)
