"""The statement that every request with an access token makes."""

from typing import Final

from hellojohn_server.features.sessions.schemas import Session, session_columns, session_of
from hellojohn_server.features.users.schemas import User, user_columns, user_of
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

_USER_WIDTH: Final = len(User.__struct_fields__)

GET_SESSION_AND_USER = Statement(
    f"""
    SELECT {user_columns("u")}, {session_columns("s")}, (
        SELECT document FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config'
    ) AS settings
    FROM sessions AS s JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = s.user_id
    WHERE s.tenant_id = :tenant_id AND s.id = :session_id
    """
)


async def get_session_and_user(reader: Reader, session_id: str) -> tuple[Session, User, str | None] | None:
    """Return a session, whatever its status, its user, and the tenant's settings as stored; None without a session."""
    row = await reader.fetch_one(GET_SESSION_AND_USER, session_id=session_id)
    return None if row is None else (session_of(row[_USER_WIDTH:]), user_of(row), row[-1])
