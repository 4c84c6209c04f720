"""Unlocking on both stores: the lock, the failures counted, and what is told of it."""

import asyncio

import msgspec
import pytest

from hellojohn_server.features.user_access.schemas import ReasonBody
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.kit.errors import InsufficientScope
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS
from tests.features.tenants.parts import key_context
from tests.features.users.parts import UserParts, told

UNTIL = START_MS + 900_000
INSERT_FAILURES = Statement(
    """
    INSERT INTO sign_in_failures (tenant_id, address_hash, locked_until, expires_at)
    VALUES (:tenant_id, :address_hash, :until, :until)
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_FAILURES = Statement("SELECT address_hash FROM sign_in_failures WHERE tenant_id = :tenant_id")


async def fail(parts: UserParts, tenant_id: str, key: str) -> None:
    """Count failed sign-ins with an address."""

    async def command(tx: Transaction) -> None:
        await tx.execute(INSERT_FAILURES, address_hash=parts.addresses.hash(tenant_id, key), until=UNTIL)

    await parts.database.write(tenant_id, command, type(None))


async def counted_failures(parts: UserParts, tenant_id: str) -> int:
    return len(await parts.rows(tenant_id, LIST_FAILURES))


async def test_unlocking(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, state_locked_at=START_MS, state_locked_until=UNTIL)
    await fail(parts, tenant_id, "alice@example.com")
    await fail(parts, tenant_id, "bob@example.com")
    assert (await parts.users.get_user(tenant_id, made.id)).status == "locked"
    context = key_context(tenant_id)
    answer = await parts.access.unlock_user(context, made.id, ReasonBody(reason="called us"))
    assert msgspec.to_builtins(answer) == {**msgspec.to_builtins(made), "version": 2}
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.locked_at, stored.locked_until, stored.generation) == (None, None, 1)
    assert await counted_failures(parts, tenant_id) == 1
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.unlocked", made.id, "called us", {"locked_until": ("2026-09-21T14:28:20.000Z", None)}, {})
    ]
    assert await parts.access.unlock_user(context, made.id, ReasonBody()) == answer


@pytest.mark.parametrize("locked_until", [None, START_MS])
async def test_failures_are_forgotten_also_without_a_lock(
    parts: UserParts, tenant_id: str, locked_until: int | None
) -> None:
    made = await parts.make(tenant_id, state_locked_until=locked_until)
    await fail(parts, tenant_id, "alice@example.com")
    answer = await parts.access.unlock_user(key_context(tenant_id), made.id, ReasonBody())
    assert msgspec.to_builtins(answer) == msgspec.to_builtins(made)
    assert await counted_failures(parts, tenant_id) == 0
    assert len(await parts.entries(tenant_id)) == 1
    assert (await parts.stored(tenant_id, made.id)).locked_until == locked_until


async def test_refusals_forget_nothing(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    admin = await parts.make(tenant_id, role="admin")
    binned = await parts.make(tenant_id, "bob@example.com", state_deleted_at=1)
    await fail(parts, tenant_id, "alice@example.com")
    await fail(parts, tenant_id, "bob@example.com")
    with pytest.raises(InsufficientScope):
        await parts.access.unlock_user(key_context(tenant_id), admin.id, ReasonBody())
    with pytest.raises(UserDeleted):
        await parts.access.unlock_user(key_context(tenant_id), binned.id, ReasonBody())
    with pytest.raises(UserNotFound):
        await parts.access.unlock_user(key_context(other_tenant_id), admin.id, ReasonBody())
    assert await counted_failures(parts, tenant_id) == 2


async def test_of_16_at_once_one_is_recorded(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, state_locked_until=UNTIL)
    context = key_context(tenant_id)
    answers = await asyncio.gather(*(parts.access.unlock_user(context, made.id, ReasonBody()) for _ in range(16)))
    assert {answer.version for answer in answers} == {2}
    assert len(await parts.entries(tenant_id)) == 2
