"""The recycle bin on both stores: what deleting ends, what is refused in the bin, and what restoring brings back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.user_access.schemas import (
    BanUserBody,
    DisableUserBody,
    ReasonBody,
    SetPasswordBody,
)
from hellojohn_server.features.users.errors import EmailInRecycleBin, LastSuperAdmin, UserDeleted, UserNotFound
from hellojohn_server.kit.errors import InsufficientScope, VersionMismatch
from hellojohn_server.kit.principal import Context
from tests.conftest import START_MS
from tests.features.recorder import recorded
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, UserParts, live, told, with_retry, with_version

DAYS_30_MS = 30 * 86_400_000


async def test_deleting_ends_every_session(parts: UserParts, tenant_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await parts.make(tenant_id, email_verified=True, state_disabled=True)
    await parts.counters.rebuild_counters(tenant_id)
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    context = key_context(tenant_id)
    with recorded(parts.database, monkeypatch) as transactions:
        answer = await parts.access.delete_user(context, made.id, ReasonBody(reason="left"))

    shown = msgspec.to_builtins(answer)
    assert shown.pop("access_stopped") == {"sessions_revoked": 1, "residual_seconds": 300}
    assert shown == {**msgspec.to_builtins(made), "disabled": True, "status": "deleted", "version": 2}
    assert await live(parts, tenant_id, made.id) == 0
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.deleted_at, stored.deleted_by, stored.deleted_reason) == (START_MS, context.principal.id, "left")
    assert stored.generation == 2
    assert transactions[-1].due == [START_MS + 300_000, START_MS + DAYS_30_MS], "what verifiers are told, and the user"
    assert await parts.counted(tenant_id) == {}
    with pytest.raises(EmailInRecycleBin):
        await parts.make(tenant_id)
    parts.clock.advance(60)
    again = await parts.access.delete_user(context, made.id, ReasonBody(reason="again"))
    assert again == msgspec.structs.replace(answer, access_stopped=msgspec.UNSET)
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.deleted", made.id, "left", {"deleted": (False, True)}, {"sessions_revoked": 1})
    ]


async def test_restoring_brings_back_the_user_and_no_session(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, email_verified=True)
    await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    await parts.access.delete_user(context, made.id, ReasonBody())
    answer = await parts.access.restore_user(context, made.id, ReasonBody(reason="came back"))
    assert msgspec.to_builtins(answer) == {**msgspec.to_builtins(made), "version": 3}
    assert await live(parts, tenant_id, made.id) == 0
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.deleted_at, stored.deleted_by, stored.deleted_reason, stored.generation) == (None, None, None, 2)
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1, "email_verified": 1}
    assert await parts.access.restore_user(context, made.id, ReasonBody()) == answer
    assert told(await parts.entries(tenant_id))[2:] == [
        ("user.restored", made.id, "came back", {"deleted": (True, False)}, {})
    ]


async def test_what_kept_the_user_out_before_still_does(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, BanUserBody(reason="spam", expires_in="7d"))
    await parts.access.disable_user(context, made.id, DisableUserBody())
    await parts.access.delete_user(context, made.id, ReasonBody())
    restored = await parts.access.restore_user(context, made.id, ReasonBody())
    assert (restored.status, restored.banned, restored.disabled) == ("banned", True, True)


Call = Callable[[UserParts, Context, str], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "ban": lambda parts, context, user: parts.access.ban_user(context, user, BanUserBody()),
    "disable": lambda parts, context, user: parts.access.disable_user(context, user, DisableUserBody()),
    "enable": lambda parts, context, user: parts.access.enable_user(context, user, ReasonBody()),
    "revoke": lambda parts, context, user: parts.access.revoke_sessions(context, user, ReasonBody()),
    "set password": lambda parts, context, user: parts.access.set_password(
        context, user, SetPasswordBody(password="correct horse")
    ),
    "unban": lambda parts, context, user: parts.access.unban_user(context, user, ReasonBody()),
    "unlock": lambda parts, context, user: parts.access.unlock_user(context, user, ReasonBody()),
}


@pytest.mark.parametrize("act", sorted(CALLS))
async def test_nothing_else_is_done_in_the_bin(parts: UserParts, tenant_id: str, act: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.delete_user(context, made.id, ReasonBody())
    with pytest.raises(UserDeleted):
        await CALLS[act](parts, context, made.id)
    assert len(await parts.entries(tenant_id)) == 2


async def test_refusals(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    admin = await parts.make(tenant_id, role="admin")
    last = await parts.make(tenant_id, "bob@example.com", role="super_admin")
    context = key_context(tenant_id, scopes=ADMIN)
    with pytest.raises(InsufficientScope):
        await parts.access.delete_user(key_context(tenant_id), admin.id, ReasonBody())
    with pytest.raises(LastSuperAdmin):
        await parts.access.delete_user(context, last.id, ReasonBody())
    with pytest.raises(UserNotFound):
        await parts.access.delete_user(key_context(other_tenant_id, scopes=ADMIN), admin.id, ReasonBody())
    with pytest.raises(VersionMismatch):
        await parts.access.delete_user(with_version(context, 2), admin.id, ReasonBody())
    await parts.access.delete_user(with_version(context, 1), admin.id, ReasonBody())
    with pytest.raises(InsufficientScope):
        await parts.access.restore_user(key_context(tenant_id), admin.id, ReasonBody())
    with pytest.raises(UserNotFound):
        await parts.access.restore_user(key_context(other_tenant_id, scopes=ADMIN), admin.id, ReasonBody())
    with pytest.raises(VersionMismatch):
        await parts.access.restore_user(with_version(context, 1), admin.id, ReasonBody())
    assert (await parts.stored(tenant_id, admin.id)).deleted_at == START_MS


async def test_a_retry_is_answered_as_the_first_time(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.access.delete_user(with_retry(context, retry_key()), made.id, ReasonBody())
    await parts.access.restore_user(context, made.id, ReasonBody())
    again = await parts.access.delete_user(with_retry(context, retry_key()), made.id, ReasonBody())
    assert again == first
    assert (await parts.users.get_user(tenant_id, made.id)).status == "active"


async def test_of_16_at_once_one_is_recorded(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for _ in range(3):
        await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answers = await asyncio.gather(*(parts.access.delete_user(context, made.id, ReasonBody()) for _ in range(16)))
    stopped = [answer.access_stopped for answer in answers if answer.access_stopped is not msgspec.UNSET]
    assert [msgspec.to_builtins(one)["sessions_revoked"] for one in stopped] == [3]
    assert {answer.version for answer in answers} == {2}
    answers = await asyncio.gather(*(parts.access.restore_user(context, made.id, ReasonBody()) for _ in range(16)))
    assert {answer.version for answer in answers} == {3}
    assert len(await parts.entries(tenant_id)) == 3
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1}
