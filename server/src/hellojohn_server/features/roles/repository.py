"""The roles' statements."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import asdict

from hellojohn_server.features.roles.schemas import Role
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Statement

LIST_PRIVILEGES = Statement(
    """
    SELECT name, privileged FROM roles
    WHERE tenant_id = :tenant_id AND name IN (SELECT value FROM json_each(:names))
    """,
    "SELECT name, privileged FROM roles WHERE tenant_id = :tenant_id AND name = ANY(:names)",
)
INSERT_ROLE = Statement(
    """
    INSERT INTO roles (tenant_id, id, name, description, permissions, privileged, created_at, updated_at, version)
    VALUES (:tenant_id, :id, :name, :description, :permissions, :privileged, :created_at, :updated_at, :version)
    """
)


async def insert_roles(tx: Transaction, roles: Sequence[Role]) -> None:
    """Insert roles of the tenant's own."""
    rows = [{**asdict(role), "permissions": msgspec.json.encode(role.permissions).decode()} for role in roles]
    await tx.execute_many(INSERT_ROLE, rows)


async def list_privileges(reader: Reader, names: Sequence[str]) -> dict[str, bool]:
    """Return those of the tenant's own roles called `names`, and whether each is privileged."""
    rows = await reader.fetch_all(LIST_PRIVILEGES, names=names)
    return {row[0]: bool(row[1]) for row in rows}
