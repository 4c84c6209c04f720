"""Each bulk call on both stores: what it changes, ends, answers and records, and what it costs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.bulk.schemas import BulkActBody, BulkBanBody, BulkDisableBody
from hellojohn_server.features.sessions.repository import insert_sessions
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Exempt, Transaction
from tests.conftest import START_MS
from tests.features.recorder import recorded
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, SET, UserParts, live, told

Answer = dict[str, Any]
Call = Callable[[UserParts, Context, list[str]], Awaitable[Any]]
REASON = "a wave of spam"


def body(ids: list[str]) -> BulkActBody:
    return BulkActBody(user_ids=ids, reason=REASON)


class Form(msgspec.Struct, frozen=True):
    """A bulk call: what it is, the state that users are in before and after, and what it says of itself."""

    call: Call
    counted: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    type: str
    changes: dict[str, Any] = {}
    ends_sessions: bool = False
    generation: int = 1
    version: int = 2


BANNED = {"banned_at": 1, "ban_reason": "x"}
DELETED = {"deleted_at": 1}
FORMS: dict[str, Form] = {
    "ban": Form(
        lambda parts, context, ids: parts.bulk.ban_users(context, BulkBanBody(user_ids=ids, reason=REASON)),
        *("banned", {}, {"banned_at": START_MS, "ban_reason": REASON}, "banned", {"banned": (False, True)}),
        ends_sessions=True,
        generation=2,
    ),
    "delete": Form(
        lambda parts, context, ids: parts.bulk.delete_users(context, body(ids)),
        *("deleted", {}, {"deleted_at": START_MS, "deleted_reason": REASON}, "deleted", {"deleted": (False, True)}),
        ends_sessions=True,
        generation=2,
    ),
    "disable": Form(
        lambda parts, context, ids: parts.bulk.disable_users(context, BulkDisableBody(user_ids=ids, reason=REASON)),
        *("disabled", {}, {"disabled": True, "disabled_reason": REASON}, "disabled", {"disabled": (False, True)}),
        ends_sessions=True,
        generation=2,
    ),
    "enable": Form(
        lambda parts, context, ids: parts.bulk.enable_users(context, body(ids)),
        *("enabled", {"disabled": True}, {"disabled": False}, "enabled", {"disabled": (True, False)}),
    ),
    "restore": Form(
        lambda parts, context, ids: parts.bulk.restore_users(context, body(ids)),
        *("restored", DELETED, dict.fromkeys(DELETED), "restored", {"deleted": (True, False)}),
    ),
    "revoke": Form(
        lambda parts, context, ids: parts.bulk.revoke_sessions(context, body(ids)),
        *(None, {}, {}, "sessions_revoked"),
        ends_sessions=True,
        generation=2,
        version=1,
    ),
    "unban": Form(
        lambda parts, context, ids: parts.bulk.unban_users(context, body(ids)),
        *("unbanned", BANNED, dict.fromkeys(BANNED), "unbanned", {"banned": (True, False)}),
    ),
}


async def make_users(parts: UserParts, tenant_id: str, form: Form, count: int, sessions: int = 0) -> list[str]:
    """Make users in the state before, with so many live sessions each."""
    ids: list[str] = []
    for first in range(0, count, 100):
        some = range(first, min(first + 100, count))
        made = await asyncio.gather(*(parts.make(tenant_id, f"u{n}@example.com") for n in some))
        ids += [user.id for user in made]
    rows = [
        Session(parts.ids.new(IdPrefix.SESSION), user_id, START_MS, START_MS + 86_400_000, START_MS + 900_000)
        for user_id in ids
        for _ in range(sessions)
    ]

    async def prepare(tx: Transaction) -> None:
        await insert_sessions(tx, rows)
        for field, value in form.before.items():
            await tx.execute_many(SET[field], [{"user_id": user_id, "value": value} for user_id in ids])

    await parts.database.write(tenant_id, prepare, type(None), exempt=Exempt.HOUSEKEEPING)
    await parts.counters.rebuild_counters(tenant_id)
    return ids


def expected(form: Form, changed: int, sessions: int, **left: Any) -> Answer:
    """Return what the call answers."""
    counts = {} if form.counted is None else {form.counted: changed}
    return {**counts, **({"sessions_revoked": sessions} if form.ends_sessions else {}), **left}


@pytest.mark.parametrize("name", sorted(FORMS))
async def test_what_a_call_does(parts: UserParts, tenant_id: str, other_tenant_id: str, name: str) -> None:
    form = FORMS[name]
    one, two = await make_users(parts, tenant_id, form, 2, sessions=2)
    foreign = await parts.make(other_tenant_id)
    admin = await parts.make(tenant_id, "admin@example.com", role="admin")
    await parts.put(tenant_id, admin.id, **form.before)
    await parts.counters.rebuild_counters(tenant_id)
    context = key_context(tenant_id)
    before = len(await parts.entries(tenant_id))

    answer = await form.call(parts, context, [two, one, foreign.id, "x", two, admin.id])

    refused = [{"id": admin.id, "code": "insufficient_scope"}]
    left = {"not_found": [foreign.id, "x"], "refused": refused}
    ended = 4 if form.ends_sessions else 0
    assert msgspec.to_builtins(answer) == expected(form, 2, ended, **left)
    for user_id in (one, two):
        stored = msgspec.structs.asdict(await parts.stored(tenant_id, user_id))
        assert {field: stored[field] for field in form.after} == form.after
        assert (stored["version"], stored["generation"]) == (form.version, form.generation)
        assert await live(parts, tenant_id, user_id) == (0 if form.ends_sessions else 2)
    assert (await parts.stored(tenant_id, admin.id)).version == 1
    assert await parts.users.get_user(other_tenant_id, foreign.id) == foreign
    metadata = {"sessions_revoked": 2} if form.ends_sessions else {}
    counts = expected(form, 2, ended, requested=5, unchanged=0, not_found=2, refused=1)
    assert told(await parts.entries(tenant_id))[before:] == [
        *((f"user.{form.type}", user_id, REASON, form.changes, metadata) for user_id in (two, one)),
        (f"users.bulk_{form.type}", None, None, {}, counts),
    ]
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)

    again = await form.call(parts, context, [one, two])
    assert msgspec.to_builtins(again) == expected(form, 0, 0, unchanged=2)
    kinds = [entry.type for entry in await parts.entries(tenant_id)][before + 3 :]
    assert kinds == [f"users.bulk_{form.type}"]


@pytest.mark.parametrize("name", sorted(FORMS.keys() - {"delete", "restore"}))
async def test_who_is_in_the_recycle_bin_is_refused(parts: UserParts, tenant_id: str, name: str) -> None:
    made = await parts.make(tenant_id, state_deleted_at=1)
    answer = await FORMS[name].call(parts, key_context(tenant_id), [made.id])
    assert [(refusal.id, refusal.code.value) for refusal in answer.refused] == [(made.id, "user_deleted")]


async def test_a_ban_in_the_past_bans_nobody(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    past = msgspec.convert({"user_ids": [made.id], "expires_at": "2020-01-01T00:00:00Z"}, BulkBanBody)
    with pytest.raises(Invalid):
        await parts.bulk.ban_users(key_context(tenant_id), past)
    assert await parts.users.get_user(tenant_id, made.id) == made


@pytest.mark.parametrize("name", sorted(FORMS))
async def test_200_users_with_3_sessions_each_cost_at_most_10_statements(
    parts: UserParts, tenant_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = FORMS[name]
    ids = await make_users(parts, tenant_id, form, 200, sessions=3)
    with recorded(parts.database, monkeypatch) as transactions:
        answer = await form.call(parts, key_context(tenant_id, scopes=ADMIN), ids)
    assert msgspec.to_builtins(answer) == expected(form, 200, 600)
    [transaction] = transactions
    assert len(transaction.ran) <= 10
    assert transaction.slices >= 1
    recorded_acts = await parts.reader.list_entries(tenant_id, ListAuditQuery(type=f"user.{form.type}"))
    assert recorded_acts.pagination.total == 200
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_other_requests_are_answered_in_the_midst_of_a_call_on_1000_users(
    parts: UserParts, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = FORMS["delete"]
    ids = await make_users(parts, tenant_id, form, 1000, sessions=1)
    bystander = await parts.make(tenant_id)
    done_at_answers: list[int] = []
    with recorded(parts.database, monkeypatch) as transactions:
        call = asyncio.ensure_future(form.call(parts, key_context(tenant_id), ids))
        while not call.done():
            assert await parts.users.get_user(tenant_id, bystander.id) == bystander
            done_at_answers += [len(transaction.ran) for transaction in transactions]
            await asyncio.sleep(0)
    [transaction] = transactions
    assert any(0 < done < len(transaction.ran) for done in done_at_answers)
    assert msgspec.to_builtins(await call) == expected(form, 1000, 1000)
