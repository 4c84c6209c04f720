"""Which encryption key the store was made with: kept as a value derived from it, so that another key is noticed."""

import hmac

from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import Database, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_NAME = "encryption_key_check"

GET_FACT = Statement("SELECT value FROM service_facts WHERE name = :name")
INSERT_FACT = Statement(
    "INSERT INTO service_facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
    kind=Kind.BOOKKEEPING,
)


class WrongEncryptionKey(Exception):
    """The store was made with another encryption key than the one given."""


async def require_key(database: Database, check: bytes) -> None:
    """Keep `check` (derived from the key) if the store has none yet; raise WrongEncryptionKey when it has another."""

    async def get_check(reader: Reader) -> str | None:
        row = await reader.fetch_one(GET_FACT, name=_NAME)
        return None if row is None else row[0]

    async def insert_check(tx: Transaction) -> str | None:
        await tx.execute(INSERT_FACT, name=_NAME, value=check.hex())
        return await get_check(tx)

    kept = await database.read(CONTROL_TENANT_ID, get_check)
    if kept is None:
        kept = await database.write(CONTROL_TENANT_ID, insert_check, str)
    if not hmac.compare_digest(kept or "", check.hex()):
        raise WrongEncryptionKey
