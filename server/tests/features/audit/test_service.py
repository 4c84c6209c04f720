"""The audit log over both stores: what an entry holds, who sees it, and what is written once."""

import asyncio
from collections.abc import Callable

import pytest

from hellojohn_server.features.audit.errors import AuditLogNotFound
from hellojohn_server.features.audit.events import Event, Part, PartState
from hellojohn_server.features.audit.schemas import CreateAuditEntryBody, ListAuditQuery
from hellojohn_server.kit.audit_types import AuditResult, AuditType, ResourceType
from hellojohn_server.kit.errors import CredentialNotAllowed, InsufficientScope
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context, OnBehalfOf, cli_context, system_context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import ManualClock, OpenDatabase
from tests.features.tenants.parts import Parts, key_context, master_context, retry_key

DESTROY = Statement(
    "DELETE FROM audit_values WHERE tenant_id = :tenant_id AND subject_id = :subject_id", kind=Kind.BOOKKEEPING
)
TAMPER = Statement(
    """
    UPDATE audit_values SET document = :document
    WHERE tenant_id = :tenant_id AND entry_id = :entry_id AND part = :part
    """,
    kind=Kind.BOOKKEEPING,
)


@pytest.fixture
def parts(database: Database, ids: IdFactory, clock: ManualClock) -> Parts:
    return Parts(database, ids, clock)


async def record(parts: Parts, context: Context, *events: Event) -> list[str]:
    async def command(tx: Transaction) -> list[str]:
        return await parts.log.record_many(tx, context, events)

    return await parts.database.write(context.tenant_id, command, list[str])


async def test_an_entry_is_shown_whole(parts: Parts, tenant_id: str) -> None:
    event = Event(
        AuditType.USER_DISABLED,
        resource_id="usr_1",
        resource_type=ResourceType.USER,
        organization_id="org_1",
        reason="left the company",
        changes={"disabled": (False, True), "name": ("Zoë", None)},
        metadata={"n": 1},
    )
    [entry_id] = await record(parts, key_context(tenant_id), event)
    shown = await parts.reader.require_entry(tenant_id, entry_id)

    assert shown.id == entry_id
    assert shown.type == "user.disabled"
    assert shown.source == "builtin"
    assert (shown.actor.id, shown.actor.type, shown.actor.name) == (
        "key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
        "api_key",
        "backend",
    )
    assert shown.actor.asserted == "dana@example.com"
    assert shown.on_behalf_of is None
    assert shown.resource is not None
    assert (shown.resource.id, shown.resource.type) == ("usr_1", "user")
    assert shown.tenant_id == tenant_id
    assert shown.organization_id == "org_1"
    assert (shown.ip_address, shown.user_agent, shown.request_id) == ("192.0.2.7", "curl/8", "req_test")
    assert (shown.result, shown.reason, shown.impersonated) == ("success", "left the company", False)
    assert shown.changes == {"disabled": (False, True), "name": ("Zoë", None)}
    assert shown.metadata == {"n": 1}
    assert shown.personal_data_erased is False
    assert shown.created_at == "2026-09-21T14:13:20.000Z"


@pytest.mark.parametrize(("make", "actor_type"), [(cli_context, "cli"), (system_context, "system")])
async def test_our_own_commands_and_worker_are_named(
    parts: Parts, tenant_id: str, make: Callable[[str, str], Context], actor_type: str
) -> None:
    [entry_id] = await record(parts, make("req_1", tenant_id), Event("user.updated"))
    assert (await parts.reader.require_entry(tenant_id, entry_id)).actor.type == actor_type


async def test_an_impersonation_names_both(parts: Parts, tenant_id: str) -> None:
    plain = key_context(tenant_id)
    context = Context(plain.principal, "req_1", on_behalf_of=OnBehalfOf("usr_9"))
    [entry_id] = await record(parts, context, Event("user.updated", resource_id="usr_9"))
    shown = await parts.reader.require_entry(tenant_id, entry_id)
    assert shown.impersonated is True
    assert shown.actor.id == plain.principal.id
    assert shown.on_behalf_of is not None
    assert (shown.on_behalf_of.id, shown.on_behalf_of.type) == ("usr_9", "user")


async def test_another_tenant_sees_nothing(parts: Parts, tenant_id: str, other_tenant_id: str) -> None:
    [entry_id] = await record(parts, key_context(tenant_id), Event("user.updated", resource_id="usr_1"))
    with pytest.raises(AuditLogNotFound):
        await parts.reader.require_entry(other_tenant_id, entry_id)
    page = await parts.reader.list_entries(other_tenant_id, ListAuditQuery(user_id="usr_1"))
    assert (page.rows, page.pagination.total) == ([], 0)


async def test_a_thousand_entries_are_one_command(parts: Parts, tenant_id: str) -> None:
    events = [
        Event("user.disabled", resource_id=f"usr_{n:04}", changes={"disabled": (False, True)}) for n in range(1000)
    ]
    made = await record(parts, key_context(tenant_id), *events)
    assert made == sorted(made)
    page = await parts.reader.list_entries(tenant_id, ListAuditQuery(limit=200))
    assert page.pagination.total == 1000
    assert [row.resource.id for row in page.rows if row.resource] == [f"usr_{n:04}" for n in range(999, 799, -1)]


async def test_side_rows_are_bound_to_the_core(parts: Parts, tenant_id: str) -> None:
    event = Event("user.updated", resource_id="usr_1", reason="r", changes={"name": ("Ann", "Bo")})
    entry_ids = await record(parts, key_context(tenant_id), event, event)
    intact = {Part.ACTOR: PartState.INTACT, Part.RESOURCE: PartState.INTACT}
    assert await parts.reader.verify_entry(tenant_id, entry_ids[0]) == intact

    async def tamper(tx: Transaction) -> int:
        return await tx.execute(TAMPER, entry_id=entry_ids[1], part="resource", document='{"changes":{}}')

    await parts.database.write(tenant_id, tamper, int)
    assert await parts.reader.verify_entry(tenant_id, entry_ids[0]) == intact
    altered = {Part.ACTOR: PartState.INTACT, Part.RESOURCE: PartState.ALTERED}
    assert await parts.reader.verify_entry(tenant_id, entry_ids[1]) == altered


async def test_destroying_a_persons_values_leaves_the_core(parts: Parts, tenant_id: str) -> None:
    event = Event("user.updated", resource_id="usr_1", reason="r", changes={"name": ("Ann", "Bo")}, metadata={"a": 1})
    [entry_id] = await record(parts, key_context(tenant_id), event)
    before = await parts.reader.require_entry(tenant_id, entry_id)

    async def destroy(tx: Transaction) -> int:
        return await tx.execute(DESTROY, subject_id="usr_1")

    assert await parts.database.write(tenant_id, destroy, int) == 1
    [after] = await parts.entries(tenant_id, user_id="usr_1")
    assert after.personal_data_erased is True
    assert (after.reason, after.changes, after.metadata) == (None, None, None)
    assert (after.actor, after.resource, after.created_at) == (before.actor, before.resource, before.created_at)
    states = await parts.reader.verify_entry(tenant_id, entry_id)
    assert states == {Part.ACTOR: PartState.INTACT, Part.RESOURCE: PartState.DESTROYED}

    async def destroy_actor(tx: Transaction) -> int:
        return await tx.execute(DESTROY, subject_id=before.actor.id)

    await parts.database.write(tenant_id, destroy_actor, int)
    bare = await parts.reader.require_entry(tenant_id, entry_id)
    assert (bare.actor.name, bare.ip_address, bare.user_agent) == (None, None, None)


async def test_denials_of_a_minute_are_one_entry(parts: Parts, tenant_id: str, clock: ManualClock) -> None:
    context = key_context(tenant_id, scopes=("users:read",))
    error = InsufficientScope([Scope.USERS_WRITE])
    for _ in range(3):
        await parts.log.record_denied(parts.database, context, "create_user", error)
    await parts.log.record_denied(parts.database, context, "delete_user", CredentialNotAllowed())
    clock.advance(60)
    await parts.log.record_denied(parts.database, context, "create_user", error)

    first, other, later = await parts.entries(tenant_id, type="operation.denied")
    assert (first.result, first.resource) == ("denied", other.resource.__class__("create_user", "operation"))
    assert first.metadata == {
        "operation": "create_user",
        "code": "insufficient_scope",
        "missing_scopes": ["users:write"],
        "denials": 3,
    }
    assert other.metadata is not None
    assert (other.metadata["code"], other.metadata["denials"]) == ("credential_not_allowed", 1)
    assert later.metadata is not None
    assert later.metadata["denials"] == 1


async def test_denials_at_once_are_one_entry(
    parts: Parts, tenant_id: str, open_database: OpenDatabase, ids: IdFactory
) -> None:
    other = await open_database()
    context = key_context(tenant_id)
    error = InsufficientScope([Scope.ADMINS_MANAGE])
    await asyncio.gather(
        *(parts.log.record_denied(database, context, "create_user", error) for database in [parts.database, other] * 8)
    )
    await other.close()
    [entry] = await parts.entries(tenant_id)
    assert entry.metadata is not None
    assert entry.metadata["denials"] == 16


async def test_a_master_keys_denials_go_to_the_control_store(parts: Parts, tenant_id: str) -> None:
    await parts.log.record_denied(parts.database, master_context(), "list_users", CredentialNotAllowed())
    [entry] = await parts.entries(CONTROL_TENANT_ID)
    assert (entry.type, entry.actor.type) == ("operation.denied", "master_key")
    assert await parts.entries(tenant_id) == []


async def test_a_custom_entry_names_its_credential(parts: Parts, tenant_id: str, ids: IdFactory) -> None:
    user_id = ids.new(IdPrefix.USER)
    body = CreateAuditEntryBody(
        action="user.suspended", actor="admin", resource_id=user_id, metadata={"reason": "abuse"}
    )
    made = await parts.custom.create_entry(key_context(tenant_id), body)
    assert (made.type, made.source, made.result) == ("user.suspended", "custom", AuditResult.SUCCESS)
    assert (made.actor.id, made.actor.type) == ("key_01HZZZZZZZZZZZZZZZZZZZZZZZ", "api_key")
    assert made.metadata == {"reason": "abuse", "claimed_actor": "admin"}
    assert made.resource is not None
    assert (made.resource.id, made.resource.type) == (user_id, "user")
    assert await parts.entries(tenant_id) == [made]


async def test_a_retried_custom_entry_is_written_once(parts: Parts, tenant_id: str) -> None:
    body = CreateAuditEntryBody(action="invoice.sent")

    async def create() -> str:
        context = key_context(tenant_id, idempotency=retry_key())
        return (await parts.custom.create_entry(context, body)).id

    made = await asyncio.gather(*(create() for _ in range(16)))
    assert len(set(made)) == 1
    assert [entry.id for entry in await parts.entries(tenant_id)] == [made[0]]
