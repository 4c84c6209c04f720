"""The statements of users on themselves."""

from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

# Only while the password is still the one that was verified.
UPDATE_PASSWORD = Statement(
    """
    UPDATE users SET password_hash = :password_hash, updated_at = :now, version = version + 1
    WHERE tenant_id = :tenant_id AND id = :user_id AND password_hash = :verified_hash AND deleted_at IS NULL
    RETURNING email_key, password_reset_required
    """
)


async def update_password(
    tx: Transaction, user_id: str, verified_hash: str, password_hash: str, now_ms: int
) -> tuple[str, bool] | None:
    """Put a new password in the place of the verified one; return the address's key and whether a reset is required.

    None when another took its place meanwhile.
    """
    row = await consume_once(
        tx, UPDATE_PASSWORD, user_id=user_id, verified_hash=verified_hash, password_hash=password_hash, now=now_ms
    )
    return None if row is None else (row[0], bool(row[1]))
