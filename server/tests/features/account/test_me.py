"""One's own profile on both stores: what is shown, what may be changed, and who is let in."""

from typing import Any

import httpx
import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import Front, SignedIn, make_front, said
from tests.support import RunningApp

SHOWN = {
    "id", "email", "email_verified", "username", "name", "phone", "phone_verified", "avatar_url", "role",
    "mfa_enrolled", "public_metadata", "created_at", "updated_at", "last_sign_in_at", "version",
}  # fmt: skip


async def get_me(front: Front, access: str) -> httpx.Response:
    return await front.app.call(access, "GET", "/v1/auth/me")


async def change_me(front: Front, access: str, body: Any, **headers: str) -> httpx.Response:
    return await front.app.call(access, "PATCH", "/v1/auth/me", body, headers)


async def test_me_shows_the_user_and_nothing_that_only_administrators_read(front: Front) -> None:
    alice = await front.sign_up(name="Alice", username="alice", phone="+14155552671", avatar_url="https://x.example/a")
    change = {"private_metadata": {"note": "private"}, "public_metadata": {"plan": "pro"}, "external_id": "private-7"}
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", change)
    answer = await get_me(front, alice.access)
    assert answer.headers["ETag"] == '"2"'
    assert answer.json() == {
        "id": alice.user_id,
        "email": "alice@example.com",
        "email_verified": False,
        "username": "alice",
        "name": "Alice",
        "phone": "+14155552671",
        "phone_verified": False,
        "avatar_url": "https://x.example/a",
        "role": "member",
        "mfa_enrolled": False,
        "public_metadata": {"plan": "pro"},
        "created_at": "2026-09-21T14:13:20.000Z",
        "updated_at": "2026-09-21T14:13:20.000Z",
        "last_sign_in_at": "2026-09-21T14:13:20.000Z",
        "version": 2,
    }


async def test_no_answer_to_a_user_has_more_than_that(front: Front) -> None:
    alice = await front.sign_up()
    change = {"private_metadata": {"note": "private"}, "external_id": "private-7"}
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", change)
    answers = [
        await front.post("sign-in", {"email": "alice@example.com", "password": "correct horse battery"}),
        await front.post("token/refresh", {"refresh_token": alice.refresh}),
        await get_me(front, alice.access),
        await change_me(front, alice.access, {"name": "B"}),
        await change_me(front, alice.access, {"name": "B"}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "private" not in answer.text
        body = answer.json()
        assert body.get("user", body).keys() == SHOWN


async def test_a_change_is_seen_by_everybody_and_written_down(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up(name="Alice")
    clock.advance(60)
    answer = await change_me(front, alice.access, {"name": None, "username": "al", "phone": "+14155552671"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"2"'
    assert answer.json() == (await get_me(front, alice.access)).json()
    seen = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert (seen["name"], seen["username"], seen["phone"], seen["version"]) == (None, "al", "+14155552671", 2)
    assert seen["updated_at"] == "2026-09-21T14:14:20.000Z"
    entry = (await front.entries())[-1]
    assert (entry.type, entry.actor.type, entry.actor.id) == ("user.updated", "user", alice.user_id)
    assert (entry.resource and entry.resource.id, entry.on_behalf_of) == (alice.user_id, None)
    assert entry.changes == {"name": ("Alice", None), "username": (None, "al"), "phone": (None, "+14155552671")}


async def test_a_new_number_is_not_verified(front: Front) -> None:
    alice = await front.sign_up(phone="+14155552671")
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"phone_verified": True})
    assert (await change_me(front, alice.access, {"phone": "+14155552671"})).json()["phone_verified"] is True
    assert (await change_me(front, alice.access, {"phone": "+14155552672"})).json()["phone_verified"] is False


@pytest.mark.parametrize("body", [{}, {"name": "Alice"}])
async def test_what_is_so_already_changes_nothing(front: Front, body: dict[str, str]) -> None:
    alice = await front.sign_up(name="Alice")
    before = await front.entries()
    answer = await change_me(front, alice.access, body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert await front.entries() == before


async def test_if_match(front: Front) -> None:
    alice = await front.sign_up()
    stale, current = {"If-Match": '"7"'}, {"If-Match": '"1"'}
    assert said(await change_me(front, alice.access, {"name": "A"}, **stale)) == (412, "version_mismatch")
    assert (await change_me(front, alice.access, {"name": "A"}, **current)).json()["version"] == 2
    assert said(await change_me(front, alice.access, {"name": "B"}, **current)) == (412, "version_mismatch")
    assert (await get_me(front, alice.access)).json()["name"] == "A"


async def test_a_username_is_unique_in_the_tenant_without_case(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up(username="alice")
    bob = await front.sign_up("bob@example.com")
    assert said(await change_me(front, bob.access, {"username": "ALICE"})) == (409, "username_already_exists")
    assert (await change_me(front, alice.access, {"username": "Alice"})).json()["username"] == "Alice"
    other = await make_front(app)
    assert (await change_me(other, (await other.sign_up()).access, {"username": "alice"})).status_code == 200


@pytest.mark.parametrize(
    "field",
    [
        "banned", "disabled", "email", "email_verified", "external_id", "id", "password", "phone_verified",
        "private_metadata", "public_metadata", "reason", "revoke_sessions", "role", "version",
    ],
)  # fmt: skip
async def test_nothing_but_the_profile_is_ones_own_to_change(front: Front, field: str) -> None:
    alice = await front.sign_up()
    answer = await change_me(front, alice.access, {"name": "B", field: None})
    assert said(answer) == (422, "validation_failed")
    assert [(detail["field"], detail["code"]) for detail in answer.json()["error"]["details"]] == [(field, "unknown")]
    assert (await get_me(front, alice.access)).json()["name"] is None


async def test_every_fault_is_said_at_once(front: Front) -> None:
    alice = await front.sign_up()
    body = {"name": " ", "username": "-", "phone": "123", "avatar_url": "ftp://x"}
    answer = await change_me(front, alice.access, body)
    assert said(answer) == (422, "validation_failed")
    assert sorted(detail["field"] for detail in answer.json()["error"]["details"]) == sorted(body)


@pytest.mark.parametrize("role", ["admin", "super_admin"])
async def test_whose_role_is_privileged_changes_the_own_profile_too(front: Front, role: str) -> None:
    alice = await front.sign_up()
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": role})
    alice = await front.refresh(alice.refresh)
    assert (await change_me(front, alice.access, {"name": "Alice"})).json()["name"] == "Alice"


async def test_a_retry_is_answered_from_what_was_kept(front: Front) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    retry = {"Idempotency-Key": "k"}
    first = await change_me(front, alice.access, {"name": "A"}, **retry)
    await change_me(front, alice.access, {"name": "B"})
    again = await change_me(front, alice.access, {"name": "A"}, **retry)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert (await get_me(front, alice.access)).json()["name"] == "B"
    theirs = await change_me(front, bob.access, {"name": "A"}, **retry)
    assert (theirs.json()["id"], "Idempotency-Replayed" in theirs.headers) == (bob.user_id, False)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "me"), ("PATCH", "me"), ("GET", "sessions"), ("POST", "sign-out")]
)
async def test_only_an_access_token_of_the_tenant_opens_it(
    front: Front, app: RunningApp, method: str, path: str
) -> None:
    alice = await front.sign_up()
    body = {"name": "B"} if method == "PATCH" else None
    for key in (front.publishable, front.secret):
        assert said(await app.call(key, method, f"/v1/auth/{path}", body)) == (403, "credential_not_allowed")
    other = {"X-Tenant-ID": (await make_front(app)).tenant_id}
    answer = await app.call(alice.access, method, f"/v1/auth/{path}", body, other)
    assert said(answer) == (403, "tenant_mismatch")
    assert said(await app.call(None, method, f"/v1/auth/{path}", body)) == (401, "missing_token")


async def test_an_access_token_opens_no_administrators_call(front: Front) -> None:
    alice = await front.sign_up()
    await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"role": "super_admin"})
    alice = await front.refresh(alice.refresh)
    for method, path, body in (
        ("GET", "/v1/users", None),
        ("GET", f"/v1/users/{alice.user_id}", None),
        ("PATCH", f"/v1/users/{alice.user_id}", {"role": "admin"}),
        ("POST", "/v1/sessions/verify", {"token": alice.access}),
        ("POST", "/v1/auth/sign-in", {"email": "alice@example.com", "password": "x"}),
    ):
        assert said(await front.app.call(alice.access, method, path, body)) == (403, "credential_not_allowed")


async def stop(front: Front, alice: SignedIn, act: str) -> None:
    """Do something to a user that ends the access."""
    path = f"/v1/users/{alice.user_id}"
    calls = {
        "disabled": ("POST", f"{path}/disable", {}),
        "banned": ("POST", f"{path}/ban", {}),
        "deleted": ("DELETE", path, {}),
        "erased": ("DELETE", f"{path}?permanent=true", {}),
        "revoked": ("DELETE", f"{path}/sessions", {}),
    }
    assert (await front.admin(*calls[act])).is_success


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("disabled", "session_revoked"),
        ("banned", "session_revoked"),
        ("deleted", "session_revoked"),
        ("erased", "invalid_token"),
        ("revoked", "session_revoked"),
    ],
)
async def test_whose_access_was_stopped_is_refused_at_the_next_request(front: Front, act: str, code: str) -> None:
    alice = await front.sign_up()
    await stop(front, alice, act)
    assert await front.me(alice.access) == (401, code)
    assert said(await change_me(front, alice.access, {"name": "B"})) == (401, code)
    assert await front.sign_out(alice.access) == (401, code)
    expected = "refresh_token_invalid" if act == "erased" else "session_revoked"
    assert await front.try_refresh(alice.refresh) == (401, expected)
