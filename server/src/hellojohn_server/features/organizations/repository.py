"""The statements on organizations and memberships. An organization is locked before anything about it changes."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.organizations.schemas import Belonging, Member, Membership, Organization
from hellojohn_server.features.roles.schemas import OrganizationRole
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = Organization.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)
_OWNER: Final = OrganizationRole.OWNER.value
_BEYOND: Final = "\U0010ffff"

GET_ORGANIZATION = Statement(
    f"SELECT {_COLUMNS} FROM organizations WHERE tenant_id = :tenant_id AND id = :organization_id"
)
GET_ORGANIZATION_LOCKED = Statement(
    f"SELECT {_COLUMNS} FROM organizations WHERE tenant_id = :tenant_id AND id = :organization_id",
    f"SELECT {_COLUMNS} FROM organizations WHERE tenant_id = :tenant_id AND id = :organization_id FOR UPDATE",
)
INSERT_ORGANIZATION = Statement(
    f"""
    INSERT INTO organizations (tenant_id, {_COLUMNS})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _FIELDS)})
    """
)
UPDATE_ORGANIZATION = Statement(
    """
    UPDATE organizations SET name = :name, name_key = :name_key, slug = :slug, metadata = :metadata,
        updated_at = :updated_at, version = :version
    WHERE tenant_id = :tenant_id AND id = :id
    """
)
DELETE_ORGANIZATION = Statement("DELETE FROM organizations WHERE tenant_id = :tenant_id AND id = :organization_id")
INSERT_MEMBERSHIP = Statement(
    """
    INSERT INTO memberships (tenant_id, organization_id, user_id, role, created_at)
    VALUES (:tenant_id, :organization_id, :user_id, :role, :created_at)
    """
)
GET_MEMBERSHIP = Statement(
    """
    SELECT organization_id, user_id, role, created_at FROM memberships
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id = :user_id
    """
)
# Held, so that the membership ends before, and is not found, or after the session says so, and is taken from it.
GET_ROLE_HELD = Statement(
    """
    SELECT m.role FROM sessions AS s
    JOIN memberships AS m ON m.tenant_id = :tenant_id AND m.user_id = s.user_id
    WHERE s.tenant_id = :tenant_id AND s.id = :session_id AND m.organization_id = :organization_id
    """,
    """
    SELECT m.role FROM sessions AS s
    JOIN memberships AS m ON m.tenant_id = :tenant_id AND m.user_id = s.user_id
    WHERE s.tenant_id = :tenant_id AND s.id = :session_id AND m.organization_id = :organization_id
    FOR SHARE OF m
    """,
)
UPDATE_MEMBERSHIP = Statement(
    """
    UPDATE memberships SET role = :role
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id = :user_id
    """
)
DELETE_MEMBERSHIP = Statement(
    """
    DELETE FROM memberships
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id = :user_id
    """
)
DELETE_SOME_MEMBERSHIPS = Statement(
    """
    DELETE FROM memberships
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id IN (
        SELECT user_id FROM memberships
        WHERE tenant_id = :tenant_id AND organization_id = :organization_id ORDER BY user_id LIMIT :rows
    )
    """
)
DELETE_INVITATIONS = Statement(
    """
    DELETE FROM organization_invitations WHERE tenant_id = :tenant_id AND organization_id = :organization_id
    """
)
GET_OTHER_OWNER = Statement(
    f"""
    SELECT m.user_id FROM memberships AS m
    JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = m.user_id
    WHERE m.tenant_id = :tenant_id AND m.role = '{_OWNER}' AND m.organization_id = :organization_id
        AND m.user_id <> :user_id AND u.deleted_at IS NULL
    LIMIT 1
    """
)


@cache
def _organizations_statement(*, by_name: bool, after: bool) -> Statement:
    where = "tenant_id = :tenant_id AND name_key >= :start"
    if by_name:
        where = f"{where} AND name_key < :end"
    page_where = f"{where} AND (name_key, id) > (:after_key, :after_id)" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (
            SELECT count(*) AS total FROM (SELECT 1 FROM organizations WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded
        ) AS counted
        LEFT JOIN (SELECT {_COLUMNS} FROM organizations WHERE {page_where} ORDER BY name_key, id LIMIT :rows) AS page
            ON TRUE
        ORDER BY page.name_key, page.id
        """
    )


@cache
def _members_statement(*, by_role: bool, after: bool) -> Statement:
    rows = """
        FROM memberships AS m JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = m.user_id
        WHERE m.tenant_id = :tenant_id AND m.organization_id = :organization_id AND u.deleted_at IS NULL
    """
    if by_role:
        rows = f"{rows} AND m.role = :role"
    page_rows = f"{rows} AND m.user_id > :after" if after else rows
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT 1 {rows} LIMIT {COUNT_CAP + 1}) AS bounded) AS counted
        LEFT JOIN (
            SELECT m.user_id, u.email, u.name, m.role, m.created_at {page_rows} ORDER BY m.user_id LIMIT :rows
        ) AS page ON TRUE
        ORDER BY page.user_id
        """
    )


@cache
def _belongings_statement(*, after: bool) -> Statement:
    where = "m.tenant_id = :tenant_id AND m.user_id = :user_id"
    page_where = f"{where} AND m.organization_id > :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (
            SELECT count(*) AS total
            FROM (SELECT 1 FROM memberships AS m WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded
        ) AS counted
        LEFT JOIN (
            SELECT m.organization_id, o.name, o.slug, m.role, m.created_at
            FROM memberships AS m JOIN organizations AS o ON o.tenant_id = :tenant_id AND o.id = m.organization_id
            WHERE {page_where} ORDER BY m.organization_id LIMIT :rows
        ) AS page ON TRUE
        ORDER BY page.organization_id
        """
    )


async def insert_organizations(tx: Transaction, organizations: Sequence[Organization]) -> None:
    """Insert organizations; UniqueViolation when a slug is taken."""
    await tx.execute_many(INSERT_ORGANIZATION, [msgspec.structs.asdict(row) for row in organizations])


async def insert_memberships(tx: Transaction, memberships: Sequence[Membership]) -> None:
    """Insert memberships; UniqueViolation when a user is a member already."""
    await tx.execute_many(INSERT_MEMBERSHIP, [msgspec.structs.asdict(row) for row in memberships])


async def get_organization(reader: Reader, organization_id: str) -> Organization | None:
    """Return an organization, or None."""
    row = await reader.fetch_one(GET_ORGANIZATION, organization_id=organization_id)
    return None if row is None else _organization_of(row)


async def get_organization_locked(tx: Transaction, organization_id: str) -> Organization | None:
    """Return an organization that nobody else changes, nor its members, until `tx` ends; None when there is none."""
    row = await tx.fetch_one(GET_ORGANIZATION_LOCKED, organization_id=organization_id)
    return None if row is None else _organization_of(row)


async def update_organization(tx: Transaction, organization: Organization) -> None:
    """Write a locked organization anew; UniqueViolation when the slug is taken."""
    stored = msgspec.structs.asdict(organization)
    await tx.execute(UPDATE_ORGANIZATION, **{name: stored[name] for name in UPDATE_ORGANIZATION.names})


async def delete_organization(tx: Transaction, organization_id: str) -> None:
    """Delete a locked organization."""
    await tx.execute(DELETE_ORGANIZATION, organization_id=organization_id)


async def get_membership(reader: Reader, organization_id: str, user_id: str) -> Membership | None:
    """Return a user's membership, or None."""
    row = await reader.fetch_one(GET_MEMBERSHIP, organization_id=organization_id, user_id=user_id)
    return None if row is None else Membership(*row)


async def get_role_held(tx: Transaction, session_id: str, organization_id: str) -> str | None:
    """Return as what the user of a session is a member of an organization, which stays so until `tx` ends, or None."""
    row = await tx.fetch_one(GET_ROLE_HELD, session_id=session_id, organization_id=organization_id)
    return None if row is None else row[0]


async def update_membership(tx: Transaction, membership: Membership, role: str) -> None:
    """Write a member's role, in a locked organization."""
    await tx.execute(
        UPDATE_MEMBERSHIP, organization_id=membership.organization_id, user_id=membership.user_id, role=role
    )


async def delete_membership(tx: Transaction, membership: Membership) -> None:
    """Delete a membership, in a locked organization."""
    await tx.execute(DELETE_MEMBERSHIP, organization_id=membership.organization_id, user_id=membership.user_id)


async def delete_some_memberships(tx: Transaction, organization_id: str, rows: int) -> int:
    """Delete up to so many memberships of a locked organization, and return how many."""
    return await tx.execute(DELETE_SOME_MEMBERSHIPS, organization_id=organization_id, rows=rows)


async def delete_invitations(tx: Transaction, organization_id: str) -> None:
    """Delete every invitation to a locked organization."""
    await tx.execute(DELETE_INVITATIONS, organization_id=organization_id)


async def get_other_owner(reader: Reader, membership: Membership) -> str | None:
    """Return the id of another owner of the organization who is not in the recycle bin, or None."""
    row = await reader.fetch_one(
        GET_OTHER_OWNER, organization_id=membership.organization_id, user_id=membership.user_id
    )
    return None if row is None else row[0]


async def list_organizations(
    reader: Reader, start: str, rows: int, after: tuple[str, str] | None
) -> tuple[int, list[Organization]]:
    """Return how many names start so (counted to one above COUNT_CAP) and up to `rows` of them after a key and id."""
    parameters: dict[str, Parameter] = {"rows": rows, "start": start}
    if start:
        parameters["end"] = start + _BEYOND
    if after is not None:
        parameters["after_key"], parameters["after_id"] = after
    statement = _organizations_statement(by_name=bool(start), after=after is not None)
    found = await reader.fetch_all(statement, **parameters)
    return found[0][0], [_organization_of(row[1:]) for row in found if row[1] is not None]


async def list_members(
    reader: Reader, organization_id: str, role: str | None, rows: int, after: str | None
) -> tuple[int, list[Member]]:
    """Return how many members there are (counted as above) and up to `rows` after the user of this id.

    Users in the recycle bin are left out.
    """
    parameters: dict[str, Parameter] = {"organization_id": organization_id, "rows": rows}
    if role is not None:
        parameters["role"] = role
    if after is not None:
        parameters["after"] = after
    found = await reader.fetch_all(_members_statement(by_role=role is not None, after=after is not None), **parameters)
    return found[0][0], [Member(*row[1:]) for row in found if row[1] is not None]


async def list_belongings(reader: Reader, user_id: str, rows: int, after: str | None) -> tuple[int, list[Belonging]]:
    """Return how many organizations a user is in (counted as above) and up to `rows` after the one of this id."""
    parameters: dict[str, Parameter] = {"user_id": user_id, "rows": rows}
    if after is not None:
        parameters["after"] = after
    found = await reader.fetch_all(_belongings_statement(after=after is not None), **parameters)
    return found[0][0], [Belonging(*row[1:]) for row in found if row[1] is not None]


def _organization_of(row: Row) -> Organization:
    return Organization(*row)
