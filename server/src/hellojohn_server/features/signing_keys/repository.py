"""The statements on signing keys. They run in the control store only."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.signing_keys.schemas import SigningKey
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = SigningKey.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)

LIST_KEYS: Final = Statement(f"SELECT {_COLUMNS} FROM signing_keys ORDER BY signs_from, id")
# Whoever changes the ring takes this row first, also while the ring has no key yet.
CLAIM_RING: Final = Statement(
    """
    INSERT INTO service_facts (name, value) VALUES ('signing_keys', 'claimed')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
    """,
    kind=Kind.BOOKKEEPING,
)
INSERT_KEY: Final = Statement(
    f"INSERT INTO signing_keys ({_COLUMNS}) VALUES ({', '.join(f':{name}' for name in _FIELDS)})"
)
UPDATE_ENDS: Final = Statement(
    "UPDATE signing_keys SET ends_at = :ends_at WHERE id <> :next_id AND (ends_at IS NULL OR ends_at > :ends_at)"
)
DELETE_ENDED: Final = Statement("DELETE FROM signing_keys WHERE ends_at IS NOT NULL AND ends_at <= :now")


async def list_keys(reader: Reader) -> Sequence[SigningKey]:
    """Return every key, the one that signs first coming first."""
    return [SigningKey(*row) for row in await reader.fetch_all(LIST_KEYS)]


async def list_keys_locked(tx: Transaction) -> Sequence[SigningKey]:
    """Return every key; none changes until `tx` ends.

    They are looked at once the lock is held: a key that was made while this waited for it is seen.
    """
    await tx.execute(CLAIM_RING)
    return await list_keys(tx)


async def insert_key(tx: Transaction, key: SigningKey) -> None:
    """Insert a key."""
    await tx.execute(INSERT_KEY, **msgspec.structs.asdict(key))


async def update_ends(tx: Transaction, next_id: str, ends_at: int) -> None:
    """Let every key but the next one end, at `ends_at` at the latest."""
    await tx.execute(UPDATE_ENDS, next_id=next_id, ends_at=ends_at)


async def delete_ended(tx: Transaction, now_ms: int) -> int:
    """Delete the keys whose tokens have all ended; return how many."""
    return await tx.execute(DELETE_ENDED, now=now_ms)
