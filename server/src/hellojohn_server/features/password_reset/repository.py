"""The statements of resets."""

from typing import Final

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, RowUpdate, Statement

_USER_WIDTH: Final = len(User.__struct_fields__)

_REQUIRED_COLUMNS: Final = "generation, updated_at, version, password_reset_required"
_REQUIRED_SET: Final = """
    generation = generation + :raised,
    updated_at = CASE WHEN :require AND NOT password_reset_required THEN :now ELSE updated_at END,
    version = version + CASE WHEN :require AND NOT password_reset_required THEN 1 ELSE 0 END,
    password_reset_required = (password_reset_required OR :require)
"""
UPDATE_RESET_REQUIRED = RowUpdate(
    _REQUIRED_COLUMNS,
    f"""
    UPDATE users SET {_REQUIRED_SET}
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    RETURNING id, {_REQUIRED_COLUMNS}
    """,
    f"""
    UPDATE users SET {_REQUIRED_SET}
    WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    RETURNING id, {_REQUIRED_COLUMNS}
    """,
)
"""An act's statement: who must choose another password keeps it so, whoever else may or may not."""

GET_USER_BY_EMAIL = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND email_key = :email_key"
)
GET_PASSWORD = Statement(
    f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE tenant_id = :tenant_id AND id = :user_id"
)
GET_USER_LOCKED = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id",
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id FOR UPDATE",
)
UPDATE_PASSWORD_RESET = Statement(
    f"""
    UPDATE users SET password_hash = :password_hash, password_reset_required = FALSE, email_verified = TRUE,
        locked_at = NULL, locked_until = NULL, generation = generation + 1, updated_at = :now, version = version + 1
    WHERE tenant_id = :tenant_id AND id = :user_id AND deleted_at IS NULL
    RETURNING {USER_COLUMNS}
    """
)
DELETE_FAILURES = Statement(
    "DELETE FROM sign_in_failures WHERE tenant_id = :tenant_id AND address_hash = :address_hash",
    kind=Kind.BOOKKEEPING,
)


async def get_user_by_email(reader: Reader, email_key: str) -> User | None:
    """Return the user who has an address, also one in the recycle bin; None when nobody has it."""
    row = await reader.fetch_one(GET_USER_BY_EMAIL, email_key=email_key)
    return None if row is None else user_of(row)


async def get_password(reader: Reader, user_id: str) -> tuple[User, str | None] | None:
    """Return a user with the hash of the password; None when there is none."""
    row = await reader.fetch_one(GET_PASSWORD, user_id=user_id)
    return None if row is None else (user_of(row), row[_USER_WIDTH])


async def get_user_locked(tx: Transaction, user_id: str) -> User | None:
    """Return a user who does not change until `tx` ends, also one in the recycle bin; None when there is none."""
    row = await tx.fetch_one(GET_USER_LOCKED, user_id=user_id)
    return None if row is None else user_of(row)


async def update_password_reset(tx: Transaction, user_id: str, password_hash: str, now_ms: int) -> User | None:
    """Give a user a new password, and return the user; None for one in the recycle bin and for none.

    The address is verified, no reset is required and no lock holds after it.
    """
    row = await consume_once(tx, UPDATE_PASSWORD_RESET, user_id=user_id, password_hash=password_hash, now=now_ms)
    return None if row is None else user_of(row)


async def delete_failures(tx: Transaction, address_hash: str) -> None:
    """Forget the failed sign-ins with an address, and the lock that they led to."""
    await tx.execute(DELETE_FAILURES, address_hash=address_hash)
