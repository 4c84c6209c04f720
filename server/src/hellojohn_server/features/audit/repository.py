"""The audit log's statements."""

from collections.abc import Sequence

import msgspec

from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement


class EntryRow(msgspec.Struct, frozen=True):
    """A row of audit_entries: the immutable core."""

    id: str
    type: str
    source: str
    actor_id: str
    actor_type: str
    on_behalf_of_id: str | None
    on_behalf_of_type: str | None
    resource_id: str | None
    resource_type: str | None
    organization_id: str | None
    request_id: str
    result: str
    impersonated: bool
    created_at: int
    actor_hash: str
    resource_hash: str


class ValuesRow(msgspec.Struct, frozen=True):
    """A row of audit_values: the personal side of an entry."""

    entry_id: str
    part: str
    subject_id: str | None
    salt: bytes
    document: str
    ip_address: str | None


INSERT_ENTRY = Statement(
    """
    INSERT INTO audit_entries (
        tenant_id, id, type, source, actor_id, actor_type, on_behalf_of_id, on_behalf_of_type, resource_id,
        resource_type, organization_id, request_id, result, impersonated, created_at, actor_hash, resource_hash
    ) VALUES (
        :tenant_id, :id, :type, :source, :actor_id, :actor_type, :on_behalf_of_id, :on_behalf_of_type, :resource_id,
        :resource_type, :organization_id, :request_id, :result, :impersonated, :created_at, :actor_hash, :resource_hash
    )
    """,
    kind=Kind.AUDIT,
)
INSERT_VALUES = Statement(
    """
    INSERT INTO audit_values (tenant_id, entry_id, part, subject_id, salt, document, ip_address)
    VALUES (:tenant_id, :entry_id, :part, :subject_id, :salt, :document, :ip_address)
    """,
    kind=Kind.BOOKKEEPING,
)


async def insert_entries(tx: Transaction, entries: Sequence[EntryRow], values: Sequence[ValuesRow]) -> None:
    """Insert cores and their side rows, a statement for each of the two tables."""
    await tx.execute_many(INSERT_ENTRY, [msgspec.structs.asdict(entry) for entry in entries])
    await tx.execute_many(INSERT_VALUES, [msgspec.structs.asdict(row) for row in values])
