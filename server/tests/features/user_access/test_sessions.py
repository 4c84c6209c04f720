"""Ending a user's sessions, and setting a password, on both stores."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.features.user_access.schemas import ReasonBody, SetPasswordBody
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.kit.errors import InsufficientScope, Invalid, VersionMismatch
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import (
    ADMIN,
    GET_PASSWORD,
    LIST_SESSIONS,
    UserParts,
    live,
    told,
    with_retry,
    with_version,
)

NONE = AccessStopped(sessions_revoked=0, residual_seconds=0)
BCRYPT = "$2b$12$abcdefghijklmnopqrstuu5s0t1uhxKQXGJ4Z6ZyJcQ0yWvVbYfK2"


def password(**values: Any) -> SetPasswordBody:
    return msgspec.convert(values, SetPasswordBody)


async def hash_of(parts: UserParts, tenant_id: str, user_id: str) -> str:
    [(stored,)] = await parts.rows(tenant_id, GET_PASSWORD, user_id=user_id)
    return str(stored)


async def test_ending_every_session(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    bystander = await parts.make(tenant_id, "bob@example.com")
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    await parts.add_session(tenant_id, made.id, access_lasts=840)
    await parts.add_session(tenant_id, bystander.id)
    context = key_context(tenant_id)
    answer = await parts.access.revoke_sessions(context, made.id, ReasonBody(reason="a lost phone"))
    assert answer == AccessStopped(sessions_revoked=2, residual_seconds=840)
    causes = {cause for _, _, cause in await parts.rows(tenant_id, LIST_SESSIONS, user_id=made.id)}
    assert causes == {"sessions_revoked"}
    assert await live(parts, tenant_id, bystander.id) == 1
    assert await parts.users.get_user(tenant_id, made.id) == made
    assert (await parts.stored(tenant_id, made.id)).generation == 2
    assert await parts.access.revoke_sessions(context, made.id, ReasonBody(reason="again")) == NONE
    assert (await parts.stored(tenant_id, made.id)).generation == 2
    assert told(await parts.entries(tenant_id))[2:] == [
        ("user.sessions_revoked", made.id, "a lost phone", {}, {"sessions_revoked": 2})
    ]


async def test_refusals_end_nothing(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="admin")
    await parts.add_session(tenant_id, made.id)
    with pytest.raises(InsufficientScope):
        await parts.access.revoke_sessions(key_context(tenant_id), made.id, ReasonBody())
    with pytest.raises(UserNotFound):
        await parts.access.revoke_sessions(key_context(other_tenant_id, scopes=ADMIN), made.id, ReasonBody())
    context = with_version(key_context(tenant_id, scopes=ADMIN), 2)
    with pytest.raises(VersionMismatch):
        await parts.access.revoke_sessions(context, made.id, ReasonBody())
    assert await live(parts, tenant_id, made.id) == 1


async def test_the_last_super_admin_may_be_signed_out(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="super_admin")
    await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id, scopes=ADMIN)
    assert (await parts.access.revoke_sessions(context, made.id, ReasonBody())).sessions_revoked == 1
    assert (await parts.access.set_password(context, made.id, password(password="correct horse"))).version == 2


async def test_of_16_at_once_each_session_ends_for_one(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for _ in range(3):
        await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answers = await asyncio.gather(*(parts.access.revoke_sessions(context, made.id, ReasonBody()) for _ in range(16)))
    assert sorted(answer.sessions_revoked for answer in answers) == [0] * 15 + [3]
    assert len(await parts.entries(tenant_id)) == 2


async def test_setting_a_password(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, password="the old one", state_password_reset_required=True)
    await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answer = await parts.access.set_password(context, made.id, password(password="correct horse", reason="called us"))
    assert msgspec.to_builtins(answer) == {**msgspec.to_builtins(made), "version": 2}
    stored = await hash_of(parts, tenant_id, made.id)
    assert (await parts.passwords.verify("correct horse", stored, owner=tenant_id)).matches
    assert (await parts.stored(tenant_id, made.id)).generation == 1
    assert await live(parts, tenant_id, made.id) == 1
    [entry] = told(await parts.entries(tenant_id))[1:]
    changes = {"password_reset_required": (True, False)}
    metadata = {"password": "set", "sessions_revoked": 0}
    assert entry == ("user.password_set", made.id, "called us", changes, metadata)


async def test_setting_a_hash_of_another_system_and_ending_the_sessions(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    context = key_context(tenant_id)
    answer = await parts.access.set_password(context, made.id, password(password_hash=BCRYPT, revoke_sessions=True))
    assert msgspec.to_builtins(answer.access_stopped) == {"sessions_revoked": 1, "residual_seconds": 300}
    again = await parts.access.set_password(context, made.id, password(password_hash=BCRYPT, revoke_sessions=True))
    assert (again.access_stopped, again.version) == (msgspec.UNSET, 3)
    assert await hash_of(parts, tenant_id, made.id) == BCRYPT
    assert (await parts.stored(tenant_id, made.id)).generation == 3
    [(_, _, cause)] = await parts.rows(tenant_id, LIST_SESSIONS, user_id=made.id)
    assert cause == "password_set"
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.password_set", made.id, None, {}, {"password": "imported", "sessions_revoked": sessions})
        for sessions in (1, 0)
    ]


@pytest.mark.parametrize(
    ("given", "field"), [({}, "password"), ({"password": "correct horse", "password_hash": BCRYPT}, "password_hash")]
)
async def test_one_password_is_given(parts: UserParts, tenant_id: str, given: dict[str, Any], field: str) -> None:
    made = await parts.make(tenant_id)
    with pytest.raises(Invalid) as refused:
        await parts.access.set_password(key_context(tenant_id), made.id, password(**given))
    assert [fault.field for fault in refused.value.details] == [field]


async def test_a_password_set_again_by_a_retry_is_set_once(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.access.set_password(with_retry(context, retry_key()), made.id, password(password="one of many"))
    again = await parts.access.set_password(with_retry(context, retry_key()), made.id, password(password="one of many"))
    assert again == first
    assert len(await parts.entries(tenant_id)) == 2


async def test_nobody_sets_the_password_of_who_is_above(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="admin", password="the old one")
    before = await hash_of(parts, tenant_id, made.id)
    with pytest.raises(InsufficientScope):
        await parts.access.set_password(key_context(tenant_id), made.id, password(password="correct horse"))
    other = key_context(other_tenant_id, scopes=ADMIN)
    with pytest.raises(UserNotFound):
        await parts.access.set_password(other, made.id, password(password="correct horse"))
    assert await hash_of(parts, tenant_id, made.id) == before
