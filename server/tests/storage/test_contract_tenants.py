"""The contract of both stores: tenants come and go without touching each other."""

import asyncio

import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.errors import TenantStoreNotFound
from tests.conftest import ManualClock
from tests.storage.rows import Rows, list_ids, list_recorded


@pytest.fixture
def rows(ids: IdFactory, clock: ManualClock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


async def test_a_new_tenant_is_empty_and_may_be_made_again(database: Database, tenant_id: str, rows: Rows) -> None:
    assert await database.read(tenant_id, list_ids) == []

    await database.write(tenant_id, rows.insert("org_1"), str)
    await asyncio.gather(*(database.create_tenant(tenant_id) for _ in range(4)))
    assert await database.read(tenant_id, list_ids) == ["org_1"]


async def test_a_tenant_that_was_dropped_leaves_nothing(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows
) -> None:
    for scope in (tenant_id, other_tenant_id):
        await database.write(scope, rows.insert("org_1"), str)

    await database.drop_tenant(tenant_id)
    await database.drop_tenant(tenant_id)
    await database.create_tenant(tenant_id)

    assert await database.read(tenant_id, list_ids) == []
    assert await database.read(tenant_id, list_recorded) == []
    assert await database.read(other_tenant_id, list_ids) == ["org_1"]
    assert await database.read(other_tenant_id, list_recorded) == ["org_1"]


async def test_dropping_a_tenant_that_never_was_is_harmless(database: Database, ids: IdFactory) -> None:
    await database.drop_tenant(ids.new(IdPrefix.TENANT))


async def test_a_tenant_without_a_store_holds_nothing_and_takes_nothing(
    database: Database, engine: str, ids: IdFactory, rows: Rows
) -> None:
    """A file that is not there is refused; a read of shared tables finds nothing."""
    unknown = ids.new(IdPrefix.TENANT)

    with pytest.raises(TenantStoreNotFound):
        await database.write(unknown, rows.insert("org_1"), str)
    if engine == "sqlite":
        with pytest.raises(TenantStoreNotFound):
            await database.read(unknown, list_ids)
    else:
        assert await database.read(unknown, list_ids) == []


async def test_nothing_is_left_of_a_tenant_that_is_dropped_while_it_is_written(
    database: Database, tenant_id: str, rows: Rows, engine: str
) -> None:
    answered: list[str] = []
    refused = 0

    async def client(number: int) -> None:
        nonlocal refused
        for turn in range(200):
            try:
                answered.append(await database.write(tenant_id, rows.insert(f"org_{number}_{turn}"), str))
            except TenantStoreNotFound:
                refused += 1
                return

    clients = [asyncio.create_task(client(number)) for number in range(8)]
    while len(answered) < 10:  # noqa: ASYNC110 - a plain list
        await asyncio.sleep(0.001)
    await database.drop_tenant(tenant_id)
    await asyncio.gather(*clients)

    assert refused == 8
    if engine == "postgres":
        assert await database.read(tenant_id, list_ids) == []
        assert await database.read(tenant_id, list_recorded) == []
    with pytest.raises(TenantStoreNotFound):
        await database.write(tenant_id, rows.insert("org_late"), str)


@pytest.mark.parametrize(
    "tenant", ["", "../control", "tnt_x", "tnt_" + "0" * 25, "%", "tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV/.."]
)
async def test_what_is_no_id_of_a_tenant_opens_nothing(database: Database, tenant: str, rows: Rows) -> None:
    for attempt in (
        database.create_tenant(tenant),
        database.read(tenant, list_ids),
        database.write(tenant, rows.insert("org_1"), str),
    ):
        with pytest.raises(TenantStoreNotFound):
            await attempt


async def test_the_control_store_is_not_dropped(database: Database, rows: Rows) -> None:
    async def record(tx: Transaction) -> None:
        await rows.record(tx, "evt_1")

    await database.write(CONTROL_TENANT_ID, record, type(None))
    with pytest.raises(TenantStoreNotFound):
        await database.drop_tenant(CONTROL_TENANT_ID)
    assert await database.read(CONTROL_TENANT_ID, list_recorded) == ["evt_1"]


async def test_a_store_answers_a_check(database: Database) -> None:
    await database.check()
