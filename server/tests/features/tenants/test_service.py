"""Tenants over both stores: their life, what a crash leaves, who is let in, and the exact entries."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.tenants.schemas import (
    CreateTenantBody,
    ListTenantsQuery,
    Tenant,
    TenantStatus,
    UpdateTenantBody,
)
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import IdempotencyKeyReused, Invalid, VersionMismatch
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.storage.database import Database, Reader, Transaction
from hellojohn_server.storage.errors import StoreUnavailable, TenantStoreNotFound
from tests.conftest import ManualClock, OpenDatabase
from tests.features.tenants.parts import Parts, key_context, master_context, retry_key

ACME = CreateTenantBody(name="Acme")


@pytest.fixture
def parts(database: Database, ids: IdFactory, clock: ManualClock) -> Parts:
    return Parts(database, ids, clock)


async def fill(parts: Parts, tenant_id: str) -> None:
    """Write something in the tenant's own store."""

    async def command(tx: Transaction) -> str:
        return await parts.log.record(tx, key_context(tenant_id), Event("store.probed"))

    await parts.database.write(tenant_id, command, str)


async def is_gone(parts: Parts, tenant_id: str) -> bool:
    """Say whether the tenant's store does not exist, or is empty where all tenants share one."""
    try:
        return await parts.entries(tenant_id) == []
    except TenantStoreNotFound:
        return True


def fail_at(monkeypatch: pytest.MonkeyPatch, parts: Parts, step: str) -> None:
    """Have a step of the store fail, as a crash at that moment would leave things."""

    async def fail(*_: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(parts.database, step, fail)


async def test_a_tenant_is_made_open_and_recorded(parts: Parts) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    assert (made.name, made.environment, made.status, made.version) == ("Acme", "live", "active", 1)
    assert await parts.tenants.require_open(made.id) == made
    await fill(parts, made.id)
    assert not await is_gone(parts, made.id)
    [entry] = await parts.entries()
    assert (entry.type, entry.actor.type, entry.tenant_id) == ("tenant.created", "master_key", CONTROL_TENANT_ID)
    assert entry.resource is not None
    assert (entry.resource.id, entry.resource.type) == (made.id, "tenant")
    assert entry.changes == {"name": (None, "Acme"), "environment": (None, "live")}


async def test_retries_at_once_make_one_tenant(parts: Parts) -> None:
    async def create() -> Tenant:
        return await parts.tenants.create_tenant(master_context(idempotency=retry_key()), ACME)

    made = await asyncio.gather(*(create() for _ in range(16)))
    assert set(made) == {made[0]}
    assert len(await parts.entries()) == 1
    with pytest.raises(IdempotencyKeyReused):
        await parts.tenants.create_tenant(master_context(idempotency=retry_key(b'{"other":1}')), ACME)


async def test_creations_at_once_each_have_a_store(parts: Parts) -> None:
    made = await asyncio.gather(*(parts.tenants.create_tenant(master_context(), ACME) for _ in range(16)))
    assert len({tenant.id for tenant in made}) == 16
    await asyncio.gather(*(fill(parts, tenant.id) for tenant in made))
    assert [len(await parts.entries(tenant.id)) for tenant in made] == [1] * 16


async def test_a_store_made_again_keeps_what_is_in_it(parts: Parts, open_database: OpenDatabase) -> None:
    """Two processes may finish one creation, and the first may have filled the store before the second comes."""
    beside = await open_database()
    made = await parts.tenants.create_tenant(master_context(), ACME)
    await fill(parts, made.id)
    await asyncio.gather(*(database.create_tenant(made.id) for database in [parts.database, beside] * 8))
    await fill(parts, made.id)
    assert len(await parts.entries(made.id)) == 2
    await beside.close()


async def test_a_retry_finishes_what_a_crash_left(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        fail_at(patched, parts, "create_tenant")
        with pytest.raises(StoreUnavailable):
            await parts.tenants.create_tenant(master_context(idempotency=retry_key()), ACME)
    [left] = (await parts.tenants.list_tenants(ListTenantsQuery())).rows
    assert left.status is TenantStatus.CREATING
    with pytest.raises(TenantNotFound):
        await parts.tenants.require_open(left.id)

    made = await parts.tenants.create_tenant(master_context(idempotency=retry_key()), ACME)
    assert (made.id, made.status) == (left.id, "active")
    await fill(parts, made.id)
    assert len(await parts.entries()) == 1


async def test_what_a_crash_left_is_finished_at_start(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        fail_at(patched, parts, "create_tenant")
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await parts.tenants.create_tenant(master_context(), ACME)
    assert await parts.tenants.resume_creating() == 3
    assert await parts.tenants.resume_creating() == 0
    tenants = (await parts.tenants.list_tenants(ListTenantsQuery())).rows
    assert [(tenant.status, tenant.version) for tenant in tenants] == [("active", 1)] * 3
    for tenant in tenants:
        await fill(parts, tenant.id)


async def test_a_tenant_deleted_while_it_was_made_leaves_no_store(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two finish the same creation; the slower one comes after a deletion, and its store would be nobody's."""
    create_store = parts.database.create_tenant

    async def create_late(tenant_id: str) -> None:
        monkeypatch.setattr(parts.database, "create_tenant", create_store)
        await parts.tenants.resume_creating()
        await parts.tenants.delete_tenant(master_context(), tenant_id, tenant_id)
        await create_store(tenant_id)

    monkeypatch.setattr(parts.database, "create_tenant", create_late)
    made = await parts.tenants.create_tenant(master_context(), ACME)
    assert await parts.tenants.get_tenant(made.id) is None
    assert await is_gone(parts, made.id)


async def test_changing_a_name(parts: Parts, clock: ManualClock) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    clock.advance(1)
    renamed = await parts.tenants.update_tenant(master_context(), made.id, UpdateTenantBody(name="Acme GmbH"))
    assert (renamed.name, renamed.version, renamed.updated_at) == ("Acme GmbH", 2, made.updated_at + 1000)
    again = await parts.tenants.update_tenant(master_context(), made.id, UpdateTenantBody(name="Acme GmbH"))
    assert again == renamed
    assert await parts.tenants.update_tenant(master_context(), made.id, UpdateTenantBody()) == renamed
    _, entry = await parts.entries()
    assert (entry.type, entry.changes) == ("tenant.updated", {"name": ("Acme", "Acme GmbH")})

    with pytest.raises(VersionMismatch):
        await parts.tenants.update_tenant(master_context(if_match=1), made.id, UpdateTenantBody(name="Other"))
    matched = await parts.tenants.update_tenant(master_context(if_match=2), made.id, UpdateTenantBody(name="Other"))
    assert matched.version == 3


async def test_changes_at_once_are_all_counted(parts: Parts) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    names = [f"name {number}" for number in range(16)]
    await asyncio.gather(
        *(parts.tenants.update_tenant(master_context(), made.id, UpdateTenantBody(name=name)) for name in names)
    )
    changed = await parts.tenants.require_tenant(made.id)
    assert changed.version == 17
    steps = [entry.changes["name"] for entry in await parts.entries(type="tenant.updated") if entry.changes]
    assert {new for _, new in steps} == set(names)
    assert {old for old, _ in steps} == {"Acme", *names} - {changed.name}


async def test_suspending_and_resuming(parts: Parts) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    suspended = await parts.tenants.suspend_tenant(master_context(), made.id, "unpaid")
    assert (suspended.status, suspended.suspended_reason, suspended.version) == ("suspended", "unpaid", 2)
    assert await parts.tenants.suspend_tenant(master_context(), made.id, "another") == suspended
    with pytest.raises(TenantSuspended):
        await parts.tenants.require_open(made.id)
    resumed = await parts.tenants.resume_tenant(master_context(), made.id)
    assert (resumed.status, resumed.suspended_reason, resumed.version) == ("active", None, 3)
    assert await parts.tenants.resume_tenant(master_context(), made.id) == resumed
    assert await parts.tenants.require_open(made.id) == resumed

    _, first, second = await parts.entries()
    assert (first.type, first.reason, first.changes) == (
        "tenant.suspended",
        "unpaid",
        {"status": ("active", "suspended")},
    )
    assert (second.type, second.changes) == ("tenant.resumed", {"status": ("suspended", "active")})


async def test_suspending_a_tenant_that_a_crash_left_finishes_it_first(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_at(patched, parts, "create_tenant")
        with pytest.raises(StoreUnavailable):
            await parts.tenants.create_tenant(master_context(), ACME)
    [left] = (await parts.tenants.list_tenants(ListTenantsQuery())).rows
    assert (await parts.tenants.suspend_tenant(master_context(), left.id, None)).status is TenantStatus.SUSPENDED
    await fill(parts, left.id)


async def test_suspensions_at_once_are_one_entry(parts: Parts) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    await asyncio.gather(*(parts.tenants.suspend_tenant(master_context(), made.id, None) for _ in range(16)))
    assert [entry.type for entry in await parts.entries()] == ["tenant.created", "tenant.suspended"]


@pytest.mark.parametrize(("confirm", "code"), [(None, FieldCode.REQUIRED), ("tnt_other", FieldCode.INVALID)])
async def test_deleting_needs_the_id_again(parts: Parts, confirm: str | None, code: FieldCode) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    with pytest.raises(Invalid) as refused:
        await parts.tenants.delete_tenant(master_context(), made.id, confirm)
    assert [(detail.field, detail.code) for detail in refused.value.details] == [("confirm", code)]
    await fill(parts, made.id)


async def test_deleting_destroys_the_tenant_and_keeps_the_entry(parts: Parts) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    kept = await parts.tenants.create_tenant(master_context(), ACME)
    await fill(parts, made.id)
    await fill(parts, kept.id)
    await parts.tenants.delete_tenant(master_context(idempotency=retry_key()), made.id, made.id)
    assert await parts.tenants.get_tenant(made.id) is None
    assert await is_gone(parts, made.id)
    assert not await is_gone(parts, kept.id)
    [entry] = await parts.entries(type="tenant.deleted")
    assert entry.changes == {"name": ("Acme", None), "environment": ("live", None)}
    # The retry is answered as the first call was; another call finds nothing.
    await parts.tenants.delete_tenant(master_context(idempotency=retry_key()), made.id, made.id)
    with pytest.raises(TenantNotFound):
        await parts.tenants.delete_tenant(master_context(), made.id, made.id)
    assert len(await parts.entries(type="tenant.deleted")) == 1


@pytest.mark.parametrize("finish", ["by another call", "by resuming it", "at start"])
async def test_a_deletion_that_a_crash_left_is_finished(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, finish: str
) -> None:
    made = await parts.tenants.create_tenant(master_context(), ACME)
    await fill(parts, made.id)
    with monkeypatch.context() as patched:
        fail_at(patched, parts, "drop_tenant")
        with pytest.raises(StoreUnavailable):
            await parts.tenants.delete_tenant(master_context(), made.id, made.id)
    for refused in (
        parts.tenants.require_tenant(made.id),
        parts.tenants.require_open(made.id),
        parts.tenants.update_tenant(master_context(), made.id, UpdateTenantBody(name="x")),
    ):
        with pytest.raises(TenantNotFound):
            await refused
    if finish == "by another call":
        await parts.tenants.delete_tenant(master_context(), made.id, made.id)
    elif finish == "by resuming it":
        with pytest.raises(TenantNotFound):
            await parts.tenants.resume_tenant(master_context(), made.id)
    else:
        assert await parts.tenants.resume_deleting() == 1
    assert await parts.tenants.get_tenant(made.id) is None
    assert await is_gone(parts, made.id)
    assert len(await parts.entries(type="tenant.deleted")) == 1


async def test_what_is_not_there_is_not_found(parts: Parts, tenant_id: str) -> None:
    """`tenant_id` has a store and no row: the row decides."""
    for act in (
        parts.tenants.require_tenant(tenant_id),
        parts.tenants.require_open(tenant_id),
        parts.tenants.update_tenant(master_context(), tenant_id, UpdateTenantBody(name="x")),
        parts.tenants.suspend_tenant(master_context(), tenant_id, None),
        parts.tenants.resume_tenant(master_context(), tenant_id),
        parts.tenants.delete_tenant(master_context(), tenant_id, tenant_id),
    ):
        with pytest.raises(TenantNotFound):
            await act
    assert await parts.entries() == []


async def test_a_tenant_is_open_to_its_own_environment(parts: Parts) -> None:
    body = CreateTenantBody(name="Sandbox", environment=Environment.TEST)
    made = await parts.tenants.create_tenant(master_context(), body)
    assert await parts.tenants.require_open(made.id, Environment.TEST) == made
    with pytest.raises(TenantNotFound):
        await parts.tenants.require_open(made.id, Environment.LIVE)


async def test_listing_pages_and_filters(parts: Parts) -> None:
    made = []
    for number in range(7):
        environment = Environment.TEST if number % 2 else Environment.LIVE
        body = CreateTenantBody(name=f"Tenant {number}", environment=environment)
        made.append(await parts.tenants.create_tenant(master_context(), body))
    await parts.tenants.suspend_tenant(master_context(), made[3].id, None)
    newest_first = [tenant.id for tenant in reversed(made)]

    seen: list[str] = []
    cursor = None
    while True:
        page = await parts.tenants.list_tenants(ListTenantsQuery(limit=3, cursor=cursor))
        assert (page.pagination.total, page.pagination.total_is_exact) == (7, True)
        seen += [tenant.id for tenant in page.rows]
        cursor = page.pagination.next_cursor
        if cursor is None:
            break
        with pytest.raises(InvalidCursor):
            await parts.tenants.list_tenants(ListTenantsQuery(cursor=cursor, environment=Environment.LIVE))
    assert seen == newest_first

    async def ids_of(**filters: object) -> tuple[list[int], int]:
        page = await parts.tenants.list_tenants(msgspec.convert(filters, ListTenantsQuery))
        return [newest_first[::-1].index(tenant.id) for tenant in page.rows], page.pagination.total

    assert await ids_of(environment="test") == ([5, 3, 1], 3)
    assert await ids_of(status="suspended") == ([3], 1)
    assert await ids_of(status="active", environment="test") == ([5, 1], 2)
    assert await ids_of(status="creating") == ([], 0)


async def test_the_control_store_is_read_each_time(parts: Parts) -> None:
    """A row changed by somebody else, as another process does, is seen by the next call."""
    made = await parts.tenants.create_tenant(master_context(), ACME)
    assert (await parts.tenants.require_open(made.id)).status is TenantStatus.ACTIVE
    await parts.tenants.suspend_tenant(master_context(), made.id, None)

    async def query(reader: Reader) -> str:
        return reader.tenant_id

    assert await parts.database.read(CONTROL_TENANT_ID, query) == CONTROL_TENANT_ID
    with pytest.raises(TenantSuspended):
        await parts.tenants.require_open(made.id)
