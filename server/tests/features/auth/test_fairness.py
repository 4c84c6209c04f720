"""One tenant's queue of passwords is not another's: who has asked for too much is told so, and nobody else is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from hellojohn_server.kit.passwords import PasswordHasher
from tests.features.auth.parts import PASSWORD, Front, Gate, make_front, said
from tests.support import RunningApp

CHEAP = "$2b$04$h9mW91nIm8Xg5Iq7lbWL9eXhItIq67NE7KOyTqR4i8lOpkO0Kj8nO"
BUSY = (503, "password_hashing_busy")


@asynccontextmanager
async def crowded(front: Front, app: RunningApp) -> AsyncIterator[PasswordHasher]:
    """Have as many passwords of a tenant waiting as it may have."""
    gate = Gate(app, 16)
    passwords = gate.passwords
    waiting = [passwords.verify("wrong", CHEAP, owner=front.tenant_id) for _ in range(passwords.capacity // 2)]
    tasks = [asyncio.create_task(verification) for verification in waiting]
    await asyncio.sleep(0)
    assert passwords.running_or_waiting == len(tasks)
    try:
        yield passwords
    finally:
        gate.open()
        await asyncio.gather(*tasks)


async def let_wait(passwords: PasswordHasher, count: int) -> None:
    """Return when `count` passwords wait."""
    for _ in range(1000):
        if passwords.running_or_waiting == count:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{passwords.running_or_waiting} wait, not {count}")


async def sign_up(front: Front, access: str) -> httpx.Response:
    return await front.post("sign-up", {"email": "new@example.com", "password": PASSWORD})


async def sign_in(front: Front, access: str) -> httpx.Response:
    return await front.post("sign-in", {"email": "alice@example.com", "password": PASSWORD})


async def change(front: Front, access: str) -> httpx.Response:
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    return await front.post("password/change", body, key=access)


async def create(front: Front, access: str) -> httpx.Response:
    return await front.admin("POST", "/v1/users", {"email": "new@example.com", "password": PASSWORD})


async def set_password(front: Front, access: str) -> httpx.Response:
    user_id = (await front.app.call(access, "GET", "/v1/auth/me")).json()["id"]
    return await front.admin("PUT", f"/v1/users/{user_id}/password", {"password": "another horse battery"})


@pytest.mark.parametrize("act", [sign_up, sign_in, change, create, set_password])
async def test_a_tenant_that_has_its_half_waiting_is_refused_and_another_is_not(
    front: Front, app: RunningApp, act: Callable[[Front, str], Awaitable[httpx.Response]]
) -> None:
    other = await make_front(app)
    access = [(await each.sign_up()).access for each in (front, other)]
    async with crowded(front, app) as passwords:
        refused = await act(front, access[0])
        assert (said(refused), refused.headers["retry-after"]) == (BUSY, "1")
        going_on: asyncio.Task[Any] = asyncio.create_task(act(other, access[1]))
        await let_wait(passwords, passwords.capacity // 2 + 1)
    assert (await going_on).is_success
    assert (await act(front, access[0])).is_success
