"""Beginning an impersonation over HTTP on both stores: the page's call, what it leaves behind, and its limits."""

import asyncio
from typing import Any, Final

import httpx
import jwt
import msgspec
import pytest

from hellojohn_server.features.sessions.schemas import session_body
from hellojohn_server.kit.ids import IdPrefix, is_id, is_session_id
from tests.conftest import START_MS
from tests.features.impersonation.parts import PATH, REASON, Desk, error_of, faults_of
from tests.features.users.parts import LIST_SESSIONS
from tests.support import PUBLIC_URL

NOW: Final = START_MS // 1000
HOUR: Final = "2026-09-21T15:13:20Z"


async def read_claims(desk: Desk, token: str) -> dict[str, Any]:
    """Return what a token says to a verifier that has nothing but the published keys."""
    published = (await desk.app.get("/.well-known/jwks.json")).json()
    keys = {key["kid"]: jwt.PyJWK(key) for key in published["keys"]}
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["EdDSA"],
        audience=desk.tenant_id,
        issuer=PUBLIC_URL,
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


async def key_id_of(desk: Desk, key: str) -> str:
    """Return the id of a key that has just been made."""
    newest = (await desk.call("GET", "/v1/api-keys?limit=100")).json()["data"]
    return next(str(one["id"]) for one in newest if key.endswith(one["hint"][-4:]))


async def test_the_call_of_the_page(desk: Desk) -> None:
    alice = await desk.make_user()
    before = (await desk.call("GET", f"/v1/users/{alice}")).json()
    body = {"user_id": alice, "reason": REASON, "expires_in": "1h"}
    answer = await desk.call("POST", PATH, body, **{"X-Tenant-ID": desk.tenant_id})
    given = answer.json()
    assert answer.status_code == 200
    assert list(given) == ["access_token", "session_id", "impersonated_user_id", "expires_at"]
    assert given["session_id"].endswith("_impersonate")
    assert is_session_id(given["session_id"])
    assert (given["impersonated_user_id"], given["expires_at"]) == (alice, HOUR)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert (await desk.call("GET", f"/v1/users/{alice}")).json() == before


async def test_what_the_token_says(desk: Desk) -> None:
    alice = await desk.make_user(role="admin")
    given = await desk.impersonate(alice)
    claims = await read_claims(desk, given["access_token"])
    assert is_id(claims.pop("jti"), IdPrefix.TOKEN)
    assert claims == {
        "iss": PUBLIC_URL,
        "aud": desk.tenant_id,
        "sub": alice,
        "sid": given["session_id"],
        "tenant_id": desk.tenant_id,
        "role": "admin",
        "email": "alice@example.com",
        "amr": ["impersonation"],
        "gen": 1,
        "iat": NOW,
        "exp": NOW + 3600,
        "act": {"sub": await key_id_of(desk, desk.key)},
        "impersonated": True,
    }
    looking = await desk.impersonate(alice, read_only=True)
    assert (await read_claims(desk, looking["access_token"]))["read_only"] is True


async def test_the_session_says_who_is_behind_it(desk: Desk) -> None:
    alice = await desk.make_user()
    body = {"user_id": alice, "reason": REASON, "read_only": True}
    headers = {"X-Acting-Admin": "dana@example.com", "User-Agent": "desk/1"}
    given = (await desk.call("POST", PATH, body, **headers)).json()
    session = await desk.app.services.sessions.require_session(desk.tenant_id, given["session_id"])
    assert msgspec.to_builtins(session_body(session, START_MS)) == {
        "id": given["session_id"],
        "user_id": alice,
        "status": "active",
        "amr": ["impersonation"],
        "ip_address": "127.0.0.1",
        "user_agent": "desk/1",
        "created_at": "2026-09-21T14:13:20.000Z",
        "last_refreshed_at": None,
        "expires_at": "2026-09-21T15:13:20.000Z",
        "revoked_at": None,
        "revoked_reason": None,
        "revoked_by": None,
        "organization_id": None,
        "impersonated": True,
        "impersonation": {
            "by": {
                "id": await key_id_of(desk, desk.key),
                "type": "api_key",
                "name": "test",
                "asserted": "dana@example.com",
            },
            "reason": REASON,
            "read_only": True,
        },
    }


async def test_the_entry_has_both_identities(desk: Desk) -> None:
    alice = await desk.make_user()
    body = {"user_id": alice, "reason": REASON}
    given = (await desk.call("POST", PATH, body, **{"X-Acting-Admin": "dana@example.com"})).json()
    key_id = await key_id_of(desk, desk.key)
    for filters in ({}, {"actor_id": alice}, {"user_id": alice}, {"actor_id": key_id}):
        [entry] = await desk.entries(type="user.impersonated", **filters)
        shown = msgspec.to_builtins(entry)
        assert shown["actor"] == {"id": key_id, "type": "api_key", "name": "test", "asserted": "dana@example.com"}
        assert shown["on_behalf_of"] == {"id": alice, "type": "user"}
        assert shown["resource"] == {"id": alice, "type": "user"}
        assert (shown["impersonated"], shown["reason"], shown["ip_address"]) == (True, REASON, "127.0.0.1")
        assert shown["changes"] == {}
        assert shown["metadata"] == {"session_id": given["session_id"], "expires_at": HOUR, "read_only": False}


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        ({}, HOUR),
        ({"expires_in": None}, HOUR),
        ({"expires_in": "1m"}, "2026-09-21T14:14:20Z"),
        ({"expires_in": "60s"}, "2026-09-21T14:14:20Z"),
        ({"expires_in": "24h"}, "2026-09-22T14:13:20Z"),
        ({"expires_in": "1d"}, "2026-09-22T14:13:20Z"),
    ],
)
async def test_how_long_it_lasts(desk: Desk, asked: dict[str, Any], ends: str) -> None:
    desk.clock.advance(0.999)
    given = await desk.impersonate(await desk.make_user(), **asked)
    assert given["expires_at"] == ends
    session = await desk.app.services.sessions.require_session(desk.tenant_id, given["session_id"])
    assert session.expires_at == session.access_expires_at
    assert session.expires_at - session.created_at <= 86_400_000
    claims = await read_claims(desk, given["access_token"])
    assert session.expires_at == claims["exp"] * 1000


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("reason", "required"), ("user_id", "required")]),
        ({"user_id": 1, "reason": " "}, [("reason", "invalid"), ("user_id", "wrong_type")]),
        ({"user_id": "usr_x", "reason": ""}, [("reason", "invalid")]),
        ({"user_id": "usr_x", "reason": "\u2003\n"}, [("reason", "invalid")]),
        ({"user_id": "usr_x", "reason": None}, [("reason", "wrong_type")]),
        ({"user_id": "usr_x", "reason": "r" * 501}, [("reason", "too_long")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "59s"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "25h"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "86401s"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "0h"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "-1h"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": "1.5h"}, [("expires_in", "invalid")]),
        ({"user_id": "usr_x", "reason": "r", "expires_in": 3600}, [("expires_in", "wrong_type")]),
        ({"user_id": "usr_x", "reason": "r", "read_only": "yes"}, [("read_only", "wrong_type")]),
        ({"user_id": "usr_x", "reason": "r", "email": "a@example.com"}, [("email", "unknown")]),
        (
            {"user_id": "usr_x", "reason": "", "expires_in": "1y", "readonly": True},
            [("expires_in", "invalid"), ("readonly", "unknown"), ("reason", "invalid")],
        ),
    ],
)
async def test_what_is_wrong_is_all_said(desk: Desk, body: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    answer = await desk.call("POST", PATH, body)
    assert error_of(answer) == (422, "validation_failed")
    assert faults_of(answer) == faults


async def test_a_reason_of_500_characters_is_kept_whole(desk: Desk) -> None:
    reason = "é" * 500
    await desk.impersonate(await desk.make_user(), reason=reason)
    [entry] = await desk.entries(type="user.impersonated")
    assert entry.reason == reason


async def test_it_ends_no_later_than_the_key(desk: Desk) -> None:
    alice = await desk.make_user()
    desk.clock.advance(0.25)
    key = await desk.app.make_key(desk.tenant_id, "users:impersonate", expires_in="30m")
    given = await desk.impersonate(alice, key=key, expires_in="2h")
    assert given["expires_at"] == "2026-09-21T14:43:20Z"
    assert (await desk.impersonate(alice, key=key, expires_in="5m"))["expires_at"] == "2026-09-21T14:18:20Z"
    desk.clock.advance(1799.5)
    assert (await desk.impersonate(alice, key=key))["expires_at"] == "2026-09-21T14:43:20Z"
    desk.clock.advance(0.4)
    late = await desk.ask(alice, key=key)
    assert error_of(late) == (401, "api_key_expired")
    assert len(await desk.entries(type="user.impersonated")) == 3


async def test_a_tenant_may_allow_none(desk: Desk) -> None:
    alice = await desk.make_user()
    await desk.set_config(enabled=False)
    assert error_of(await desk.ask(alice)) == (403, "impersonation_disabled")
    assert error_of(await desk.ask("usr_unknown")) == (404, "user_not_found")
    [denied] = await desk.entries(type="operation.denied")
    assert denied.metadata is not None
    assert (denied.metadata["operation"], denied.metadata["code"]) == ("impersonate_user", "impersonation_disabled")
    await desk.set_config(enabled=True)
    await desk.impersonate(alice)


async def test_a_tenant_may_allow_shorter_ones_only(desk: Desk) -> None:
    alice = await desk.make_user()
    await desk.set_config(max_duration="30m")
    answer = await desk.ask(alice, expires_in="31m")
    assert error_of(answer) == (422, "validation_failed")
    assert faults_of(answer) == [("expires_in", "out_of_range")]
    assert "30m" in answer.text
    assert (await desk.impersonate(alice, expires_in="30m"))["expires_at"] == "2026-09-21T14:43:20Z"
    assert (await desk.impersonate(alice))["expires_at"] == "2026-09-21T14:43:20Z"
    await desk.set_config(max_duration="2h")
    assert (await desk.impersonate(alice))["expires_at"] == HOUR


async def test_a_tenant_may_allow_looking_only(desk: Desk) -> None:
    await desk.set_config(always_read_only=True)
    given = await desk.impersonate(await desk.make_user(), read_only=False)
    assert (await read_claims(desk, given["access_token"]))["read_only"] is True
    session = await desk.app.services.sessions.require_session(desk.tenant_id, given["session_id"])
    assert session.read_only is True
    [entry] = await desk.entries(type="user.impersonated")
    assert entry.metadata is not None
    assert entry.metadata["read_only"] is True


async def test_another_tenants_settings_say_nothing(desk: Desk) -> None:
    other = await desk.app.make_key(await desk.app.make_tenant("Other"))
    await desk.call("PATCH", "/v1/admin/config", {"impersonation": {"enabled": False}}, key=other)
    await desk.impersonate(await desk.make_user())


async def test_a_retry_gets_the_same_token(desk: Desk) -> None:
    alice = await desk.make_user()
    at_once = await asyncio.gather(*(desk.ask(alice, retry="one") for _ in range(16)))
    desk.clock.advance(60)
    later = await desk.ask(alice, retry="one")
    answers = [*at_once, later]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert later.headers["idempotency-replayed"] == "true"
    assert len(await desk.entries(type="user.impersonated")) == 1
    assert len(await desk.parts.rows(desk.tenant_id, LIST_SESSIONS, user_id=alice)) == 1
    other = await desk.ask(alice, retry="one", reason="another")
    assert error_of(other) == (422, "idempotency_key_reused")


async def test_a_retry_reaches_no_further_up(desk: Desk) -> None:
    alice = await desk.make_user()
    key = await desk.app.make_key(desk.tenant_id, "*")
    await desk.impersonate(alice, key=key, retry="one")
    promoted = await desk.call("PATCH", f"/v1/users/{alice}", {"role": "admin"})
    assert promoted.status_code == httpx.codes.OK
    assert error_of(await desk.ask(alice, key=key, retry="one")) == (403, "insufficient_scope")


async def test_a_refused_call_leaves_nothing(desk: Desk) -> None:
    disabled = await desk.make_user(status="disabled")
    assert error_of(await desk.ask(disabled, retry="one")) == (409, "user_disabled")
    assert await desk.parts.rows(desk.tenant_id, LIST_SESSIONS, user_id=disabled) == []
    assert await desk.entries(type="user.impersonated") == []
    await desk.call("POST", f"/v1/users/{disabled}/enable")
    await desk.impersonate(disabled, retry="one")


async def test_a_ban_that_has_ended_is_none(desk: Desk) -> None:
    alice = await desk.make_user()
    await desk.parts.put(desk.tenant_id, alice, banned_at=1, banned_until=START_MS + 1)
    assert error_of(await desk.ask(alice)) == (409, "user_banned")
    desk.clock.advance(0.001)
    await desk.impersonate(alice)


async def test_16_at_once_are_16_sessions(desk: Desk) -> None:
    alice = await desk.make_user()
    given = await asyncio.gather(*(desk.impersonate(alice) for _ in range(16)))
    assert len({one["session_id"] for one in given}) == len({one["access_token"] for one in given}) == 16
    assert len(await desk.entries(type="user.impersonated")) == 16


async def test_of_a_disable_and_impersonations_at_once_none_stands(desk: Desk) -> None:
    alice = await desk.make_user()
    asked = [desk.ask(alice) for _ in range(15)]
    *answers, disabled = await asyncio.gather(*asked, desk.call("POST", f"/v1/users/{alice}/disable"))
    assert disabled.status_code == 200
    begun = [answer for answer in answers if answer.is_success]
    assert {error_of(answer) for answer in answers if not answer.is_success} <= {(409, "user_disabled")}
    sessions = await desk.parts.rows(desk.tenant_id, LIST_SESSIONS, user_id=alice)
    assert len(sessions) == len(begun)
    assert all(revoked_at is not None for _, revoked_at, _ in sessions)
