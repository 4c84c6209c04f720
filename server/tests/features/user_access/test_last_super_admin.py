"""Of all super admins who are stopped at once, by whatever act, one stays, on both stores."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from hellojohn_server.features.bulk.schemas import BulkActBody, BulkBanBody
from hellojohn_server.features.user_access.schemas import BanUserBody, DisableUserBody, ReasonBody
from hellojohn_server.features.users.errors import LastSuperAdmin, UserDeleted, UserNotFound
from hellojohn_server.features.users.repository import list_users_locked
from hellojohn_server.features.users.service import is_active_super_admin
from hellojohn_server.storage.database import Transaction
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, UserParts, change


async def test_one_stays(parts: UserParts, tenant_id: str) -> None:
    context = key_context(tenant_id, scopes=ADMIN)
    ids = [(await parts.make(tenant_id, f"a{n}@example.com", role="super_admin")).id for n in range(16)]

    def stop(number: int, user_id: str) -> Awaitable[Any]:
        acts = (
            lambda: parts.access.ban_user(context, user_id, BanUserBody()),
            lambda: parts.access.delete_user(context, user_id, ReasonBody()),
            lambda: parts.access.erase_user(context, user_id),
            lambda: parts.access.disable_user(context, user_id, DisableUserBody()),
            lambda: parts.users.update_user(context, user_id, change(role="member")),
        )
        return acts[number % len(acts)]()

    outcomes = await asyncio.gather(
        *(stop(number, user_id) for number, user_id in enumerate(ids)),
        parts.bulk.ban_users(context, BulkBanBody(user_ids=ids)),
        parts.bulk.delete_users(context, BulkActBody(user_ids=ids[::-1])),
        return_exceptions=True,
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(outcome, LastSuperAdmin | UserDeleted | UserNotFound) for outcome in failed)

    async def command(tx: Transaction) -> int:
        now = parts.clock.now_ms()
        return sum(is_active_super_admin(user, now) for user in (await list_users_locked(tx, ids)).values())

    assert await parts.database.write(tenant_id, command, int) == 1
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_who_is_alone_is_stopped_by_nothing(parts: UserParts, tenant_id: str) -> None:
    context = key_context(tenant_id, scopes=ADMIN)
    one = await parts.make(tenant_id, "a@example.com", role="super_admin")
    two = await parts.make(tenant_id, "b@example.com", role="super_admin")
    await parts.access.ban_user(context, two.id, BanUserBody(expires_in="1h"))
    answer = await parts.bulk.delete_users(context, BulkActBody(user_ids=[one.id, two.id]))
    assert [(refusal.id, refusal.code.value) for refusal in answer.refused or []] == [(one.id, "last_super_admin")]
    assert answer.deleted == 1
