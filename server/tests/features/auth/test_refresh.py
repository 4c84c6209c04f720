"""Refreshing on both stores: rotation, reuse, time, and what an access token is worth after things change."""

import asyncio
from typing import Any

import httpx
import pytest

from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.refresh_tokens import make_refresh_token
from hellojohn_server.kit.tokens import AccessClaims
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, kept, make_front, said
from tests.support import RunningApp

MINUTE = 60
DAY = 86_400
REVOKED = (401, "session_revoked")


async def session_of(front: Front, session_id: str) -> dict[str, Any]:
    """Return a session as administrators see it."""
    answer = await front.admin("GET", f"/v1/sessions/{session_id}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def claims_of(front: Front, access: str) -> AccessClaims:
    """Return what an access token says."""
    return await front.app.services.signing_keys.verify(access)


async def disable(front: Front, alice: SignedIn, **body: Any) -> None:
    answer = await front.admin("POST", f"/v1/users/{alice.user_id}/disable", body)
    assert answer.status_code == 200, answer.text


async def enable(front: Front, alice: SignedIn) -> None:
    assert (await front.admin("POST", f"/v1/users/{alice.user_id}/enable")).status_code == 200


async def test_a_refresh_gives_new_tokens_of_the_same_session(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    clock.advance(10 * MINUTE + 0.25)
    answer = await front.post("token/refresh", {"refresh_token": alice.refresh})
    fresh = kept(answer)
    assert (fresh.user_id, fresh.session_id) == (alice.user_id, alice.session_id)
    assert len({alice.access, alice.refresh, fresh.access, fresh.refresh}) == 4
    assert answer.json()["session"]["access_token_expires_at"] == "2026-09-21T14:38:20.000Z"
    assert answer.json()["session"]["refresh_token_expires_at"] == "2026-10-21T14:23:20.250Z"
    assert [await front.me(token) for token in (alice.access, fresh.access)] == [(200, "")] * 2
    shown = await session_of(front, alice.session_id)
    assert (shown["status"], shown["created_at"]) == ("active", "2026-09-21T14:13:20.000Z")
    assert (shown["last_refreshed_at"], shown["expires_at"]) == ("2026-09-21T14:23:20.250Z", "2026-10-21T14:23:20.250Z")
    old, new = await claims_of(front, alice.access), await claims_of(front, fresh.access)
    assert (new.sub, new.sid, new.gen, new.iat - old.iat, new.exp - old.exp) == (old.sub, old.sid, old.gen, 600, 600)
    assert new.jti != old.jti
    assert [entry.type for entry in await front.entries()].count("user.signed_in") == 1


async def test_a_used_token_ends_the_session_for_everybody(front: Front) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    fresh = await front.refresh(alice.refresh)
    assert await front.try_refresh(alice.refresh) == (401, "refresh_token_reused")
    assert await front.me(fresh.access) == await front.me(alice.access) == REVOKED
    assert await front.try_refresh(fresh.refresh) == REVOKED
    assert await front.try_refresh(alice.refresh) == (401, "refresh_token_reused")

    shown = await session_of(front, alice.session_id)
    assert (shown["status"], shown["revoked_reason"]) == ("revoked", "refresh_token_reused")
    entry = (await front.entries())[-1]
    assert (entry.type, entry.result, entry.metadata) == (
        "session.refresh_reused",
        "failure",
        {"session_id": alice.session_id},
    )
    assert entry.resource is not None
    assert (entry.resource.type, entry.resource.id) == ("user", alice.user_id)
    assert (entry.actor.type, entry.actor.id) == ("api_key", shown["revoked_by"])
    assert [entry.type for entry in await front.entries()].count("session.refresh_reused") == 1
    assert await front.me(other.access) == (200, "")
    assert (await front.refresh(other.refresh)).session_id == other.session_id


async def test_any_older_token_of_a_chain_ends_it(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    chain = [alice]
    for _ in range(4):
        clock.advance(MINUTE)
        chain.append(await front.refresh(chain[-1].refresh))
    assert await front.try_refresh(chain[1].refresh) == (401, "refresh_token_reused")
    assert [await front.me(one.access) for one in chain] == [REVOKED] * 5
    assert await front.try_refresh(chain[-1].refresh) == REVOKED


async def test_of_16_refreshes_with_one_token_one_succeeds_and_the_session_is_over(front: Front) -> None:
    alice = await front.sign_up()
    body = {"refresh_token": alice.refresh}
    answers = await asyncio.gather(*(front.post("token/refresh", body) for _ in range(16)))
    [winner] = [kept(answer) for answer in answers if answer.is_success]
    assert sorted(said(answer) for answer in answers) == [(200, ""), *[(401, "refresh_token_reused")] * 15]
    assert await front.me(winner.access) == await front.me(alice.access) == REVOKED
    assert await front.try_refresh(winner.refresh) == REVOKED
    assert (await session_of(front, alice.session_id))["revoked_reason"] == "refresh_token_reused"
    assert [entry.type for entry in await front.entries()].count("session.refresh_reused") == 1


async def test_a_session_lasts_as_long_as_it_is_refreshed(front: Front, clock: ManualClock) -> None:
    first = latest = await front.sign_up()
    for _ in range(8):
        clock.advance(29 * DAY)
        assert await front.me(latest.access) == (401, "token_expired")
        latest = await front.refresh(latest.refresh)
        assert latest.session_id == first.session_id
        assert await front.me(latest.access) == (200, "")
    clock.advance(30 * DAY - 0.001)
    latest = await front.refresh(latest.refresh)
    clock.advance(30 * DAY)
    assert await front.try_refresh(latest.refresh) == (401, "refresh_token_expired")
    assert await front.try_refresh(first.refresh) == (401, "refresh_token_expired")
    shown = await session_of(front, first.session_id)
    assert (shown["status"], shown["revoked_at"]) == ("expired", None)
    assert await front.try_sign_in() == (200, "")


async def test_an_access_token_passes_for_fifteen_minutes(front: Front, clock: ManualClock) -> None:
    clock.advance(0.9)
    alice = await front.sign_up()
    assert await front.me(alice.access) == (200, "")
    clock.advance(15 * MINUTE - 0.901)
    assert await front.me(alice.access) == (200, "")
    clock.advance(0.001)
    assert await front.me(alice.access) == (401, "token_expired")
    assert await front.me((await front.refresh(alice.refresh)).access) == (200, "")


async def test_what_is_no_token_of_the_tenant_is_invalid_and_ends_nothing(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    other = await make_front(app)
    mistyped = alice.refresh[:-1] + ("a" if alice.refresh[-1] != "a" else "b")
    nobodys = make_refresh_token(app.services.ids.new(IdPrefix.SESSION)).text
    for token in (mistyped, nobodys, "rft_", "x", alice.access[:200], front.publishable):
        assert await front.try_refresh(token) == (401, "refresh_token_invalid")
    assert await other.try_refresh(alice.refresh) == (401, "refresh_token_invalid")
    assert (await session_of(front, alice.session_id))["status"] == "active"
    assert (await front.refresh(alice.refresh)).session_id == alice.session_id


async def test_guessing_a_token_of_a_known_session_does_not_end_it(front: Front) -> None:
    alice = await front.sign_up()
    for _ in range(3):
        guessed = make_refresh_token(alice.session_id).text
        assert guessed[:26] == alice.refresh[:26]
        assert await front.try_refresh(guessed) == (401, "refresh_token_invalid")
    assert await front.me(alice.access) == (200, "")
    assert await front.me((await front.refresh(alice.refresh)).access) == (200, "")
    assert not [entry for entry in await front.entries() if entry.type == "session.refresh_reused"]


@pytest.mark.parametrize("token", [None, 7, "", "r" * 201])
async def test_what_is_not_even_text_of_that_length_is_a_fault(front: Front, token: Any) -> None:
    answer = await front.post("token/refresh", {"refresh_token": token})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["refresh_token"]


async def test_a_resting_session_keeps_its_refresh_token(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    await disable(front, alice, revoke_sessions=False)
    for _ in range(2):
        assert await front.try_refresh(alice.refresh) == (403, "account_disabled")
        assert await front.me(alice.access) == (403, "account_disabled")
    assert (await session_of(front, alice.session_id))["last_refreshed_at"] is None
    await enable(front, alice)
    assert await front.me(alice.access) == (401, "token_stale")
    clock.advance(MINUTE)
    fresh = await front.refresh(alice.refresh)
    assert fresh.session_id == alice.session_id
    assert await front.me(fresh.access) == (200, "")
    assert await front.me(alice.access) == (401, "token_stale")
    assert await front.try_refresh(alice.refresh) == (401, "refresh_token_reused")


async def test_a_disable_that_ends_sessions_ends_them_for_good(front: Front) -> None:
    alice = await front.sign_up()
    await disable(front, alice)
    assert await front.try_refresh(alice.refresh) == REVOKED
    await enable(front, alice)
    assert await front.try_refresh(alice.refresh) == REVOKED
    assert await front.me(alice.access) == REVOKED


async def test_refreshes_against_a_disable_leave_no_good_token(front: Front) -> None:
    sessions = [await front.sign_up(), *[await front.sign_in() for _ in range(7)]]
    await asyncio.gather(
        *(front.try_refresh(one.refresh) for one in sessions[:4]),
        disable(front, sessions[0]),
        *(front.try_refresh(one.refresh) for one in sessions[4:]),
    )
    assert (await front.admin("GET", f"/v1/users/{sessions[0].user_id}/sessions")).json()["data"] == []
    await enable(front, sessions[0])
    assert [await front.try_refresh(one.refresh) for one in sessions] == [REVOKED] * 8


@pytest.mark.parametrize(
    ("change", "role", "email"),
    [
        ({"role": "admin"}, "admin", "alice@example.com"),
        ({"email": "alice@example.net"}, "member", "alice@example.net"),
    ],
)
async def test_a_new_role_or_address_makes_older_access_tokens_stale(
    front: Front, change: dict[str, str], role: str, email: str
) -> None:
    alice = await front.sign_up()
    before = await claims_of(front, alice.access)
    assert (before.role, before.email) == ("member", "alice@example.com")
    assert (await front.admin("PATCH", f"/v1/users/{alice.user_id}", change)).status_code == 200
    assert await front.me(alice.access) == (401, "token_stale")
    fresh = await front.refresh(alice.refresh)
    after = await claims_of(front, fresh.access)
    assert (after.role, after.email, after.gen) == (role, email, before.gen + 1)
    shown = (await front.app.call(fresh.access, "GET", "/v1/auth/me")).json()
    assert (shown["role"], shown["email"]) == (role, email)


async def test_a_change_of_the_profile_makes_no_token_stale(front: Front) -> None:
    alice = await front.sign_up()
    change = {"name": "B", "email": "alice@example.com", "role": "member", "public_metadata": {"plan": "pro"}}
    assert (await front.admin("PATCH", f"/v1/users/{alice.user_id}", change)).status_code == 200
    assert await front.me(alice.access) == (200, "")


async def test_a_suspended_tenant_refuses_every_token_and_uses_none_up(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    master = await app.make_master_key()
    assert (await app.call(master, "POST", f"/v1/tenants/{front.tenant_id}/suspend")).status_code == 200
    suspended = (403, "tenant_suspended")
    assert await front.me(alice.access) == suspended
    assert await front.try_refresh(alice.refresh) == suspended
    assert await front.try_sign_in() == suspended
    assert (await app.call(master, "POST", f"/v1/tenants/{front.tenant_id}/resume")).status_code == 200
    assert await front.me(alice.access) == (200, "")
    assert await front.me((await front.refresh(alice.refresh)).access) == (200, "")


async def test_a_token_of_a_tenant_that_is_gone_is_invalid(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    master = await app.make_master_key()
    path = f"/v1/tenants/{front.tenant_id}?confirm={front.tenant_id}"
    assert (await app.call(master, "DELETE", path)).status_code == 204
    assert await front.me(alice.access) == (401, "invalid_token")


async def test_another_publishable_key_of_the_tenant_refreshes_too(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    second = await app.make_key(front.tenant_id, key_type=TenantKeyType.PUBLISHABLE)
    answer = await front.post("token/refresh", {"refresh_token": alice.refresh}, key=second)
    assert kept(answer).session_id == alice.session_id


async def test_only_a_publishable_key_refreshes(front: Front) -> None:
    alice = await front.sign_up()
    for key in (front.secret, alice.access):
        answer = await front.post("token/refresh", {"refresh_token": alice.refresh}, key=key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "credential_not_allowed")
    assert (await front.refresh(alice.refresh)).session_id == alice.session_id


async def test_a_new_password_ends_the_other_sessions_chains_too(front: Front) -> None:
    alice = await front.sign_up()
    other = await front.sign_in()
    other = await front.refresh(other.refresh)
    body = {"current_password": PASSWORD, "new_password": "another long one"}
    assert (await front.post("password/change", body, key=alice.access)).status_code == 200
    assert await front.try_refresh(other.refresh) == REVOKED
    assert (await front.refresh(alice.refresh)).session_id == alice.session_id
