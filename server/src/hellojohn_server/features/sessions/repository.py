"""The sessions' statements."""

from collections.abc import Sequence

import msgspec

from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Statement


class EndedSession(msgspec.Struct, frozen=True):
    """A session that was alive until now."""

    user_id: str
    access_expires_at: int


UPDATE_LIVE_SESSIONS = Statement(
    """
    UPDATE sessions SET revoked_at = :now, revoked_reason = :cause
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
        AND revoked_at IS NULL AND (expires_at > :now OR access_expires_at > :now)
    RETURNING user_id, access_expires_at
    """,
    """
    UPDATE sessions SET revoked_at = :now, revoked_reason = :cause
    WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)
        AND revoked_at IS NULL AND (expires_at > :now OR access_expires_at > :now)
    RETURNING user_id, access_expires_at
    """,
)
GET_LAST_ACCESS = Statement(
    """
    SELECT MAX(access_expires_at) FROM sessions
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND revoked_at IS NULL AND access_expires_at > :now
    """
)
INSERT_SESSION = Statement(
    """
    INSERT INTO sessions (tenant_id, id, user_id, created_at, expires_at, access_expires_at)
    VALUES (:tenant_id, :id, :user_id, :created_at, :expires_at, :access_expires_at)
    """
)


async def insert_sessions(tx: Transaction, sessions: Sequence[Session]) -> None:
    """Insert sessions that are alive."""
    await tx.execute_many(INSERT_SESSION, [msgspec.structs.asdict(session) for session in sessions])


async def update_live_sessions(tx: Transaction, user_ids: Sequence[str], cause: str, now_ms: int) -> list[EndedSession]:
    """Mark every live session of the users as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_LIVE_SESSIONS, user_ids=user_ids, cause=cause, now=now_ms)
    return [EndedSession(row[0], row[1]) for row in rows]


async def get_last_access(reader: Reader, user_id: str, now_ms: int) -> int | None:
    """Return when the last access token of the user's live sessions ends; None when none is out."""
    row = await reader.fetch_one(GET_LAST_ACCESS, user_id=user_id, now=now_ms)
    return None if row is None else row[0]
