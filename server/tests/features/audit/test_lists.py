"""Lists of audit entries: every filter and pair of filters against a plain model, pages, totals, and query plans."""

import random
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from hellojohn_server.features.audit import repository
from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.kit.audit_types import AuditResult
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.pagination import COUNT_CAP, InvalidCursor
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, OnBehalfOf, Principal
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.conftest import START_MS, ManualClock
from tests.features.tenants.parts import Parts, key_context

TYPES = (
    "user.updated",
    "user.disabled",
    "users.bulk_disabled",
    "user",
    "user.session.ended",
    "usera.x",
    "invoice.sent",
)
PEOPLE = ("usr_1", "usr_2", "usr_3")
ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1", None)


@pytest.fixture
def parts(database: Database, ids: IdFactory, clock: ManualClock) -> Parts:
    return Parts(database, ids, clock)


def some_context(choose: random.Random, tenant_id: str) -> Context:
    kind = choose.choice([ActorType.API_KEY, ActorType.USER, ActorType.CLI])
    actor_id = choose.choice(PEOPLE) if kind is ActorType.USER else f"{kind.value}_1"
    return Context(
        Principal(CredentialKind.SECRET_KEY, kind, actor_id, "x", tenant_id),
        "req_1",
        ip_address=choose.choice(ADDRESSES),
        on_behalf_of=OnBehalfOf(choose.choice(PEOPLE)) if choose.random() < 0.2 else None,
    )


def some_event(choose: random.Random) -> Event:
    return Event(
        choose.choice(TYPES),
        resource_id=choose.choice([*PEOPLE, "key_1", None]),
        resource_type=choose.choice(["user", "api_key", None]),
        result=choose.choice(list(AuditResult)),
    )


async def fill(parts: Parts, clock: ManualClock, tenant_id: str, number: int) -> list[AuditEntryBody]:
    choose = random.Random(7)
    for _ in range(number):
        context, event = some_context(choose, tenant_id), some_event(choose)

        async def command(tx: Transaction, context: Context = context, event: Event = event) -> str:
            return await parts.log.record(tx, context, event)

        await parts.database.write(tenant_id, command, str)
        clock.advance(choose.choice([0, 0, 1]))
    return (await parts.entries(tenant_id))[::-1]


def behalf_id(entry: AuditEntryBody) -> str | None:
    return None if entry.on_behalf_of is None else entry.on_behalf_of.id


def resource_of(entry: AuditEntryBody) -> tuple[str | None, str | None]:
    return (None, None) if entry.resource is None else (entry.resource.id, entry.resource.type)


MODEL: dict[str, Any] = {
    "actor_id": lambda entry, value: value in {entry.actor.id, behalf_id(entry)},
    "user_id": lambda entry, value: value in {entry.actor.id, behalf_id(entry), resource_of(entry)[0]},
    "actor_type": lambda entry, value: entry.actor.type == value,
    "type": lambda entry, value: entry.type.startswith(value[:-1]) if value.endswith("*") else entry.type == value,
    "result": lambda entry, value: entry.result == value,
    "ip_address": lambda entry, value: entry.ip_address == value,
    "resource_id": lambda entry, value: resource_of(entry)[0] == value,
    "resource_type": lambda entry, value: resource_of(entry)[1] == value,
    "from": lambda entry, value: entry.created_at >= value,
    "to": lambda entry, value: entry.created_at < value,
}


def at(seconds: int) -> str:
    moment = datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


VALUES: dict[str, list[str]] = {
    "actor_id": ["usr_1", "api_key_1", "usr_nobody"],
    "user_id": ["usr_2", "usr_3"],
    "actor_type": ["user", "cli"],
    "type": ["user.disabled", "user.*", "user.session.*", "nothing.*"],
    "result": ["success", "denied"],
    "ip_address": ["192.0.2.1", "2001:db8::1"],
    "resource_id": ["usr_1", "key_1"],
    "resource_type": ["user"],
    "from": [at(10)],
    "to": [at(20)],
}
SINGLE = [{name: value} for name, values in VALUES.items() for value in values]
PAIRS = [{first: VALUES[first][-1], second: VALUES[second][0]} for first, second in combinations(VALUES, 2)]
ALL = [{name: values[0] for name, values in VALUES.items()}]


async def test_every_filter_and_pair_agrees_with_a_plain_model(
    parts: Parts, tenant_id: str, clock: ManualClock
) -> None:
    everything = await fill(parts, clock, tenant_id, 150)
    assert len(everything) == 150
    matched = 0
    for filters in [*SINGLE, *PAIRS, *ALL]:
        wanted = [entry for entry in everything if all(MODEL[name](entry, value) for name, value in filters.items())]
        page = await parts.reader.list_entries(tenant_id, msgspec.convert({**filters, "limit": 200}, ListAuditQuery))
        assert [row.id for row in page.rows] == [entry.id for entry in wanted], filters
        assert (page.pagination.total, page.pagination.total_is_exact) == (len(wanted), True), filters
        matched += len(wanted)
    assert matched > 500


@pytest.mark.parametrize(
    "filters", [{}, {"user_id": "usr_2"}, {"ip_address": "192.0.2.1"}, {"type": "user.*"}], ids=str
)
async def test_pages_neither_repeat_nor_skip(
    parts: Parts, tenant_id: str, clock: ManualClock, filters: dict[str, str]
) -> None:
    await fill(parts, clock, tenant_id, 60)
    whole = [entry.id for entry in (await parts.entries(tenant_id, **filters))[::-1]]
    seen: list[str] = []
    cursor = None
    while True:
        query = msgspec.convert({**filters, "limit": 7, "cursor": cursor}, ListAuditQuery)
        page = await parts.reader.list_entries(tenant_id, query)
        seen += [row.id for row in page.rows]
        assert page.pagination.total >= len(whole)
        assert page.pagination.has_more is (page.pagination.next_cursor is not None)
        cursor = page.pagination.next_cursor
        if cursor is None:
            break
        # New entries come before the pages still to be read, and change none of them.
        await fill_one(parts, tenant_id)
    assert seen == whole


async def fill_one(parts: Parts, tenant_id: str) -> None:
    async def command(tx: Transaction) -> str:
        return await parts.log.record(tx, key_context(tenant_id), Event("user.updated", resource_id="usr_2"))

    await parts.database.write(tenant_id, command, str)


async def test_a_cursor_serves_its_own_query_and_tenant(
    parts: Parts, tenant_id: str, other_tenant_id: str, clock: ManualClock
) -> None:
    await fill(parts, clock, tenant_id, 3)
    page = await parts.reader.list_entries(tenant_id, ListAuditQuery(limit=1))
    cursor = page.pagination.next_cursor
    assert cursor is not None
    assert len((await parts.reader.list_entries(tenant_id, ListAuditQuery(limit=2, cursor=cursor))).rows) == 2
    with pytest.raises(InvalidCursor):
        await parts.reader.list_entries(tenant_id, ListAuditQuery(cursor=cursor, type="user.*"))
    with pytest.raises(InvalidCursor):
        await parts.reader.list_entries(other_tenant_id, ListAuditQuery(cursor=cursor))
    with pytest.raises(InvalidCursor):
        await parts.reader.list_entries(tenant_id, ListAuditQuery(cursor=cursor[:-1] + "AB"[cursor.endswith("A")]))


async def test_the_total_is_exact_up_to_the_cap(parts: Parts, tenant_id: str) -> None:
    context = key_context(tenant_id)
    events = [Event("user.updated", resource_id="usr_1")] * 1000

    async def command(tx: Transaction) -> int:
        return len(await parts.log.record_many(tx, context, events))

    for _ in range(COUNT_CAP // 1000):
        await parts.database.write(tenant_id, command, int)
    for filters in ({}, {"user_id": "usr_1"}, {"type": "user.*"}, {"ip_address": "192.0.2.7"}):
        query = msgspec.convert(filters, ListAuditQuery)
        exact = (await parts.reader.list_entries(tenant_id, query)).pagination
        assert (exact.total, exact.total_is_exact) == (COUNT_CAP, True)
    await fill_one(parts, tenant_id)
    capped = (await parts.reader.list_entries(tenant_id, ListAuditQuery())).pagination
    assert (capped.total, capped.total_is_exact) == (COUNT_CAP, False)


INDEXES = {
    "user_id": {"audit_entries_actor", "audit_entries_on_behalf_of", "audit_entries_resource"},
    "actor_id": {"audit_entries_actor", "audit_entries_on_behalf_of"},
    "actor_type": {"audit_entries_actor_type"},
    "type": {"audit_entries_type"},
    "family": {"audit_entries_family"},
    "refusal": {"audit_entries_refused"},
    "ip_address": {"audit_values_ip_address"},
    "resource_id": {"audit_entries_resource"},
    "resource_type": {"audit_entries_resource_type"},
}


@pytest.fixture
async def empty_file(tmp_path: Path, clock: ManualClock, ids: IdFactory) -> AsyncIterator[apsw.Connection]:
    """A tenant's file without statistics, as the planner sees a new one."""
    tenant_id = ids.new(IdPrefix.TENANT)
    database = await SqliteDatabase.open(tmp_path, clock)
    await database.create_tenant(tenant_id)
    await Parts(database, ids, clock).entries(tenant_id)
    await database.close()
    connection = apsw.Connection(str(tmp_path / "tenants" / f"{tenant_id}.db"))
    yield connection
    connection.close()


def plan_of(connection: apsw.Connection, given: set[str], *, after: bool) -> list[str]:
    statement = repository._list_statement(frozenset(given), after=after)
    bindings = dict.fromkeys([*given, "tenant_id", "rows", "after"], "x")
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", bindings)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("given", INDEXES)
async def test_each_walk_goes_by_its_index_and_in_order(empty_file: apsw.Connection, given: str, after: bool) -> None:
    plan = plan_of(empty_file, {given}, after=after)
    walks = [step for step in plan if re.match(r"(SEARCH|SCAN) [ev] (?!LEFT)", step)]
    used = {match[1] for step in walks for match in [re.search(r"INDEX (audit_\w+) \(.+=\?", step)] if match}
    assert INDEXES[given] <= used, plan
    assert [step for step in walks if step.startswith("SCAN") or "USING" not in step] == []
    for number, _ in enumerate(INDEXES[given]):
        walk = plan[plan.index(f"CO-ROUTINE paged_{number}") : plan.index(f"SCAN paged_{number}")]
        assert not [step for step in walk if "TEMP B-TREE" in step], plan  # sorting would read every match first


@pytest.mark.parametrize("second", ["type", "family", "refusal", "resource_type", "actor_type"])
async def test_the_more_selective_filter_leads(empty_file: apsw.Connection, second: str) -> None:
    for first in ("resource_id", "ip_address", "actor_id"):
        plan = plan_of(empty_file, {first, second}, after=True)
        assert not [step for step in plan for index in INDEXES[second] if f"INDEX {index} " in step], plan
