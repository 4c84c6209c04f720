"""Many entries in one command: each as if it were alone, in a number of statements that hardly grows."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import pytest

from hellojohn_server.features.audit.events import (
    ActorValues,
    EntryCore,
    Event,
    Part,
    PartState,
    ResourceValues,
    SideRow,
    document_of,
    verify_side_rows,
)
from hellojohn_server.features.audit.service import AT_A_TIME
from hellojohn_server.kit.audit_types import AuditResult, AuditSource
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import (
    ActorType,
    Context,
    CredentialKind,
    OnBehalfOf,
    Principal,
    cli_context,
    system_context,
)
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.errors import UnauditedChange
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS, ManualClock
from tests.features.recorder import Recorder
from tests.features.tenants.parts import Parts, key_context

CORE = ", ".join(EntryCore.__struct_fields__)
SIDE = ", ".join(SideRow.__struct_fields__)
LIST_CORES = Statement(f"SELECT {CORE} FROM audit_entries WHERE tenant_id = :tenant_id ORDER BY id")
LIST_SIDES = Statement(f"SELECT {SIDE} FROM audit_values WHERE tenant_id = :tenant_id ORDER BY entry_id, part")
DESTROY = Statement(
    "DELETE FROM audit_values WHERE tenant_id = :tenant_id AND subject_id = :subject_id", kind=Kind.BOOKKEEPING
)
ADD_ORGANIZATION = Statement(
    """
    INSERT INTO organizations (tenant_id, id, name, created_at, updated_at, version)
    VALUES (:tenant_id, 'org_1', 'Acme', 1, 1, 1)
    """
)
COUNT_ORGANIZATIONS = Statement("SELECT count(*) FROM organizations WHERE tenant_id = :tenant_id")

TEXTS = [
    "",
    "plain",
    "Zoë",
    "\u2028\u200d",
    "日本語 🜚 👩‍🚀",
    "\"quoted\" \\ 'single' %s $1 :name",
    "\t\r\n\x01\x7f",
    "nul \x00",
]
VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**53,
    -(2**63),
    0.1,
    -0.0,
    1e300,
    *TEXTS,
    [],
    [None, [1, "a"]],
    {},
    {"a": {"ü": None}},
]
EVERYTHING = Event(
    "custom.everything",
    resource_id="ünïque \"id\" \\ 'of' $1 🜚",
    resource_type="kind",
    organization_id="org_1",
    result=AuditResult.FAILURE,
    source=AuditSource.CUSTOM,
    reason="".join(text for text in TEXTS if "\x00" not in text),
    changes={f"field {place}": (value, VALUES[-place]) for place, value in enumerate(VALUES)},
    metadata={"values": VALUES, **{text: text for text in TEXTS}},
)


@pytest.fixture
def parts(database: Any, ids: IdFactory, clock: ManualClock) -> Parts:
    return Parts(database, ids, clock)


def events_of(count: int) -> list[Event]:
    """Return `count` events, one with nothing in it, one with everything, and plain ones."""
    plain = [Event("user.updated", resource_id=f"usr_{n:04}", changes={"n": (n, None)}) for n in range(count)]
    return [Event("bare"), EVERYTHING, *plain][:count]


def sides_of(context: Context, event: Event) -> tuple[str, str]:
    """Return the documents of an entry: about who acted, about what was acted on."""
    actor = ActorValues(context.principal.name, context.asserted, context.ip_address, context.user_agent)
    return document_of(actor), document_of(ResourceValues(event.reason, event.changes, event.metadata))


async def record(parts: Parts, context: Context, events: Sequence[Event]) -> list[str]:
    async def command(tx: Transaction) -> list[str]:
        return await parts.log.record_many(tx, context, events)

    return await parts.database.write(context.tenant_id, command, list[str])


async def stored(parts: Parts, tenant_id: str) -> tuple[list[Row], list[SideRow]]:
    """Return the cores as they are read from their columns, by id, and the side rows in the same order."""

    async def query(reader: Reader) -> tuple[list[Row], list[SideRow]]:
        sides = [SideRow(row[0], Part(row[1]), *row[2:]) for row in await reader.fetch_all(LIST_SIDES)]
        return await reader.fetch_all(LIST_CORES), sides

    return await parts.database.read(tenant_id, query)


@pytest.mark.parametrize("count", [0, 1, 2, AT_A_TIME, AT_A_TIME + 1, 1000])
async def test_what_was_hashed_is_what_is_stored(
    parts: Parts, tenant_id: str, other_tenant_id: str, count: int
) -> None:
    context, events = key_context(tenant_id), events_of(count)
    made = await record(parts, context, events)
    cores, sides = await stored(parts, tenant_id)

    assert made == sorted(set(made))
    assert [row[0] for row in cores] == made
    assert len(sides) == 2 * count
    for place, (row, event) in enumerate(zip(cores, events, strict=True)):
        core = EntryCore(*row)
        assert (core.type, core.source, core.result) == (event.type, event.source, event.result)
        assert (core.resource_id, core.resource_type) == (event.resource_id, event.resource_type)
        assert (core.organization_id, core.created_at) == (event.organization_id, START_MS)
        actor, resource = sides[2 * place : 2 * place + 2]
        assert (actor.document, resource.document) == sides_of(context, event)
        assert (actor.subject_id, resource.subject_id) == (context.principal.id, event.resource_id)
        assert (actor.ip_address, resource.ip_address) == (context.ip_address, None)
        assert set(verify_side_rows(core, [actor, resource]).values()) == {PartState.INTACT}
    assert len({side.salt for side in sides}) == 2 * count
    assert await stored(parts, other_tenant_id) == ([], [])


def impersonating(tenant_id: str) -> Context:
    return msgspec.structs.replace(key_context(tenant_id), on_behalf_of=OnBehalfOf("usr_9"))


@pytest.mark.parametrize(
    "make",
    [key_context, impersonating, lambda tenant_id: cli_context("req_1", tenant_id)],
    ids=["key", "impersonating", "nothing known"],
)
async def test_an_entry_among_others_is_stored_as_one_alone(
    parts: Parts, tenant_id: str, make: Callable[[str], Context]
) -> None:
    events = events_of(3)
    for event in events:
        await record(parts, make(tenant_id), [event])
    await record(parts, make(tenant_id), events)

    cores, sides = await stored(parts, tenant_id)
    fields = EntryCore.__struct_fields__
    differs = {fields.index(name) for name in ("id", "actor_hash", "resource_hash")}
    shown = [[(type(value), value) for n, value in enumerate(row) if n not in differs] for row in cores]
    assert shown[3:] == shown[:3]
    bare = [(side.part, side.subject_id, side.document, side.ip_address, type(side.salt)) for side in sides]
    assert bare[6:] == bare[:6]


async def test_every_json_value_comes_back_as_it_was(parts: Parts, tenant_id: str) -> None:
    _, entry_id = await record(parts, key_context(tenant_id), events_of(2))
    shown = await parts.reader.require_entry(tenant_id, entry_id)
    assert shown.reason == EVERYTHING.reason
    assert shown.changes == EVERYTHING.changes
    assert shown.metadata == EVERYTHING.metadata
    assert shown.resource is not None
    assert shown.resource.id == EVERYTHING.resource_id
    assert (shown.result, shown.source, shown.impersonated) == ("failure", "custom", False)


@pytest.mark.parametrize(
    ("count", "statements", "slices"),
    [(0, 0, 0), (1, 2, 0), (2, 2, 0), (200, 2, 0), (AT_A_TIME, 2, 0), (AT_A_TIME + 1, 4, 1), (1000, 8, 3)],
)
async def test_hundreds_cost_no_more_statements_than_one(
    parts: Parts, tenant_id: str, count: int, statements: int, slices: int
) -> None:
    async def command(tx: Transaction) -> int:
        recorder = Recorder(tx)
        await parts.log.record_many(recorder, key_context(tenant_id), events_of(count))
        assert len(recorder.ran) == statements
        assert recorder.slices == slices
        ledger = cast("Any", tx).ledger
        assert (ledger.recorded, ledger.changed) == (count, 0)
        return count

    assert await parts.database.write(tenant_id, command, int) == count


@pytest.mark.parametrize("count", [0, 1, 2, AT_A_TIME + 1])
async def test_a_change_needs_an_entry_however_many_could_be_recorded(parts: Parts, tenant_id: str, count: int) -> None:
    async def command(tx: Transaction) -> list[str]:
        await tx.execute(ADD_ORGANIZATION)
        return await parts.log.record_many(tx, key_context(tenant_id), events_of(count))

    async def count_organizations(reader: Reader) -> int:
        return int((await reader.fetch_all(COUNT_ORGANIZATIONS))[0][0])

    if count:
        assert len(await parts.database.write(tenant_id, command, list[str])) == count
    else:
        with pytest.raises(UnauditedChange):
            await parts.database.write(tenant_id, command, list[str])
    assert await parts.database.read(tenant_id, count_organizations) == min(count, 1)


def publishable_context(tenant_id: str) -> Context:
    principal = Principal(
        CredentialKind.PUBLISHABLE_KEY, ActorType.API_KEY, "key_01HXXXXXXXXXXXXXXXXXXXXXXX", "web", tenant_id
    )
    return Context(principal, "req_1", ip_address="192.0.2.9", user_agent="Firefox")


async def erased_with(parts: Parts, tenant_id: str, subject_id: str) -> list[dict[Part, PartState]]:
    """Erase a subject and return what became of the sides of each entry, oldest first."""

    async def destroy(tx: Transaction) -> int:
        return await tx.execute(DESTROY, subject_id=subject_id)

    await parts.database.write(tenant_id, destroy, int)
    return [await parts.reader.verify_entry(tenant_id, entry.id) for entry in await parts.entries(tenant_id)]


async def test_behind_a_publishable_key_is_the_user_of_the_event(parts: Parts, tenant_id: str, ids: IdFactory) -> None:
    user_id, other_id = ids.new(IdPrefix.USER), ids.new(IdPrefix.USER)
    web = publishable_context(tenant_id)
    await record(parts, web, [Event("signed.up", resource_id=user_id)])
    others = [Event("signed.in", resource_id=resource_id) for resource_id in (user_id, other_id, "usr_x", None)]
    await record(parts, web, others)
    both = {Part.ACTOR: PartState.DESTROYED, Part.RESOURCE: PartState.DESTROYED}
    intact = {Part.ACTOR: PartState.INTACT, Part.RESOURCE: PartState.INTACT}

    states = await erased_with(parts, tenant_id, user_id)

    assert states == [both, both, intact, intact, intact]
    first, *_ = await parts.entries(tenant_id)
    assert (first.actor.id, first.actor.name) == (web.principal.id, None)
    assert (first.ip_address, first.user_agent) == (None, None)
    assert await parts.entries(tenant_id, ip_address="192.0.2.9") == (await parts.entries(tenant_id))[2:]
    _, _, other, malformed, none = await erased_with(parts, tenant_id, web.principal.id)
    assert other == intact
    assert malformed == none == {**intact, Part.ACTOR: PartState.DESTROYED}


@pytest.mark.parametrize("make", [key_context, lambda tenant_id: system_context("req_1", tenant_id)])
async def test_behind_any_other_credential_is_who_acted(
    parts: Parts, tenant_id: str, ids: IdFactory, make: Callable[[str], Context]
) -> None:
    user_id = ids.new(IdPrefix.USER)
    await record(parts, make(tenant_id), [Event("user.updated", resource_id=user_id)] * 2)
    about_user = {Part.ACTOR: PartState.INTACT, Part.RESOURCE: PartState.DESTROYED}
    assert await erased_with(parts, tenant_id, user_id) == [about_user, about_user]
