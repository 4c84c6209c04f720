"""How long sessions and tokens last, and how many there are, as a tenant sets it, on both stores."""

import asyncio
from typing import Any, Final

import jwt
import pytest

from hellojohn_server.app import build_worker
from hellojohn_server.config import load_settings
from tests.conftest import ManualClock
from tests.features.auth.parts import Front, make_front
from tests.features.tenant_settings.test_routes import DEFAULTS, PATH, error_of
from tests.support import RunningApp

HOUR: Final = 3600
EXPIRED: Final = (401, "refresh_token_expired")
OVER: Final = (401, "session_expired")
REVOKED: Final = (401, "session_revoked")


@pytest.fixture
async def front(app: RunningApp) -> Front:
    made = await make_front(app)
    await made.sign_up()
    return made


async def put(front: Front, **sections: Any) -> None:
    answer = await front.admin("PATCH", PATH, sections)
    assert answer.status_code == 200, answer.text


def lasts(access: str) -> int:
    claims = jwt.decode(access, options={"verify_signature": False})
    return int(claims["exp"] - claims["iat"])


async def residual(front: Front, session_id: str) -> int:
    body = (await front.admin("DELETE", f"/v1/sessions/{session_id}")).json()
    return int(body["access_stopped"]["residual_seconds"])


async def active(front: Front) -> list[str]:
    return [row["id"] for row in (await front.admin("GET", "/v1/sessions")).json()["data"]][::-1]


async def test_tokens_pass_as_long_as_the_tenant_says(front: Front, clock: ManualClock) -> None:
    assert lasts((await front.sign_in()).access) == 900
    await put(front, tokens={"access_token_lifetime": "1m"})
    alice = await front.sign_in()
    assert lasts(alice.access) == 60
    alice = await front.refresh(alice.refresh)
    assert lasts(alice.access) == 60
    clock.advance(59)
    assert await front.me(alice.access) == (200, "")
    clock.advance(1)
    assert await front.me(alice.access) == (401, "token_expired")
    assert lasts((await front.refresh(alice.refresh)).access) == 60
    new = await front.post("sign-up", {"email": "bob@example.com", "password": "correct horse battery"})
    assert new.json()["session"]["access_token_expires_at"] == "2026-09-21T14:15:20.000Z"


async def test_what_is_left_goes_by_the_longest_token_that_is_out(front: Front, clock: ManualClock) -> None:
    await put(front, tokens={"access_token_lifetime": "1h"})
    alice, other = await front.sign_in(), await front.sign_in()
    await put(front, tokens={"access_token_lifetime": "1m"})
    clock.advance(600)
    alice = await front.refresh(alice.refresh)
    assert lasts(alice.access) == 60
    assert await residual(front, alice.session_id) == 3000
    assert await residual(front, other.session_id) == 3000
    clock.advance(3000)
    assert await residual(front, (await front.sign_in()).session_id) == 60


async def test_a_session_that_is_not_refreshed_ends(front: Front, clock: ManualClock) -> None:
    await put(front, sessions={"idle_time": "5m"})
    alice = await front.sign_in()
    assert lasts(alice.access) == 300
    for _ in range(3):
        clock.advance(299)
        alice = await front.refresh(alice.refresh)
    clock.advance(300)
    assert await front.me(alice.access) == (401, "token_expired")
    assert await front.try_refresh(alice.refresh) == EXPIRED
    shown = (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).json()
    assert shown["status"] == "expired"


async def test_a_session_has_its_last_day(front: Front, clock: ManualClock) -> None:
    await put(front, sessions={"lifetime": "1h"})
    alice = await front.sign_in()
    for _ in range(5):
        clock.advance(600)
        alice = await front.refresh(alice.refresh)
    assert lasts(alice.access) == 600
    clock.advance(599)
    assert await front.me(alice.access) == (200, "")
    clock.advance(1)
    assert await front.try_refresh(alice.refresh) == EXPIRED


@pytest.mark.parametrize("shorter", [{"idle_time": "5m"}, {"lifetime": "1h"}])
async def test_shorter_terms_hold_at_the_next_refresh(
    front: Front, clock: ManualClock, shorter: dict[str, str]
) -> None:
    alice, other = await front.sign_in(), await front.sign_in()
    clock.advance(HOUR - 1)
    await put(front, sessions=shorter)
    if "lifetime" in shorter:
        alice = await front.refresh(alice.refresh)
        assert lasts(alice.access) == 1
        clock.advance(1)
    assert await front.try_refresh(alice.refresh) == EXPIRED
    assert await front.try_refresh(other.refresh) == EXPIRED
    assert "session.refresh_reused" not in [entry.type for entry in await front.entries()]
    await put(front, sessions=None)
    assert (await front.try_refresh(other.refresh))[0] == 200


async def test_a_used_token_still_ends_the_session(front: Front) -> None:
    await put(front, sessions={"idle_time": "5m", "lifetime": "1h"})
    alice = await front.sign_in()
    await front.refresh(alice.refresh)
    assert await front.try_refresh(alice.refresh) == (401, "refresh_token_reused")


async def test_housekeeping_deletes_what_ended_sooner(front: Front, clock: ManualClock) -> None:
    await put(front, sessions={"lifetime": "1h"})
    alice = await front.sign_in()
    clock.advance(HOUR + 7 * 24 * HOUR)
    await build_worker(front.app.services, load_settings({})).work_off()
    assert (await front.admin("GET", f"/v1/sessions/{alice.session_id}")).status_code == 404


async def test_the_oldest_make_room(front: Front, clock: ManualClock) -> None:
    await put(front, sessions={"max_per_user": 2})
    [first] = await active(front)
    held = []
    for _ in range(3):
        clock.advance(1)
        held.append(await front.sign_in())
    assert await active(front) == [held[1].session_id, held[2].session_id]
    assert await front.me(held[0].access) == REVOKED
    assert await front.try_refresh(held[0].refresh) == REVOKED
    assert (await front.refresh(held[1].refresh)).session_id == held[1].session_id
    gone = (await front.admin("GET", f"/v1/sessions/{first}")).json()
    assert (gone["revoked_reason"], gone["revoked_by"]) == ("session_limit", held[0].user_id)
    told = [entry.metadata.get("sessions_revoked") for entry in await front.entries() if entry.type == "user.signed_in"]
    assert told == [None, None, 1, 1]


async def test_a_lower_number_holds_at_the_next_sign_in(front: Front) -> None:
    for _ in range(3):
        await front.sign_in()
    await put(front, sessions={"max_per_user": 1})
    assert len(await active(front)) == 4
    last = await front.sign_in()
    assert await active(front) == [last.session_id]


async def test_others_and_impersonations_are_not_counted(front: Front) -> None:
    bob = await front.sign_up("bob@example.com")
    alice = await front.sign_in()
    body = {"user_id": alice.user_id, "reason": "ticket 1"}
    seen = (await front.admin("POST", "/v1/admin/users/impersonate", body)).json()
    await put(front, sessions={"max_per_user": 1})
    last = await front.sign_in()
    assert set(await active(front)) == {bob.session_id, seen["session_id"], last.session_id}


async def test_of_16_at_once_so_many_are_left(front: Front) -> None:
    await put(front, sessions={"max_per_user": 3})
    begun = await asyncio.gather(*(front.sign_in() for _ in range(16)))
    left = await active(front)
    assert len(left) == 3
    assert set(left) <= {session.session_id for session in begun}


@pytest.mark.parametrize(
    ("section", "name", "value", "code"),
    [
        ("tokens", "access_token_lifetime", "59s", "invalid"),
        ("tokens", "access_token_lifetime", "61m", "invalid"),
        ("sessions", "idle_time", "4m", "invalid"),
        ("sessions", "idle_time", "366d", "invalid"),
        ("sessions", "lifetime", "59m", "invalid"),
        ("sessions", "lifetime", "2y", "invalid"),
        ("sessions", "max_per_user", 0, "out_of_range"),
        ("sessions", "max_per_user", 101, "out_of_range"),
    ],
)
async def test_what_is_out_of_bounds(front: Front, section: str, name: str, value: object, code: str) -> None:
    answer = await front.admin("PATCH", PATH, {section: {name: value}})
    assert error_of(answer) == (422, "validation_failed", [(f"{section}.{name}", code)])
    assert (await front.admin("GET", PATH)).json() == DEFAULTS
