"""Signing in and up is limited by address, so that guessing, and what it writes, has bounds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Database
from tests.features.auth.parts import PASSWORD, Front, make_front
from tests.support import RunningApp, running_app

LIMITED = (429, "rate_limited")


@pytest.fixture
async def limited(database: Database, clock: Clock) -> AsyncIterator[RunningApp]:
    """The app with the limits that it has by default."""
    async with running_app(database, clock, environ={"HELLOJOHN_RATE_LIMIT_ENABLED": "true"}) as running:
        yield running


@pytest.fixture
async def limited_front(limited: RunningApp) -> Front:
    return await make_front(limited)


async def test_the_right_password_of_a_disabled_account_writes_no_more_entries_than_there_are_sign_ins(
    limited_front: Front,
) -> None:
    alice = await limited_front.sign_up()
    await limited_front.admin("POST", f"/v1/users/{alice.user_id}/disable", {})
    before = len(await limited_front.entries())
    answers = [await limited_front.try_sign_in() for _ in range(25)]
    assert answers == [(403, "account_disabled")] * 10 + [LIMITED] * 15
    assert len(await limited_front.entries()) - before == 10


async def test_of_any_number_at_once_no_more_than_the_limit_are_looked_at(limited_front: Front) -> None:
    await limited_front.sign_up()
    tries = (limited_front.try_sign_in(password=f"guess {number} of many") for number in range(16))
    answers = await asyncio.gather(*tries)
    assert sorted(answers) == [(401, "invalid_credentials")] * 10 + [LIMITED] * 6


async def test_another_tenant_feels_nothing(limited: RunningApp) -> None:
    first, second = await make_front(limited), await make_front(limited)
    for number in range(5):
        await first.sign_up(f"user{number}@example.com")
    answer = await first.post("sign-up", {"email": "one-more@example.com", "password": PASSWORD})
    assert answer.status_code == 429
    assert 55 <= int(answer.headers["retry-after"]) <= 65
    await second.sign_up()


async def test_a_users_calls_count_for_the_user_whatever_the_session(limited_front: Front) -> None:
    alice = await limited_front.sign_up()
    again = await limited_front.sign_in()
    bob = await limited_front.sign_up("bob@example.com")
    left = [
        (await limited_front.app.call(access, "GET", "/v1/auth/me")).headers["x-ratelimit-remaining"]
        for access in (alice.access, again.access, bob.access)
    ]
    assert left == ["999", "998", "999"]


async def test_an_impersonation_takes_nothing_from_its_user(limited_front: Front) -> None:
    alice = await limited_front.sign_up()
    made = await limited_front.admin(
        "POST", "/v1/admin/users/impersonate", {"user_id": alice.user_id, "reason": "a look"}
    )
    token = made.json()["access_token"]
    for access in (token, token, alice.access):
        answer = await limited_front.app.call(access, "GET", "/v1/auth/me")
    assert answer.headers["x-ratelimit-remaining"] == "999"
