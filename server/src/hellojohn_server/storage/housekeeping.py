"""Throwing away what is past its time in tables that belong to the stores themselves."""

from typing import Final

from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_ROWS_AT_ONCE: Final = 500

# The time is asked for twice: on PostgreSQL a record may have been claimed again while the DELETE waited for it.
DELETE_EXPIRED_RECORDS = Statement(
    """
    DELETE FROM idempotency_records
    WHERE tenant_id = :tenant_id AND expires_at <= :now AND key_hash IN (
        SELECT key_hash FROM idempotency_records
        WHERE tenant_id = :tenant_id AND expires_at <= :now
        ORDER BY expires_at
        LIMIT :rows
    )
    """,
    kind=Kind.BOOKKEEPING,
)
GET_NEXT_EXPIRY = Statement("SELECT MIN(expires_at) FROM idempotency_records WHERE tenant_id = :tenant_id")


async def purge_idempotency_records(database: Database, tenant_id: str, now_ms: int) -> None:
    """Delete the tenant's expired records, some hundreds in each transaction; without any, nothing is written."""
    next_expiry = await database.read(tenant_id, get_next_expiry)
    if next_expiry is None or next_expiry > now_ms:
        return

    async def delete_some(tx: Transaction) -> int:
        return await tx.execute(DELETE_EXPIRED_RECORDS, now=now_ms, rows=_ROWS_AT_ONCE)

    while await database.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _ROWS_AT_ONCE:
        pass


async def get_next_expiry(reader: Reader) -> int | None:
    """Return when the tenant's next idempotency record expires, or None."""
    row = await reader.fetch_one(GET_NEXT_EXPIRY)
    return None if row is None else row[0]
