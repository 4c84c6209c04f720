"""The roles' statements."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import asdict

from hellojohn_server.features.roles.schemas import MAX_ROLES, Role, RoleScope
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = Role.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)
_PERMISSIONS: Final = _FIELDS.index("permissions")
_PRIVILEGED: Final = _FIELDS.index("privileged")
_SCOPE: Final = _FIELDS.index("scope")

LIST_PRIVILEGES = Statement(
    """
    SELECT name, privileged FROM roles
    WHERE tenant_id = :tenant_id AND name IN (SELECT value FROM json_each(:names)) AND scope = :scope
    """,
    """
    SELECT name, privileged FROM roles
    WHERE tenant_id = :tenant_id AND name = ANY(:names) AND scope = :scope
    """,
)
# Whoever changes or deletes one of these roles waits until whoever judged by it is done, and the other way round.
LIST_PRIVILEGES_LOCKED = Statement(
    LIST_PRIVILEGES.sqlite,
    """
    SELECT name, privileged FROM roles
    WHERE tenant_id = :tenant_id AND name = ANY(:names) AND scope = :scope
    FOR SHARE
    """,
)
LIST_ROLES = Statement(
    f"SELECT {_COLUMNS} FROM roles WHERE tenant_id = :tenant_id AND name > '' ORDER BY name LIMIT {MAX_ROLES}"
)
COUNT_ROLES = Statement("SELECT count(*) FROM roles WHERE tenant_id = :tenant_id AND name > ''")
GET_ROLE = Statement(f"SELECT {_COLUMNS} FROM roles WHERE tenant_id = :tenant_id AND id = :id")
GET_ROLE_BY_NAME = Statement(f"SELECT {_COLUMNS} FROM roles WHERE tenant_id = :tenant_id AND name = :name")
GET_ROLE_LOCKED = Statement(
    f"SELECT {_COLUMNS} FROM roles WHERE tenant_id = :tenant_id AND id = :id",
    f"SELECT {_COLUMNS} FROM roles WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE",
)
INSERT_ROLE = Statement(
    f"""
    INSERT INTO roles (tenant_id, {_COLUMNS})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _FIELDS)})
    """
)
UPDATE_ROLE = Statement(
    """
    UPDATE roles SET display_name = :display_name, description = :description, permissions = :permissions,
        privileged = :privileged, updated_at = :updated_at, version = :version
    WHERE tenant_id = :tenant_id AND id = :id
    """
)
DELETE_ROLE = Statement("DELETE FROM roles WHERE tenant_id = :tenant_id AND id = :id")
GET_USER_WITH_ROLE = Statement("SELECT id FROM users WHERE tenant_id = :tenant_id AND role = :name LIMIT 1")
GET_MEMBER_WITH_ROLE = Statement(
    "SELECT user_id FROM memberships WHERE tenant_id = :tenant_id AND role = :name LIMIT 1"
)


GET_INVITED_WITH_ROLE = Statement(
    "SELECT id FROM organization_invitations WHERE tenant_id = :tenant_id AND role = :name LIMIT 1"
)


async def insert_roles(tx: Transaction, roles: Sequence[Role]) -> None:
    """Insert roles of the tenant's own; UniqueViolation when a name is taken."""
    await tx.execute_many(INSERT_ROLE, [_stored(role) for role in roles])


async def update_role(tx: Transaction, role: Role) -> None:
    """Write a locked role anew; name and scope stay."""
    await tx.execute(UPDATE_ROLE, **{name: value for name, value in _stored(role).items() if name in UPDATE_ROLE.names})


async def delete_role(tx: Transaction, role_id: str) -> None:
    """Delete a locked role."""
    await tx.execute(DELETE_ROLE, id=role_id)


async def get_role(reader: Reader, role_id: str) -> Role | None:
    """Return one of the tenant's own roles, or None."""
    row = await reader.fetch_one(GET_ROLE, id=role_id)
    return None if row is None else _role_of(row)


async def get_role_by_name(reader: Reader, name: str) -> Role | None:
    """Return one of the tenant's own roles by its name, or None."""
    row = await reader.fetch_one(GET_ROLE_BY_NAME, name=name)
    return None if row is None else _role_of(row)


async def get_role_locked(tx: Transaction, role_id: str) -> Role | None:
    """Return a role that nobody else changes or judges by until `tx` ends; None when there is none."""
    row = await tx.fetch_one(GET_ROLE_LOCKED, id=role_id)
    return None if row is None else _role_of(row)


async def get_holder(reader: Reader, role: Role) -> str | None:
    """Return the id of somebody who has a role, in the recycle bin too, or of an invitation that gives it; or None."""
    statements = (
        [GET_USER_WITH_ROLE] if role.scope is RoleScope.TENANT else [GET_MEMBER_WITH_ROLE, GET_INVITED_WITH_ROLE]
    )
    for statement in statements:
        row = await reader.fetch_one(statement, name=role.name)
        if row is not None:
            return str(row[0])
    return None


async def list_roles(reader: Reader) -> list[Role]:
    """Return every role of the tenant's own, by name."""
    return [_role_of(row) for row in await reader.fetch_all(LIST_ROLES)]


async def count_roles(reader: Reader) -> int:
    """Return how many roles of its own the tenant has."""
    row = await reader.fetch_one(COUNT_ROLES)
    return 0 if row is None else int(row[0])


async def list_privileges(reader: Reader, names: Sequence[str], scope: RoleScope) -> dict[str, bool]:
    """Return those of the tenant's own roles called `names`, and whether each is privileged."""
    rows = await reader.fetch_all(LIST_PRIVILEGES, names=names, scope=scope.value)
    return {row[0]: bool(row[1]) for row in rows}


async def list_privileges_locked(tx: Transaction, names: Sequence[str], scope: RoleScope) -> dict[str, bool]:
    """Return the same of roles that nobody else changes or deletes until `tx` ends."""
    rows = await tx.fetch_all(LIST_PRIVILEGES_LOCKED, names=names, scope=scope.value)
    return {row[0]: bool(row[1]) for row in rows}


def _role_of(row: Row) -> Role:
    values = list(row)
    values[_PERMISSIONS] = tuple(msgspec.json.decode(values[_PERMISSIONS], type=list[str]))
    values[_PRIVILEGED] = bool(values[_PRIVILEGED])
    values[_SCOPE] = RoleScope(values[_SCOPE])
    return Role(*values)


def _stored(role: Role) -> dict[str, Parameter]:
    permissions = msgspec.json.encode(role.permissions).decode()
    return {**asdict(role), "permissions": permissions, "scope": role.scope.value}
