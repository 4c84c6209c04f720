"""What a change of address does to the lock by failed sign-ins, on both stores."""

from typing import Final

import httpx
import pytest

from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import Front
from tests.features.mfa.parts import rows

LOCKED: Final = (403, "account_locked")
WRONG: Final = (401, "invalid_credentials")
COUNT_FAILURES: Final = Statement("SELECT count(*) FROM sign_in_failures WHERE tenant_id = :tenant_id")


async def fail(front: Front, email: str, times: int = 10) -> None:
    for _ in range(times):
        assert await front.try_sign_in(email, "wrong") == WRONG


async def change(front: Front, user_id: str, **fields: object) -> dict[str, object]:
    answer = await front.admin("PATCH", f"/v1/users/{user_id}", fields)
    assert answer.status_code == httpx.codes.OK, answer.text
    shown: dict[str, object] = answer.json()
    return shown


async def test_a_new_address_is_not_locked_and_the_old_one_is_free(front: Front) -> None:
    alice = await front.sign_up()
    await fail(front, "alice@example.com")
    assert await front.try_sign_in() == LOCKED
    locked = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert locked["status"] == "locked"

    shown = await change(front, alice.user_id, email="alice@new.example.com")

    assert (shown["status"], shown["locked_until"]) == ("active", None)
    assert await front.try_sign_in("alice@new.example.com") == (200, "")
    entry = next(one for one in await front.entries() if one.type == "user.updated")
    assert (entry.type, entry.changes) == (
        "user.updated",
        {
            "email": ("alice@example.com", "alice@new.example.com"),
            "locked_until": (locked["locked_until"], None),
        },
    )
    assert await rows(front, COUNT_FAILURES) == [(0,)]
    await front.sign_up()
    assert await front.try_sign_in() == (200, "")


async def test_failures_with_the_new_address_from_before_count_no_more(front: Front) -> None:
    alice = await front.sign_up()
    await fail(front, "alice@new.example.com")
    assert await front.try_sign_in("alice@new.example.com") == LOCKED
    await change(front, alice.user_id, email="Alice@new.example.com")
    assert await front.try_sign_in("alice@new.example.com") == (200, "")


async def test_another_spelling_of_the_address_and_other_changes_leave_the_lock(
    front: Front, clock: ManualClock
) -> None:
    alice = await front.sign_up()
    await fail(front, "alice@example.com")
    for fields in ({"email": "ALICE@example.com"}, {"name": "Alice"}):
        shown = await change(front, alice.user_id, **fields)
        assert shown["status"] == "locked"
        assert await front.try_sign_in() == LOCKED
    clock.advance(900)
    assert await front.try_sign_in() == (200, "")


async def test_a_refused_change_leaves_the_lock(front: Front) -> None:
    alice = await front.sign_up()
    await front.sign_up("bob@example.com")
    await fail(front, "alice@example.com")
    answer = await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email": "bob@example.com"})
    assert answer.status_code == httpx.codes.CONFLICT
    assert await front.try_sign_in() == LOCKED


async def test_nobody_else_is_unlocked(front: Front) -> None:
    alice = await front.sign_up()
    await front.sign_up("bob@example.com")
    await fail(front, "bob@example.com")
    await change(front, alice.user_id, email="alice@new.example.com")
    assert await front.try_sign_in("bob@example.com") == LOCKED


@pytest.mark.parametrize("failures", [0, 9])
async def test_without_a_lock_the_entry_says_nothing_of_one(front: Front, failures: int) -> None:
    alice = await front.sign_up()
    await fail(front, "alice@example.com", failures)
    await change(front, alice.user_id, email="alice@new.example.com")
    entry = (await front.entries())[-1]
    assert entry.changes == {"email": ("alice@example.com", "alice@new.example.com")}
    assert await rows(front, COUNT_FAILURES) == [(0,)]
