"""The statements on tenants. They run in the control store only; a row is locked before it is changed."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from hellojohn_server.features.tenants.schemas import Tenant, TenantStatus
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.sql import Statement

_COLUMNS: Final = "id, name, environment, status, suspended_reason, created_at, updated_at, version"

GET_TENANT: Final = Statement(f"SELECT {_COLUMNS} FROM tenants WHERE id = :id")
GET_TENANT_LOCKED: Final = Statement(
    f"SELECT {_COLUMNS} FROM tenants WHERE id = :id",
    f"SELECT {_COLUMNS} FROM tenants WHERE id = :id FOR UPDATE",
)
INSERT_TENANT: Final = Statement(
    """
    INSERT INTO tenants (id, name, environment, status, suspended_reason, created_at, updated_at, version)
    VALUES (:id, :name, :environment, :status, NULL, :now, :now, 1)
    """
)
UPDATE_TENANT: Final = Statement(
    f"""
    UPDATE tenants
    SET name = :name, status = :status, suspended_reason = :suspended_reason, updated_at = :now, version = version + 1
    WHERE id = :id
    RETURNING {_COLUMNS}
    """
)
UPDATE_STATUS: Final = Statement("UPDATE tenants SET status = :after WHERE id = :id AND status = :before")
DELETE_TENANT: Final = Statement("DELETE FROM tenants WHERE id = :id AND status = 'deleting'")
LIST_UNFINISHED: Final = Statement("SELECT id FROM tenants WHERE status = :status ORDER BY id LIMIT :rows")


@cache
def _list_statement(*, by_status: bool, by_environment: bool, after: bool) -> Statement:
    conditions = ["status = :status" if by_status else "status <> 'deleting'"]
    if by_environment:
        conditions.append("environment = :environment")
    where = " AND ".join(conditions)
    page_where = f"{where} AND id < :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT id FROM tenants WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded)
            AS counted
        LEFT JOIN (SELECT {_COLUMNS} FROM tenants WHERE {page_where} ORDER BY id DESC LIMIT :rows) AS page ON TRUE
        ORDER BY page.id DESC
        """
    )


def _tenant_of(row: Row) -> Tenant:
    return Tenant(row[0], row[1], Environment(row[2]), TenantStatus(row[3]), *row[4:])


async def get_tenant(reader: Reader, tenant_id: str) -> Tenant | None:
    """Return the tenant, whatever its status, or None."""
    row = await reader.fetch_one(GET_TENANT, id=tenant_id)
    return None if row is None else _tenant_of(row)


async def get_tenant_locked(tx: Transaction, tenant_id: str) -> Tenant | None:
    """Return the tenant, or None; nobody else changes it before this transaction ends."""
    row = await tx.fetch_one(GET_TENANT_LOCKED, id=tenant_id)
    return None if row is None else _tenant_of(row)


async def insert_tenant(tx: Transaction, tenant: Tenant) -> None:
    """Insert a tenant as version 1."""
    await tx.execute(
        INSERT_TENANT,
        id=tenant.id,
        name=tenant.name,
        environment=tenant.environment.value,
        status=tenant.status.value,
        now=tenant.created_at,
    )


async def update_tenant(tx: Transaction, changed: Tenant, now: int) -> Tenant:
    """Write name, status and reason of a tenant that is locked, and return it in its next version."""
    rows = await tx.fetch_all(
        UPDATE_TENANT,
        id=changed.id,
        name=changed.name,
        status=changed.status.value,
        suspended_reason=changed.suspended_reason,
        now=now,
    )
    return _tenant_of(rows[0])


async def update_status(tx: Transaction, tenant_id: str, before: TenantStatus, after: TenantStatus) -> bool:
    """Move a tenant on that is in status `before`, in the same version. False when it is in another."""
    return await tx.execute(UPDATE_STATUS, id=tenant_id, before=before.value, after=after.value) == 1


async def delete_tenant(tx: Transaction, tenant_id: str) -> bool:
    """Remove the row of a tenant in status `deleting`. False when there is none."""
    return await tx.execute(DELETE_TENANT, id=tenant_id) == 1


async def list_tenants(
    reader: Reader, rows: int, status: TenantStatus | None, environment: Environment | None, after: str | None
) -> tuple[int, Sequence[Tenant]]:
    """Return how many match (counted to one above COUNT_CAP) and up to `rows` of them, newest first, below `after`."""
    parameters: dict[str, str | int] = {"rows": rows}
    if status is not None:
        parameters["status"] = status.value
    if environment is not None:
        parameters["environment"] = environment.value
    if after is not None:
        parameters["after"] = after
    statement = _list_statement(
        by_status=status is not None, by_environment=environment is not None, after=after is not None
    )
    found = await reader.fetch_all(statement, **parameters)
    return found[0][0], [_tenant_of(row[1:]) for row in found if row[1] is not None]


async def list_ids_in_status(reader: Reader, status: TenantStatus, rows: int) -> Sequence[str]:
    """Return the ids of up to `rows` tenants in a status, oldest first."""
    return [row[0] for row in await reader.fetch_all(LIST_UNFINISHED, status=status.value, rows=rows)]
