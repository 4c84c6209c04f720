"""The organizations' statements."""

from collections.abc import Sequence

import msgspec

from hellojohn_server.features.organizations.schemas import Membership, Organization
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Statement

INSERT_ORGANIZATION = Statement(
    """
    INSERT INTO organizations (tenant_id, id, name, created_at, updated_at, version)
    VALUES (:tenant_id, :id, :name, :created_at, :updated_at, :version)
    """
)
INSERT_MEMBERSHIP = Statement(
    """
    INSERT INTO memberships (tenant_id, organization_id, user_id, role, created_at)
    VALUES (:tenant_id, :organization_id, :user_id, :role, :created_at)
    """
)


async def insert_organizations(tx: Transaction, organizations: Sequence[Organization]) -> None:
    """Insert organizations."""
    await tx.execute_many(INSERT_ORGANIZATION, [msgspec.structs.asdict(row) for row in organizations])


async def insert_memberships(tx: Transaction, memberships: Sequence[Membership]) -> None:
    """Insert memberships."""
    await tx.execute_many(INSERT_MEMBERSHIP, [msgspec.structs.asdict(row) for row in memberships])
