"""What begins before a user's access is stopped and ends after it: nothing of it counts, and nothing is left behind."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.features.auth.errors import AccountLocked
from hellojohn_server.storage.database import Exempt, Reader, Transaction
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, Gate, said
from tests.support import RunningApp

LIST_SUBJECT = Statement("SELECT document FROM audit_values WHERE tenant_id = :tenant_id AND subject_id = :user_id")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "disable", {}, (401, "session_revoked")),
        ("POST", "disable", {"revoke_sessions": False}, (403, "account_disabled")),
        ("POST", "ban", {"reason": "spam"}, (401, "session_revoked")),
        ("DELETE", "sessions", {}, (401, "session_revoked")),
    ],
)
async def test_a_password_is_not_changed_by_whoever_lost_access_meanwhile(
    front: Front, app: RunningApp, method: str, path: str, body: dict[str, Any], code: tuple[int, str]
) -> None:
    alice = await front.sign_up()
    gate = Gate(app, 16)
    change = {"current_password": PASSWORD, "new_password": "an attacker chose this"}
    changing = asyncio.create_task(front.post("password/change", change, key=alice.access))
    await asyncio.sleep(0.1)
    assert (await front.admin(method, f"/v1/users/{alice.user_id}/{path}", body)).is_success
    gate.open()
    assert said(await changing) == code
    assert [entry.type for entry in await front.entries()].count("user.password_changed") == 0


async def test_a_failed_sign_in_leaves_nothing_of_a_user_who_was_erased_meanwhile(
    front: Front, app: RunningApp
) -> None:
    alice = await front.sign_up()
    gate = Gate(app, 16)
    trying = asyncio.create_task(front.try_sign_in(password="wrong"))
    await asyncio.sleep(0.1)
    assert (await front.admin("DELETE", f"/v1/users/{alice.user_id}?permanent=true")).status_code == 204
    gate.open()
    assert await trying == (401, "invalid_credentials")

    async def query(reader: Reader) -> list[str]:
        return [row[0] for row in await reader.fetch_all(LIST_SUBJECT, user_id=alice.user_id)]

    # What is left of her is the entry of the erase, which says how many sessions it ended.
    assert len(await app.services.database.read(front.tenant_id, query)) == 1


async def test_a_right_password_tells_nothing_once_the_address_is_locked(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    await front.admin("POST", f"/v1/users/{alice.user_id}/disable")
    gate = Gate(app, 16)
    guesses = [asyncio.create_task(front.try_sign_in(password="wrong")) for _ in range(12)]
    await asyncio.sleep(0.1)
    right = asyncio.create_task(front.try_sign_in())
    gate.open()
    answers = await asyncio.gather(*guesses)
    assert answers.count((401, "invalid_credentials")) == 10
    assert await right in {(403, "account_locked"), (403, "account_disabled")}
    assert await front.try_sign_in() == (403, "account_locked")


async def test_whoever_finds_the_address_locked_leaves_the_lock(
    front: Front, app: RunningApp, clock: ManualClock
) -> None:
    nobody = "nobody@example.com"
    for _ in range(10):
        assert await front.try_sign_in(nobody) == (401, "invalid_credentials")

    async def command(tx: Transaction) -> None:
        await app.services.auth.forget_failures(tx, nobody)

    async def forget() -> None:
        await app.services.database.write(front.tenant_id, command, type(None), exempt=Exempt.SIGN_IN_COUNT)

    with pytest.raises(AccountLocked):
        await forget()
    assert await front.try_sign_in(nobody) == (403, "account_locked")
    clock.advance(15 * 60)
    await forget()
    assert await front.try_sign_in(nobody) == (401, "invalid_credentials")
