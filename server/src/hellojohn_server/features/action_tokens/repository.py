"""The statements on the secrets of links."""

from collections.abc import Sequence
from typing import Final

from hellojohn_server.features.action_tokens.schemas import ActionTokenRow
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = ActionTokenRow.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)
_INSERTED: Final = tuple(name for name in _FIELDS if name != "consumed_at")

INSERT_TOKEN = Statement(
    f"""
    INSERT INTO action_tokens (tenant_id, token_hash, {", ".join(_INSERTED)})
    VALUES (:tenant_id, :token_hash, {", ".join(f":{name}" for name in _INSERTED)})
    """
)
GET_TOKEN = Statement(f"SELECT {_COLUMNS} FROM action_tokens WHERE tenant_id = :tenant_id AND token_hash = :token_hash")
CONSUME_TOKEN = Statement(
    f"""
    UPDATE action_tokens SET consumed_at = :now
    WHERE tenant_id = :tenant_id AND token_hash = :token_hash AND purpose = :purpose
        AND address_hash = :address_hash AND consumed_at IS NULL AND expires_at > :now
    RETURNING {_COLUMNS}
    """
)
# What was used stays until its time is over, so that it can be told from what never was.
DELETE_UNUSED = Statement(
    """
    DELETE FROM action_tokens
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
        AND purpose IN (SELECT value FROM json_each(:purposes)) AND consumed_at IS NULL
    """,
    """
    DELETE FROM action_tokens
    WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids) AND purpose = ANY(:purposes) AND consumed_at IS NULL
    """,
)
DELETE_TOKENS = Statement(
    """
    DELETE FROM action_tokens
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM action_tokens WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
# What ended a moment ago is kept with the rest until here; by a range of times, as every question of the worker goes.
GET_NEXT_EXPIRY = Statement(
    "SELECT MIN(expires_at) FROM action_tokens WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
DELETE_EXPIRED = Statement(
    """
    DELETE FROM action_tokens WHERE tenant_id = :tenant_id AND token_hash IN (
        SELECT token_hash FROM action_tokens WHERE tenant_id = :tenant_id AND expires_at <= :now
        ORDER BY expires_at LIMIT :rows
    )
    """
)


async def insert_tokens(tx: Transaction, rows: Sequence[dict[str, Parameter]]) -> None:
    """Insert secrets: the columns of ActionTokenRow but for consumed_at, and `token_hash`."""
    await tx.execute_many(INSERT_TOKEN, rows)


async def get_token(reader: Reader, token_hash: bytes) -> ActionTokenRow | None:
    """Return a secret's row, whatever its state; None when there is none."""
    row = await reader.fetch_one(GET_TOKEN, token_hash=token_hash)
    return None if row is None else _token_of(row)


async def consume_token(
    tx: Transaction, token_hash: bytes, purpose: str, address_hash: str, now_ms: int
) -> ActionTokenRow | None:
    """Use a secret up, and return its row to the one caller that did.

    None when it is used or over, for another purpose or address, or not there.
    """
    row = await consume_once(
        tx, CONSUME_TOKEN, token_hash=token_hash, purpose=purpose, address_hash=address_hash, now=now_ms
    )
    return None if row is None else _token_of(row)


async def delete_unused(tx: Transaction, user_ids: Sequence[str], purposes: Sequence[str]) -> None:
    """Delete the users' secrets for these purposes that were not used."""
    await tx.execute(DELETE_UNUSED, user_ids=user_ids, purposes=purposes)


async def delete_tokens(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Delete every secret of the users."""
    await tx.execute(DELETE_TOKENS, user_ids=user_ids)


async def get_next_expiry(reader: Reader, until_ms: int = END_OF_TIME_MS) -> int | None:
    """Return when the next secret ends or ended, until `until_ms`, or None."""
    row = await reader.fetch_one(GET_NEXT_EXPIRY, until=until_ms)
    return None if row is None else row[0]


async def delete_expired(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to so many secrets that are over, and return how many."""
    return await tx.execute(DELETE_EXPIRED, now=now_ms, rows=rows)


def _token_of(row: Row) -> ActionTokenRow:
    return ActionTokenRow(*row)
