"""Forcing the resets of many users on both stores: a link for each, and what that costs."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.bulk.schemas import BulkForceResetBody, BulkResetsForcedBody
from hellojohn_server.storage.sql import Statement
from tests.features.recorder import Recorder, recorded
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, UserParts, live, told

LIST_LINKS = Statement(
    "SELECT user_id FROM action_tokens WHERE tenant_id = :tenant_id AND purpose = 'password_reset' ORDER BY user_id"
)
LIST_MAILS = Statement("SELECT user_id, to_address, template FROM emails WHERE tenant_id = :tenant_id ORDER BY user_id")
ABSENT = "usr_" + "0" * 26


def bulk(*user_ids: str, **values: Any) -> BulkForceResetBody:
    return msgspec.convert({"user_ids": list(user_ids), **values}, BulkForceResetBody)


async def test_each_is_mailed_a_link(parts: UserParts, tenant_id: str) -> None:
    one, two, three = [await parts.make(tenant_id, f"u{n}@example.com") for n in range(3)]
    for user_id in (one.id, one.id, two.id, three.id):
        await parts.add_session(tenant_id, user_id)
    asked = bulk(two.id, one.id, two.id, reason="breach", revoke_sessions=True)
    answer = await parts.bulk.force_password_resets(key_context(tenant_id), asked)
    assert msgspec.to_builtins(answer) == {"emails_queued": 2, "sessions_revoked": 3}
    for user in (one, two):
        stored = await parts.stored(tenant_id, user.id)
        assert (stored.password_reset_required, stored.version, stored.generation) == (True, 2, 2)
        assert await live(parts, tenant_id, user.id) == 0
    assert await parts.users.get_user(tenant_id, three.id) == three
    assert await live(parts, tenant_id, three.id) == 1
    assert await parts.rows(tenant_id, LIST_LINKS) == sorted([(one.id,), (two.id,)])
    assert await parts.rows(tenant_id, LIST_MAILS) == sorted(
        (user.id, user.email, "password_reset_forced") for user in (one, two)
    )
    changes = {"password_reset_required": (False, True)}
    counts = {"requested": 2, "emails_queued": 2, "sessions_revoked": 3}
    assert told(await parts.entries(tenant_id))[3:] == [
        ("user.password_reset_forced", two.id, "breach", changes, {"required": True, "sessions_revoked": 1}),
        ("user.password_reset_forced", one.id, "breach", changes, {"required": True, "sessions_revoked": 2}),
        (
            "users.bulk_password_reset_forced",
            None,
            None,
            {},
            {**counts, "unchanged": 0, "not_found": 0, "refused": 0},
        ),
    ]


async def test_each_is_judged_alone(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    member = await parts.make(tenant_id)
    required = await parts.make(tenant_id, "b@example.com", state_password_reset_required=True)
    binned = await parts.make(tenant_id, "c@example.com", state_deleted_at=1)
    last = await parts.make(tenant_id, "d@example.com", role="super_admin")
    foreign = await parts.make(other_tenant_id)
    asked = bulk(ABSENT, last.id, "x", binned.id, foreign.id, required.id, member.id, require=False)
    answer = await parts.bulk.force_password_resets(key_context(tenant_id), asked)
    assert msgspec.to_builtins(answer) == {
        "emails_queued": 2,
        "sessions_revoked": 0,
        "not_found": [ABSENT, "x", foreign.id],
        "refused": [{"id": last.id, "code": "insufficient_scope"}, {"id": binned.id, "code": "user_deleted"}],
    }
    answer = await parts.bulk.force_password_resets(key_context(tenant_id, scopes=ADMIN), bulk(last.id))
    assert msgspec.to_builtins(answer) == {"emails_queued": 1, "sessions_revoked": 0}
    facts = [(await parts.stored(tenant_id, user.id)).password_reset_required for user in (member, required, last)]
    assert facts == [False, True, True]
    assert await parts.rows(other_tenant_id, LIST_MAILS) == []


async def statements(
    parts: UserParts, tenant_id: str, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[BulkResetsForcedBody, Recorder]:
    """Return what a call answered, and a recorder of what it ran."""
    context = key_context(tenant_id, scopes=ADMIN)
    with recorded(parts.database, monkeypatch) as transactions:
        answer = await parts.bulk.force_password_resets(context, bulk(*ids, revoke_sessions=True))
    return answer, transactions[-1]


async def test_two_hundred_with_three_sessions_each_cost_ten_statements(
    parts: UserParts, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [user.id for user in await asyncio.gather(*(parts.make(tenant_id, f"u{n}@example.com") for n in range(200)))]
    for user_id in ids:
        for _ in range(3):
            await parts.add_session(tenant_id, user_id)
    answer, two = await statements(parts, tenant_id, ids[:2], monkeypatch)
    assert msgspec.to_builtins(answer) == {"emails_queued": 2, "sessions_revoked": 6}
    answer, many = await statements(parts, tenant_id, ids, monkeypatch)
    assert msgspec.to_builtins(answer) == {"emails_queued": 200, "sessions_revoked": 594}
    assert len(many.ran) == len(two.ran) <= 10
    assert many.slices >= 3
    assert len(await parts.rows(tenant_id, LIST_LINKS)) == 200
    assert len(await parts.rows(tenant_id, LIST_MAILS)) == 202
