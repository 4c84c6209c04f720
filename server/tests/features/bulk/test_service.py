"""Disabling many users at once on both stores: who is disabled, who is left alone and why, and what it costs."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.bulk.schemas import BulkDisableBody, BulkDisabledBody
from hellojohn_server.kit.ids import IdPrefix
from tests.features.recorder import Recorder, recorded
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, UserParts, change, live, told, with_retry

ENTRIES_IN_PARTS = 2 * 3
"""The audit log writes 1,000 entries and their values in four parts, so that reads go on between them."""
ABSENT = "usr_" + "0" * 26


def bulk(*user_ids: str, **values: Any) -> BulkDisableBody:
    return msgspec.convert({"user_ids": list(user_ids), **values}, BulkDisableBody)


async def test_users_and_their_sessions(parts: UserParts, tenant_id: str) -> None:
    one, two, three = [await parts.make(tenant_id, f"u{n}@example.com") for n in range(3)]
    for user_id in (one.id, one.id, two.id, three.id):
        await parts.add_session(tenant_id, user_id)
    parts.clock.advance(60)
    answer = await parts.bulk.disable_users(key_context(tenant_id), bulk(two.id, one.id, two.id, reason="breach"))

    assert msgspec.to_builtins(answer) == {"disabled": 2, "sessions_revoked": 3}
    for user in (one, two):
        shown = msgspec.to_builtins(await parts.users.get_user(tenant_id, user.id))
        assert shown == {
            **msgspec.to_builtins(user),
            "disabled": True,
            "disabled_reason": "breach",
            "status": "disabled",
            "version": 2,
            "updated_at": "2026-09-21T14:14:20.000Z",
        }
        stored = await parts.stored(tenant_id, user.id)
        assert (stored.generation, stored.disabled_by) == (2, "key_01HZZZZZZZZZZZZZZZZZZZZZZZ")
        assert await live(parts, tenant_id, user.id) == 0
    assert await parts.users.get_user(tenant_id, three.id) == three
    assert await live(parts, tenant_id, three.id) == 1
    counts = {"requested": 2, "disabled": 2, "sessions_revoked": 3, "unchanged": 0, "not_found": 0, "refused": 0}
    assert told(await parts.entries(tenant_id))[3:] == [
        ("user.disabled", two.id, "breach", {"disabled": (False, True)}, {"sessions_revoked": 1}),
        ("user.disabled", one.id, "breach", {"disabled": (False, True)}, {"sessions_revoked": 2}),
        ("users.bulk_disabled", None, None, {}, counts),
    ]
    assert await parts.counted(tenant_id) == {"total": 3, "role:member": 3, "disabled": 2}


async def test_sessions_may_be_left_to_rest(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answer = await parts.bulk.disable_users(context, bulk(made.id, revoke_sessions=False))
    assert msgspec.to_builtins(answer) == {"disabled": 1, "sessions_revoked": 0}
    assert await live(parts, tenant_id, made.id) == 1
    answer = await parts.bulk.disable_users(context, bulk(made.id))
    assert msgspec.to_builtins(answer) == {"disabled": 0, "sessions_revoked": 1, "unchanged": 1}
    assert await live(parts, tenant_id, made.id) == 0
    answer = await parts.bulk.disable_users(context, bulk(made.id))
    assert msgspec.to_builtins(answer) == {"disabled": 0, "sessions_revoked": 0, "unchanged": 1}
    assert (await parts.users.get_user(tenant_id, made.id)).version == 2
    assert [entry[0] for entry in told(await parts.entries(tenant_id))] == [
        *("user.created", "user.disabled", "users.bulk_disabled"),
        *("user.disabled", "users.bulk_disabled"),
        "users.bulk_disabled",
    ]


async def test_each_is_judged_alone(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    member = await parts.make(tenant_id)
    disabled = await parts.make(tenant_id, "b@example.com", state_disabled=True)
    binned = await parts.make(tenant_id, "c@example.com", state_deleted_at=1)
    admin = await parts.make(tenant_id, "d@example.com", role="admin")
    owner = await parts.make(tenant_id, "e@example.com", role="owner")
    last = await parts.make(tenant_id, "f@example.com", role="super_admin")
    foreign = await parts.make(other_tenant_id)
    asked = bulk(ABSENT, last.id, "x", owner.id, admin.id, binned.id, foreign.id, disabled.id, member.id, "x")

    answer = await parts.bulk.disable_users(key_context(tenant_id), asked)
    assert msgspec.to_builtins(answer) == {
        "disabled": 1,
        "sessions_revoked": 0,
        "unchanged": 1,
        "not_found": [ABSENT, "x", foreign.id],
        "refused": [
            {"id": last.id, "code": "insufficient_scope"},
            {"id": owner.id, "code": "insufficient_scope"},
            {"id": admin.id, "code": "insufficient_scope"},
            {"id": binned.id, "code": "user_deleted"},
        ],
    }
    answer = await parts.bulk.disable_users(key_context(tenant_id, scopes=ADMIN), asked)
    assert msgspec.to_builtins(answer) == {
        "disabled": 2,
        "sessions_revoked": 0,
        "unchanged": 2,
        "not_found": [ABSENT, "x", foreign.id],
        "refused": [{"id": last.id, "code": "last_super_admin"}, {"id": binned.id, "code": "user_deleted"}],
    }
    assert await parts.users.get_user(other_tenant_id, foreign.id) == foreign
    assert [entry.type for entry in await parts.entries(other_tenant_id)] == ["user.created"]


async def test_the_last_super_admin_in_the_order_given_stays(parts: UserParts, tenant_id: str) -> None:
    made = [await parts.make(tenant_id, f"a{n}@example.com", role="super_admin") for n in range(3)]
    ids = [made[1].id, made[2].id, made[0].id]
    answer = await parts.bulk.disable_users(key_context(tenant_id, scopes=ADMIN), bulk(*ids))
    assert msgspec.to_builtins(answer) == {
        "disabled": 2,
        "sessions_revoked": 0,
        "refused": [{"id": made[0].id, "code": "last_super_admin"}],
    }


async def test_of_all_super_admins_removed_from_every_side_at_once_one_stays(parts: UserParts, tenant_id: str) -> None:
    context = key_context(tenant_id, scopes=ADMIN)
    ids = [(await parts.make(tenant_id, f"a{n}@example.com", role="super_admin")).id for n in range(16)]
    await asyncio.gather(
        *(parts.bulk.disable_users(context, bulk(*ids[n:], *ids[:n])) for n in range(8)),
        *(parts.users.update_user(context, user_id, change(disabled=True)) for user_id in ids[:8]),
        return_exceptions=True,
    )
    active = [user_id for user_id in ids if not (await parts.stored(tenant_id, user_id)).disabled]
    assert len(active) == 1
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_calls_at_once_count_each_user_once(parts: UserParts, tenant_id: str) -> None:
    ids = [(await parts.make(tenant_id, f"u{n}@example.com")).id for n in range(20)]
    for user_id in ids:
        await parts.add_session(tenant_id, user_id)
    context = key_context(tenant_id)
    answers = await asyncio.gather(
        *(parts.bulk.disable_users(context, bulk(*(ids if n % 2 else reversed(ids)))) for n in range(16))
    )
    assert sum(answer.disabled for answer in answers) == 20
    assert sum(answer.sessions_revoked for answer in answers) == 20
    kinds = [entry.type for entry in await parts.entries(tenant_id, type="user.disabled")]
    assert len(kinds) == 20
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_a_retry_is_answered_as_the_first_time(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.bulk.disable_users(with_retry(context, retry_key()), bulk(made.id))
    again = await parts.bulk.disable_users(with_retry(context, retry_key()), bulk(made.id))
    assert again == first == BulkDisabledBody(disabled=1, sessions_revoked=0)
    assert len(await parts.entries(tenant_id)) == 3


async def statements(
    parts: UserParts, tenant_id: str, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[BulkDisabledBody, Recorder]:
    """Return what a call answered, and a recorder of what it ran."""
    with recorded(parts.database, monkeypatch) as transactions:
        answer = await parts.bulk.disable_users(key_context(tenant_id, scopes=ADMIN), bulk(*ids))
    return answer, transactions[-1]


async def test_a_thousand_cost_no_more_statements_than_two(
    parts: UserParts, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    ids = []
    for batch in range(10):
        made = await asyncio.gather(
            *(parts.make(tenant_id, f"u{batch}-{n}@example.com", role="owner") for n in range(100))
        )
        ids += [user.id for user in made]
    answer, two = await statements(parts, tenant_id, ids[:2], monkeypatch)
    assert answer.disabled == 2
    assert len(two.ran) <= 10
    answer, many = await statements(parts, tenant_id, [*ids[2:], parts.ids.new(IdPrefix.USER)], monkeypatch)
    assert (answer.disabled, len(answer.not_found)) == (998, 1)
    assert set(many.ran) == set(two.ran)
    assert len(many.ran) == len(two.ran) + ENTRIES_IN_PARTS
    assert many.slices >= 3
    assert (await parts.recounted(tenant_id))["disabled"] == 1000
