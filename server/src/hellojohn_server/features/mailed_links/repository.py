"""The statements of mailed links."""

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import RowUpdate, Statement

UPDATE_NOTHING = RowUpdate(
    "generation",
    """
    UPDATE users SET generation = generation
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    RETURNING id, generation
    """,
    """
    UPDATE users SET generation = generation
    WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    RETURNING id, generation
    """,
)
"""An act's statement: a mail is sent, and nothing of the user changes."""

GET_USER = Statement(f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id")
GET_USER_LOCKED = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id",
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id FOR UPDATE",
)
UPDATE_VERIFIED = Statement(
    f"""
    UPDATE users SET email_verified = TRUE, updated_at = :now, version = version + 1
    WHERE tenant_id = :tenant_id AND id = :user_id AND NOT email_verified
    RETURNING {USER_COLUMNS}
    """
)


async def get_user(reader: Reader, user_id: str) -> User | None:
    """Return a user, also one in the recycle bin; None when there is none."""
    row = await reader.fetch_one(GET_USER, user_id=user_id)
    return None if row is None else user_of(row)


async def get_user_locked(tx: Transaction, user_id: str) -> User | None:
    """Return a user who does not change until `tx` ends, also one in the recycle bin; None when there is none."""
    row = await tx.fetch_one(GET_USER_LOCKED, user_id=user_id)
    return None if row is None else user_of(row)


async def update_verified(tx: Transaction, user_id: str, now_ms: int) -> User | None:
    """Note that a user's address is verified, and return the user; None when it was."""
    row = await consume_once(tx, UPDATE_VERIFIED, user_id=user_id, now=now_ms)
    return None if row is None else user_of(row)
