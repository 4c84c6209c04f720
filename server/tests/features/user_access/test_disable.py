"""Disabling and enabling on both stores: the switch, the sessions, and what is told of it."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.user_access.schemas import DisableUserBody, ReasonBody
from tests.conftest import START_MS
from tests.features.tenants.parts import key_context
from tests.features.users.parts import LIST_SESSIONS, UserParts, change, told

STOPPED = [("user_disabled", True)]


async def sessions_of(parts: UserParts, tenant_id: str, user_id: str) -> list[tuple[Any, ...]]:
    """Return why and whether at this moment each session of the user was revoked."""
    now = parts.clock.now_ms()
    return [(cause, at == now) for _, at, cause in await parts.rows(tenant_id, LIST_SESSIONS, user_id=user_id) if at]


@pytest.mark.parametrize("by_verb", [True, False])
async def test_disabling_ends_the_sessions(parts: UserParts, tenant_id: str, by_verb: bool) -> None:
    made = await parts.make(tenant_id)
    bystander = await parts.make(tenant_id, "bob@example.com")
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    await parts.add_session(tenant_id, made.id, access_lasts=840)
    await parts.add_session(tenant_id, made.id, lasts=-1, access_lasts=-1)
    await parts.add_session(tenant_id, bystander.id)
    parts.clock.advance(0.001)
    context = key_context(tenant_id)
    if by_verb:
        answer = await parts.access.disable_user(context, made.id, DisableUserBody(reason="left"))
    else:
        answer = await parts.users.update_user(context, made.id, change(disabled=True, reason="left"))

    shown = msgspec.to_builtins(answer)
    assert shown.pop("access_stopped") == {"sessions_revoked": 2, "residual_seconds": 840}
    assert shown == {
        **msgspec.to_builtins(made),
        "disabled": True,
        "disabled_reason": "left",
        "status": "disabled",
        "version": 2,
        "updated_at": "2026-09-21T14:13:20.001Z",
    }
    assert await sessions_of(parts, tenant_id, made.id) == STOPPED * 2
    assert await sessions_of(parts, tenant_id, bystander.id) == []
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.disabled_at, stored.disabled_by, stored.generation) == (START_MS + 1, context.principal.id, 2)
    assert told(await parts.entries(tenant_id))[2:] == [
        ("user.disabled", made.id, "left", {"disabled": (False, True)}, {"sessions_revoked": 2})
    ]
    assert await parts.counted(tenant_id) == {"total": 2, "role:member": 2, "disabled": 1}


async def test_disabling_again_changes_nothing(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.access.disable_user(context, made.id, DisableUserBody(reason="left"))
    parts.clock.advance(60)
    again = await parts.access.disable_user(context, made.id, DisableUserBody(reason="other"))
    assert msgspec.to_builtins(again) == {
        name: value for name, value in msgspec.to_builtins(first).items() if name != "access_stopped"
    }
    assert len(await parts.entries(tenant_id)) == 2


async def test_sessions_left_to_rest_live_on_after_enabling(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    context = key_context(tenant_id)
    disabled = await parts.access.disable_user(context, made.id, DisableUserBody(revoke_sessions=False))
    assert msgspec.to_builtins(disabled.access_stopped) == {"sessions_revoked": 0, "residual_seconds": 300}
    assert await sessions_of(parts, tenant_id, made.id) == []
    generation = (await parts.stored(tenant_id, made.id)).generation

    enabled = await parts.access.enable_user(context, made.id, ReasonBody(reason="back"))
    assert "access_stopped" not in msgspec.to_builtins(enabled)
    assert (enabled.disabled, enabled.disabled_reason, enabled.status, enabled.version) == (False, None, "active", 3)
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.disabled_at, stored.disabled_by, stored.generation) == (None, None, generation)
    assert await sessions_of(parts, tenant_id, made.id) == []
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.disabled", made.id, None, {"disabled": (False, True)}, {"sessions_revoked": 0}),
        ("user.enabled", made.id, "back", {"disabled": (True, False)}, {}),
    ]


async def test_sessions_left_to_rest_are_ended_by_a_second_disable(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    await parts.access.disable_user(context, made.id, DisableUserBody(revoke_sessions=False))
    kept = await parts.access.disable_user(context, made.id, DisableUserBody(revoke_sessions=False))
    assert (kept.version, kept.access_stopped) == (2, msgspec.UNSET)
    ended = await parts.access.disable_user(context, made.id, DisableUserBody(reason="for good"))
    assert ended.version == 2
    assert msgspec.to_builtins(ended.access_stopped) == {"sessions_revoked": 1, "residual_seconds": 900}
    assert await sessions_of(parts, tenant_id, made.id) == STOPPED
    assert told(await parts.entries(tenant_id))[2:] == [
        ("user.disabled", made.id, "for good", {}, {"sessions_revoked": 1})
    ]


async def test_enabling_who_is_enabled_changes_nothing(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    answer = await parts.access.enable_user(key_context(tenant_id), made.id, ReasonBody())
    assert msgspec.to_builtins(answer) == msgspec.to_builtins(made)
    assert len(await parts.entries(tenant_id)) == 1


@pytest.mark.parametrize(("access_ms", "residual"), [(1, 1), (1000, 1), (1001, 2), (0, 0), (-5000, 0)])
async def test_the_residue_is_rounded_up(parts: UserParts, tenant_id: str, access_ms: int, residual: int) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id, access_lasts=10)
    parts.clock.set(START_MS + 10_000 - access_ms)
    answer = await parts.access.disable_user(key_context(tenant_id), made.id, DisableUserBody())
    assert msgspec.to_builtins(answer.access_stopped) == {"sessions_revoked": 1, "residual_seconds": residual}


async def test_of_16_disables_at_once_one_is_recorded(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for _ in range(3):
        await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answers = await asyncio.gather(*(parts.access.disable_user(context, made.id, DisableUserBody()) for _ in range(16)))
    stopped = [answer.access_stopped for answer in answers if answer.access_stopped is not msgspec.UNSET]
    assert [msgspec.to_builtins(one)["sessions_revoked"] for one in stopped] == [3]
    assert {answer.version for answer in answers} == {2}
    assert len(await parts.entries(tenant_id)) == 2
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1, "disabled": 1}
