"""What an export may hold of users beside what is shown of them."""

from collections.abc import Sequence
from typing import Final

from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

LIST_PASSWORD_HASHES: Final = Statement(
    """
    SELECT id, password_hash FROM users
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    """,
    "SELECT id, password_hash FROM users WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)",
)


async def list_password_hashes(reader: Reader, user_ids: Sequence[str]) -> dict[str, str | None]:
    """Return the password hash of each of these users, None of one without a password; who is no user is left out."""
    rows = await reader.fetch_all(LIST_PASSWORD_HASHES, user_ids=user_ids)
    return {row[0]: row[1] for row in rows}
