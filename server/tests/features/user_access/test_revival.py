"""What works again when access comes back, and what never does: with the tokens of real sign-ins, on both stores."""

from typing import Any

import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import Front, SignedIn, make_front
from tests.support import RunningApp

GOOD = (200, "")


@pytest.fixture
async def front(app: RunningApp) -> Front:
    return await make_front(app)


async def act(front: Front, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = await front.admin(method, path, body)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def impersonate(front: Front, user_id: str) -> str:
    body = {"user_id": user_id, "reason": "looking into a ticket"}
    return str((await act(front, "POST", "/v1/admin/users/impersonate", body))["access_token"])


async def opens(front: Front, signed_in: SignedIn) -> list[tuple[int, str]]:
    """Return what the access token and the refresh token of a sign-in are worth, and a new sign-in."""
    me = await front.me(signed_in.access)
    return [me, await front.try_refresh(signed_in.refresh), await front.try_sign_in()]


async def test_sessions_that_rested_can_be_refreshed_and_nothing_else_revives(front: Front, clock: ManualClock) -> None:
    signed_in = await front.sign_up()
    borrowed = await impersonate(front, signed_in.user_id)
    path = f"/v1/users/{signed_in.user_id}"
    stopped = (await act(front, "POST", f"{path}/disable", {"revoke_sessions": False}))["access_stopped"]
    assert (stopped["sessions_revoked"], stopped["residual_seconds"]) == (1, 3600)
    assert await front.me(signed_in.access) == (403, "account_disabled")
    assert await front.try_refresh(signed_in.refresh) == (403, "account_disabled")
    assert await front.try_sign_in() == (403, "account_disabled")
    assert await front.me(borrowed) == (401, "session_revoked")

    await act(front, "POST", f"{path}/enable")
    assert await front.me(signed_in.access) == (401, "token_stale")
    assert await front.me(borrowed) == (401, "session_revoked")
    fresh = await front.refresh(signed_in.refresh)
    assert fresh.session_id == signed_in.session_id
    assert await front.me(fresh.access) == GOOD
    assert await front.try_sign_in() == GOOD


@pytest.mark.parametrize(
    ("stop", "resume", "code"),
    [
        (("POST", "ban"), ("POST", "unban"), "account_banned"),
        (("DELETE", ""), ("POST", "restore"), "invalid_credentials"),
        (("POST", "disable"), ("POST", "enable"), "account_disabled"),
    ],
)
async def test_sessions_that_ended_never_come_back(
    front: Front, stop: tuple[str, str], resume: tuple[str, str], code: str
) -> None:
    signed_in = await front.sign_up()
    borrowed = await impersonate(front, signed_in.user_id)
    path = f"/v1/users/{signed_in.user_id}"
    stopped = await act(front, stop[0], f"{path}/{stop[1]}".rstrip("/"))
    assert stopped["access_stopped"]["sessions_revoked"] == 2
    me, refreshed, again = await opens(front, signed_in)
    assert (me, refreshed, again[1]) == ((401, "session_revoked"), (401, "session_revoked"), code)
    assert await front.me(borrowed) == (401, "session_revoked")

    await act(front, resume[0], f"{path}/{resume[1]}")
    me, refreshed, again = await opens(front, signed_in)
    assert (me, refreshed, again) == ((401, "session_revoked"), (401, "session_revoked"), GOOD)
    assert await front.me(borrowed) == (401, "session_revoked")


async def test_ending_the_sessions_stops_all_of_them_and_no_sign_in(front: Front) -> None:
    signed_in = await front.sign_up()
    other = await front.sign_in()
    ended = await act(front, "DELETE", f"/v1/users/{signed_in.user_id}/sessions", {"reason": "a lost phone"})
    assert ended == {"sessions_revoked": 2, "residual_seconds": 900}
    for one in (signed_in, other):
        assert (await opens(front, one))[:2] == [(401, "session_revoked"), (401, "session_revoked")]
    assert await front.try_sign_in() == GOOD


async def test_an_erased_user_is_nobody(front: Front) -> None:
    signed_in = await front.sign_up()
    erased = await front.admin("DELETE", f"/v1/users/{signed_in.user_id}?permanent=true")
    assert (erased.status_code, erased.content) == (204, b"")
    me, refreshed, again = await opens(front, signed_in)
    assert me == (401, "invalid_token")
    assert (refreshed, again) == ((401, "refresh_token_invalid"), (401, "invalid_credentials"))
    assert (await front.sign_up()).user_id != signed_in.user_id


async def test_a_new_password_is_the_only_one(front: Front) -> None:
    signed_in = await front.sign_up()
    body = {"password": "chosen by support"}
    await act(front, "PUT", f"/v1/users/{signed_in.user_id}/password", body)
    assert await front.me(signed_in.access) == GOOD
    assert await front.try_sign_in() == (401, "invalid_credentials")
    assert await front.try_sign_in(password="chosen by support") == GOOD
    await act(front, "PUT", f"/v1/users/{signed_in.user_id}/password", {**body, "revoke_sessions": True})
    assert await front.me(signed_in.access) == (401, "session_revoked")


async def test_an_address_locked_by_failures_is_opened_by_unlocking(front: Front) -> None:
    signed_in = await front.sign_up()
    for _ in range(10):
        await front.try_sign_in(password="not the one")
    assert await front.try_sign_in() == (403, "account_locked")
    unlocked = await act(front, "POST", f"/v1/users/{signed_in.user_id}/unlock")
    assert (unlocked["status"], unlocked["locked_until"]) == ("active", None)
    assert await front.try_sign_in() == GOOD
