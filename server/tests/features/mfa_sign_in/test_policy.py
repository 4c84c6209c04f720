"""Tenants that ask for a second factor: who has none can enrol, and nothing else, on both stores."""

from typing import Any

import jwt
import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, said
from tests.features.mfa.parts import STEP, begin, challenge, confirm, verify
from tests.support import RunningApp

REQUIRED = (403, "mfa_enrollment_required")


async def ask(front: Front, **policy: Any) -> None:
    answer = await front.admin("PATCH", "/v1/admin/config", {"mfa": policy})
    assert answer.status_code == 200, answer.text


def audience_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


async def test_who_has_no_factor_can_only_enrol(front: Front, clock: ManualClock) -> None:
    await ask(front, required="all")
    answer = await front.post("sign-up", {"email": "alice@example.com", "password": PASSWORD})
    session = answer.json()["session"]
    token = session["access_token"]
    assert (answer.status_code, session["mfa_enrollment_required"]) == (201, True)
    assert audience_of(token) == f"{front.tenant_id}:mfa_enrollment"
    assert await front.me(token) == REQUIRED
    for method, path in (
        ("PATCH", "me"),
        ("GET", "sessions"),
        ("POST", "password/change"),
        ("POST", "mfa/backup-codes/generate"),
        ("DELETE", "mfa/factors/fac_x"),
    ):
        assert (
            said(await front.app.call(token, method, f"/v1/auth/{path}", {} if method != "GET" else None)) == REQUIRED
        )
    checked = (await front.admin("POST", "/v1/sessions/verify", {"token": token})).json()
    assert checked == {"valid": False, "reason": "mfa_enrollment_required"}
    assert (await front.app.call(token, "GET", "/v1/auth/mfa/factors")).json()["data"] == []

    refreshed = await front.post("token/refresh", {"refresh_token": session["refresh_token"]})
    session = refreshed.json()["session"]
    assert session["mfa_enrollment_required"] is True
    app = await begin(front, session["access_token"], clock)
    assert (await confirm(front, session["access_token"], app)).status_code == 200
    assert await front.me(session["access_token"]) == (401, "token_stale")

    full = (await front.post("token/refresh", {"refresh_token": session["refresh_token"]})).json()["session"]
    assert "mfa_enrollment_required" not in full
    assert audience_of(full["access_token"]) == front.tenant_id
    assert await front.me(full["access_token"]) == (200, "")
    checked = (await front.admin("POST", "/v1/sessions/verify", {"token": full["access_token"]})).json()
    assert checked["valid"] is True
    clock.advance(STEP)
    assert (await verify(front, await challenge(front), app.code())).status_code == 200


async def test_a_policy_holds_at_once_and_so_does_its_end(front: Front) -> None:
    alice = await front.sign_up()
    assert await front.me(alice.access) == (200, "")
    await ask(front, required="all")
    assert await front.me(alice.access) == REQUIRED
    await ask(front, required="off")
    assert await front.me(alice.access) == (200, "")


async def test_a_policy_is_for_the_roles_that_it_names(front: Front) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    await ask(front, required="roles", roles=["admin", "super_admin"])
    assert await front.me(alice.access) == (200, "")
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": "admin"})
    alice = await front.refresh(alice.refresh)
    assert await front.me(alice.access) == REQUIRED
    assert await front.me(bob.access) == (200, "")
    assert await front.sign_out(alice.access) == (204, "")


async def test_losing_the_last_factor_leaves_only_enrolling(front: Front, clock: ManualClock) -> None:
    await ask(front, required="all")
    alice = await front.sign_up()
    app = await begin(front, alice.access, clock)
    await confirm(front, alice.access, app)
    alice = await front.refresh(alice.refresh)
    assert await front.me(alice.access) == (200, "")
    await front.admin("DELETE", f"/v1/users/{alice.user_id}/mfa/factors/{app.factor_id}")
    alice = await front.refresh(alice.refresh)
    assert await front.me(alice.access) == REQUIRED


async def test_an_impersonation_is_not_the_user(front: Front) -> None:
    alice = await front.sign_up()
    await ask(front, required="all")
    body = {"user_id": alice.user_id, "reason": "ticket"}
    token = (await front.admin("POST", "/v1/admin/users/impersonate", body)).json()["access_token"]
    assert await front.me(token) == (200, "")


@pytest.mark.parametrize("body", [{"required": "some"}, {"roles": "admin"}, {"roles": [""]}, {"need": "all"}])
async def test_what_is_no_policy_is_refused(front: Front, body: dict[str, Any]) -> None:
    answer = await front.admin("PATCH", "/v1/admin/config", {"mfa": body})
    assert said(answer) == (422, "validation_failed")


async def test_a_policy_needs_admins_manage(front: Front, app: RunningApp) -> None:
    key = await app.make_key(front.tenant_id, "config:write", "config:read")
    answer = await app.call(key, "PATCH", "/v1/admin/config", {"mfa": {"required": "all"}})
    assert said(answer) == (403, "insufficient_scope")
    assert (await app.call(key, "GET", "/v1/admin/config")).json()["mfa"]["required"] == "off"
