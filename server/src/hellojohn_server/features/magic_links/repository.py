"""The statements of signing in by a link."""

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

GET_USER_BY_EMAIL = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND email_key = :email_key"
)
GET_USER_LOCKED = Statement(
    f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE tenant_id = :tenant_id AND id = :user_id",
    f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE tenant_id = :tenant_id AND id = :user_id FOR UPDATE",
)
UPDATE_VERIFIED = Statement(
    f"""
    UPDATE users
    SET email_verified = TRUE, password_hash = NULL, generation = generation + 1, updated_at = :now,
        version = version + 1
    WHERE tenant_id = :tenant_id AND id = :user_id AND NOT email_verified
    RETURNING {USER_COLUMNS}
    """
)


async def get_user_by_email(reader: Reader, email_key: str) -> User | None:
    """Return the user who has an address, also one in the recycle bin; None when nobody has it."""
    row = await reader.fetch_one(GET_USER_BY_EMAIL, email_key=email_key)
    return None if row is None else user_of(row)


async def get_user_locked(tx: Transaction, user_id: str) -> tuple[User, str | None] | None:
    """Return a user who does not change until `tx` ends, with the hash of the password; None when there is none."""
    row = await tx.fetch_one(GET_USER_LOCKED, user_id=user_id)
    return None if row is None else (user_of(row), row[len(User.__struct_fields__)])


async def update_verified(tx: Transaction, user_id: str, now_ms: int) -> User | None:
    """Note that a user's address is verified, take the password, and return the user; None when it was verified."""
    row = await consume_once(tx, UPDATE_VERIFIED, user_id=user_id, now=now_ms)
    return None if row is None else user_of(row)
