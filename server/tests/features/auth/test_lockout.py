"""The lock by failed sign-ins as a tenant sets it, on both stores."""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest

from hellojohn_server.app import build_worker
from hellojohn_server.config import load_settings
from tests.conftest import ManualClock
from tests.features.auth.parts import Front, make_front
from tests.features.tenant_settings.test_routes import DEFAULTS, PATH, error_of
from tests.support import RunningApp

WRONG: Final = (401, "invalid_credentials")
LOCKED: Final = (403, "account_locked")


@pytest.fixture
async def front(app: RunningApp) -> Front:
    made = await make_front(app)
    await made.sign_up()
    return made


async def put(front: Front, **settings: Any) -> None:
    answer = await front.admin("PATCH", PATH, {"lockout": settings})
    assert answer.status_code == 200, answer.text


async def fail(front: Front, times: int, email: str = "alice@example.com") -> list[tuple[int, str]]:
    return [await front.try_sign_in(email, "wrong") for _ in range(times)]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
async def test_so_many_failures_lock_for_so_long(front: Front, clock: ManualClock, email: str) -> None:
    await put(front, failures=3, window="1h", lock_time="1m")
    for _ in range(2):
        assert await fail(front, 1, email) == [WRONG]
        clock.advance(1799)
    assert await fail(front, 2, email) == [WRONG, LOCKED]
    clock.advance(59)
    assert await front.try_sign_in(email) == LOCKED
    clock.advance(1)
    assert await front.try_sign_in(email) == ((200, "") if email == "alice@example.com" else WRONG)


async def test_what_lies_further_apart_does_not(front: Front, clock: ManualClock) -> None:
    await put(front, failures=3, window="1m", lock_time="24h")
    for _ in range(8):
        assert await fail(front, 1) == [WRONG]
        clock.advance(30)


async def test_a_failure_is_kept_as_long_as_it_counts(front: Front, clock: ManualClock) -> None:
    """Housekeeping leaves it there, also when a lock would be over sooner."""
    await put(front, failures=3, window="1h", lock_time="1m")
    assert await fail(front, 2) == [WRONG, WRONG]
    clock.advance(3599)
    await build_worker(front.app.services, load_settings({})).work_off()
    assert await fail(front, 2) == [WRONG, LOCKED]


async def test_fewer_count_those_that_were_there(front: Front) -> None:
    assert await fail(front, 8) == [WRONG] * 8
    await put(front, failures=5)
    assert await fail(front, 2) == [WRONG, LOCKED]


async def test_more_let_on(front: Front) -> None:
    assert await fail(front, 9) == [WRONG] * 9
    await put(front, failures=100)
    assert await fail(front, 10) == [WRONG] * 10
    assert await front.try_sign_in() == (200, "")


async def test_a_change_moves_no_lock_that_stands(front: Front, clock: ManualClock) -> None:
    await put(front, failures=3)
    await fail(front, 3)
    await put(front, enabled=False, lock_time="1m")
    assert await front.try_sign_in() == LOCKED
    clock.advance(900)
    assert await front.try_sign_in() == (200, "")


async def test_without_a_lock_failures_are_only_told(front: Front) -> None:
    await put(front, enabled=False)
    assert await fail(front, 15) == [WRONG] * 15
    assert await fail(front, 15, "nobody@example.com") == [WRONG] * 15
    assert await front.try_sign_in() == (200, "")
    kinds = Counter(entry.type for entry in await front.entries())
    assert (kinds["user.sign_in_failed"], kinds["user.locked"]) == (15, 0)


async def test_passwords_that_are_changed_count_too(front: Front) -> None:
    alice = await front.sign_in()
    await put(front, failures=3)
    body = {"current_password": "wrong", "new_password": "another horse battery"}
    answers = [(await front.post("password/change", body, alice.access)).status_code for _ in range(4)]
    assert answers == [401, 401, 401, 403]


async def test_of_16_at_once_so_many_are_looked_at(front: Front) -> None:
    await put(front, failures=5)
    answers = await asyncio.gather(*(front.try_sign_in(password="wrong") for _ in range(16)))
    assert Counter(answers) == {WRONG: 5, LOCKED: 11}
    assert [entry.type for entry in await front.entries()].count("user.locked") == 1


async def test_another_tenant_has_its_own(app: RunningApp, front: Front) -> None:
    other = await make_front(app)
    await other.sign_up()
    await put(front, failures=3)
    assert await fail(other, 4) == [WRONG] * 4


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ({"failures": 2}, "out_of_range"),
        ({"failures": 101}, "out_of_range"),
        ({"window": "59s"}, "invalid"),
        ({"window": "25h"}, "invalid"),
        ({"lock_time": "0m"}, "invalid"),
        ({"lock_time": "2d"}, "invalid"),
        ({"enabled": "no"}, "wrong_type"),
    ],
)
async def test_what_is_out_of_bounds(front: Front, section: dict[str, Any], code: str) -> None:
    [name] = section
    answer = await front.admin("PATCH", PATH, {"lockout": section})
    assert error_of(answer) == (422, "validation_failed", [(f"lockout.{name}", code)])
    assert (await front.admin("GET", PATH)).json() == DEFAULTS


async def test_it_says_whom_to_trust(app: RunningApp) -> None:
    lesser = await app.make_key(await app.make_tenant(), "*")
    refused = await app.call(lesser, "PATCH", PATH, {"lockout": {"failures": 100}})
    assert error_of(refused) == (403, "insufficient_scope", [("scope", "missing_scope")])
