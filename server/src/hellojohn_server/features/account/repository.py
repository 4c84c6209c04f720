"""The statements of users on themselves."""

from typing import NamedTuple

from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

# Only while the password is still the one that was verified.
UPDATE_PASSWORD = Statement(
    """
    UPDATE users SET password_hash = :password_hash, updated_at = :now, version = version + 1
    WHERE tenant_id = :tenant_id AND id = :user_id AND password_hash = :verified_hash AND deleted_at IS NULL
    RETURNING email, email_key, password_reset_required
    """
)


class Changed(NamedTuple):
    """Whose password was changed, and whether a reset was required."""

    email: str
    email_key: str
    is_reset_required: bool


async def update_password(
    tx: Transaction, user_id: str, verified_hash: str, password_hash: str, now_ms: int
) -> Changed | None:
    """Put a new password in the place of the verified one; return whose.

    None when another took its place meanwhile.
    """
    row = await consume_once(
        tx, UPDATE_PASSWORD, user_id=user_id, verified_hash=verified_hash, password_hash=password_hash, now=now_ms
    )
    return None if row is None else Changed(row[0], row[1], is_reset_required=bool(row[2]))
