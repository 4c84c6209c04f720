"""The sessions' statements."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.sessions.schemas import (
    SESSION_COLUMNS,
    Ending,
    Session,
    SessionStatus,
    Terms,
    session_of,
)
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.refresh_tokens import RefreshToken
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Parameter, Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = Session.__struct_fields__
_LIVE: Final = "revoked_at IS NULL AND (expires_at > :now OR access_expires_at > :now)"
_REVOKE: Final = "UPDATE sessions SET revoked_at = :now, revoked_reason = :cause, revoked_by = :by"


class EndedSession(msgspec.Struct, frozen=True):
    """A session that was alive until now. `last_used_at` is when its last access token was made, if that was asked."""

    id: str
    user_id: str
    access_expires_at: int
    last_used_at: int = 0


UPDATE_LIVE_SESSIONS = Statement(
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids)) AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """,
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids) AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """,
)
UPDATE_OTHER_SESSIONS = Statement(
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND id <> :kept_id AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """
)
UPDATE_IMPERSONATIONS_OF = Statement(
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
        AND impersonator_id IS NOT NULL AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """,
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids) AND impersonator_id IS NOT NULL AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """,
)
UPDATE_IMPERSONATIONS_BY = Statement(
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND impersonator_id = :impersonator_id AND {_LIVE}
    RETURNING id, user_id, access_expires_at
    """
)
UPDATE_IMPERSONATIONS_END = Statement(
    """
    UPDATE sessions SET expires_at = :ends_at
    WHERE tenant_id = :tenant_id AND impersonator_id = :impersonator_id AND revoked_at IS NULL AND expires_at > :ends_at
    RETURNING id, user_id, access_expires_at
    """
)
UPDATE_LIVE_SESSION = Statement(
    f"{_REVOKE} WHERE tenant_id = :tenant_id AND id = :id AND {_LIVE} RETURNING {SESSION_COLUMNS}"
)
_NEXT_LIVE: Final = f"""
    SELECT id FROM sessions WHERE tenant_id = :tenant_id AND id > :after AND id < :until AND {_LIVE}
    ORDER BY id LIMIT :rows
"""
# Locked before they are changed: one that somebody else ends meanwhile is passed over, and another taken in its place.
UPDATE_NEXT_LIVE_SESSIONS = Statement(
    f"""
    {_REVOKE} WHERE tenant_id = :tenant_id AND id IN ({_NEXT_LIVE})
    RETURNING id, user_id, access_expires_at, COALESCE(last_refreshed_at, created_at)
    """,
    f"""
    WITH chosen AS MATERIALIZED ({_NEXT_LIVE} FOR UPDATE)
    {_REVOKE} WHERE tenant_id = :tenant_id AND id IN (SELECT id FROM chosen)
    RETURNING id, user_id, access_expires_at, COALESCE(last_refreshed_at, created_at)
    """,
)
# Every live one is held, also one of which no token is out: who refreshes it meanwhile has come before, and the new
# token is seen here, or comes after, and sees what the act has changed.
LIST_ACCESS_LOCKED = Statement(
    f"""
    SELECT user_id, access_expires_at FROM sessions
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids)) AND {_LIVE}
    """,
    f"""
    SELECT user_id, access_expires_at FROM sessions
    WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids) AND {_LIVE}
    FOR NO KEY UPDATE
    """,
)
GET_SESSION = Statement(f"SELECT {SESSION_COLUMNS} FROM sessions WHERE tenant_id = :tenant_id AND id = :id")
INSERT_SESSION = Statement(
    f"""
    INSERT INTO sessions (tenant_id, {SESSION_COLUMNS}, family_hash, refresh_hash)
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _FIELDS)}, :family_hash, :refresh_hash)
    """
)

# The token that is good now makes way for the next one; whoever comes second finds it gone.
# An access token that was made before may pass for longer than the new one.
_REFRESHED_WHERE: Final = f"""
    WHERE tenant_id = :tenant_id AND id = :id AND family_hash = :family_hash AND refresh_hash = :used_hash
        AND revoked_at IS NULL AND expires_at > :now AND created_at + :lifetime > :now
        AND COALESCE(last_refreshed_at, created_at) + :idle > :now
    RETURNING {SESSION_COLUMNS}
"""
UPDATE_REFRESHED = Statement(
    f"""
    UPDATE sessions SET refresh_hash = :new_hash, last_refreshed_at = :now,
        expires_at = MIN(:idle_end, created_at + :lifetime),
        access_expires_at = MAX(access_expires_at, MIN(:access_end, created_at + :lifetime))
    {_REFRESHED_WHERE}
    """,
    f"""
    UPDATE sessions SET refresh_hash = :new_hash, last_refreshed_at = :now,
        expires_at = LEAST(:idle_end, created_at + :lifetime),
        access_expires_at = GREATEST(access_expires_at, LEAST(:access_end, created_at + :lifetime))
    {_REFRESHED_WHERE}
    """,
)
# The user's own alone; the newest `kept` stay.
UPDATE_OLDER_SESSIONS = Statement(
    f"""
    {_REVOKE}
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND impersonator_id IS NULL
        AND revoked_at IS NULL AND expires_at > :now AND id NOT IN (
            SELECT id FROM sessions
            WHERE tenant_id = :tenant_id AND user_id = :user_id AND impersonator_id IS NULL
                AND revoked_at IS NULL AND expires_at > :now
            ORDER BY id DESC LIMIT :kept
        )
    RETURNING id, user_id, access_expires_at
    """
)
UPDATE_PLACE = Statement(
    f"""
    UPDATE sessions SET organization_id = :organization_id, organization_role = :role
    WHERE tenant_id = :tenant_id AND id = :id
    RETURNING {SESSION_COLUMNS}
    """
)
UPDATE_ROLE_IN_PLACE = Statement(
    """
    UPDATE sessions SET organization_role = :role
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id = :user_id
    """
)
DELETE_PLACE = Statement(
    """
    UPDATE sessions SET organization_id = NULL, organization_role = NULL
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND user_id = :user_id
    """
)
DELETE_PLACES = Statement(
    """
    UPDATE sessions SET organization_id = NULL, organization_role = NULL
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id
    """
)
GET_FAMILY = Statement(
    f"""
    SELECT {SESSION_COLUMNS}, refresh_hash, family_hash FROM sessions
    WHERE tenant_id = :tenant_id AND id = :id
    """
)
DELETE_ENDED_SESSIONS = Statement(
    """
    DELETE FROM sessions WHERE tenant_id = :tenant_id AND id IN (
        SELECT id FROM sessions WHERE tenant_id = :tenant_id AND expires_at <= :before ORDER BY expires_at LIMIT :rows
    )
    """
)
DELETE_SESSIONS_OF = Statement(
    """
    DELETE FROM sessions
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM sessions WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
GET_NEXT_END = Statement("SELECT MIN(expires_at) FROM sessions WHERE tenant_id = :tenant_id AND expires_at <= :until")


class SessionFilter(msgspec.Struct, frozen=True):
    """Which sessions are meant."""

    user_id: str | None
    status: SessionStatus
    impersonated: bool | None


_OF_STATUS: Final = {
    SessionStatus.ACTIVE: "revoked_at IS NULL AND expires_at > :now",
    SessionStatus.EXPIRED: "revoked_at IS NULL AND expires_at <= :now",
    SessionStatus.REVOKED: "revoked_at IS NOT NULL",
}
_OF_KIND: Final = {True: "impersonator_id IS NOT NULL", False: "impersonator_id IS NULL"}


@cache
def _list_statement(status: SessionStatus, *, by_user: bool, owned: bool, foreign: bool, after: bool) -> Statement:
    conditions = ["tenant_id = :tenant_id", _OF_STATUS[status]]
    if by_user:
        conditions.append("user_id = :user_id")
    if owned:
        conditions.append(_OF_KIND[False])
    if foreign:
        conditions.append(_OF_KIND[True])
    where = " AND ".join(conditions)
    page_where = f"{where} AND id < :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT id FROM sessions WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded)
            AS counted
        LEFT JOIN (SELECT {SESSION_COLUMNS} FROM sessions WHERE {page_where} ORDER BY id DESC LIMIT :rows)
            AS page ON TRUE
        ORDER BY page.id DESC
        """
    )


async def insert_sessions(tx: Transaction, sessions: Sequence[Session]) -> None:
    """Insert sessions that cannot be refreshed."""
    await tx.execute_many(INSERT_SESSION, [_stored(session, None) for session in sessions])


async def insert_session(tx: Transaction, session: Session, refresh: RefreshToken | None) -> None:
    """Insert a session with its first refresh token; None: it cannot be refreshed."""
    await tx.execute_many(INSERT_SESSION, [_stored(session, refresh)])


async def get_session(reader: Reader, session_id: str) -> Session | None:
    """Return a session, whatever its status, or None."""
    row = await reader.fetch_one(GET_SESSION, id=session_id)
    return None if row is None else session_of(row)


async def get_session_of_family(reader: Reader, token: RefreshToken) -> tuple[Session, bool] | None:
    """Return the session that a refresh token is of, and whether it is the newest; None when it is of none."""
    row = await reader.fetch_one(GET_FAMILY, id=token.session_id)
    return None if row is None or row[-1] != token.family_hash else (session_of(row), row[-2] == token.token_hash)


async def list_sessions(
    reader: Reader, wanted: SessionFilter, rows: int, after: str | None, now_ms: int
) -> tuple[int, Sequence[Session]]:
    """Return how many match (counted to one above COUNT_CAP) and up to `rows` of them, newest first, below `after`."""
    parameters: dict[str, Parameter] = {"rows": rows}
    if wanted.status is not SessionStatus.REVOKED:
        parameters["now"] = now_ms
    if wanted.user_id is not None:
        parameters["user_id"] = wanted.user_id
    if after is not None:
        parameters["after"] = after
    statement = _list_statement(
        wanted.status,
        by_user=wanted.user_id is not None,
        owned=wanted.impersonated is False,
        foreign=wanted.impersonated is True,
        after=after is not None,
    )
    found = await reader.fetch_all(statement, **parameters)
    return found[0][0], [session_of(row[1:]) for row in found if row[1] is not None]


async def update_live_sessions(tx: Transaction, user_ids: Sequence[str], ending: Ending) -> list[EndedSession]:
    """Mark every live session of the users as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_LIVE_SESSIONS, user_ids=user_ids, **_facts_of(ending))
    return [EndedSession(*row) for row in rows]


async def update_other_sessions(tx: Transaction, user_id: str, kept_id: str, ending: Ending) -> list[EndedSession]:
    """Mark every live session of a user but one as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_OTHER_SESSIONS, user_id=user_id, kept_id=kept_id, **_facts_of(ending))
    return [EndedSession(*row) for row in rows]


async def update_older_sessions(tx: Transaction, user_id: str, kept: int, ending: Ending) -> list[EndedSession]:
    """Mark all but the newest `kept` of a user's own active sessions as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_OLDER_SESSIONS, user_id=user_id, kept=kept, **_facts_of(ending))
    return [EndedSession(*row) for row in rows]


async def update_impersonations_of(tx: Transaction, user_ids: Sequence[str], ending: Ending) -> list[EndedSession]:
    """Mark every live impersonation of the users as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_IMPERSONATIONS_OF, user_ids=user_ids, **_facts_of(ending))
    return [EndedSession(*row) for row in rows]


async def update_impersonations_by(tx: Transaction, impersonator_id: str, ending: Ending) -> list[EndedSession]:
    """Mark every live impersonation that a credential made as revoked, and return what was ended."""
    rows = await tx.fetch_all(UPDATE_IMPERSONATIONS_BY, impersonator_id=impersonator_id, **_facts_of(ending))
    return [EndedSession(*row) for row in rows]


async def update_impersonations_end(tx: Transaction, impersonator_id: str, ends_at: int) -> list[EndedSession]:
    """Let no impersonation that a credential made last beyond `ends_at`, and return those that would have."""
    rows = await tx.fetch_all(UPDATE_IMPERSONATIONS_END, impersonator_id=impersonator_id, ends_at=ends_at)
    return [EndedSession(*row) for row in rows]


async def update_live_session(tx: Transaction, session_id: str, ending: Ending) -> Session | None:
    """Mark a live session as revoked and return it; None when it is over already, or there is none."""
    row = await consume_once(tx, UPDATE_LIVE_SESSION, id=session_id, **_facts_of(ending))
    return None if row is None else session_of(row)


async def update_next_live_sessions(
    tx: Transaction, between: tuple[str, str], rows: int, ending: Ending
) -> list[EndedSession]:
    """Mark up to `rows` live sessions with ids between these two as revoked, and return them."""
    found = await tx.fetch_all(
        UPDATE_NEXT_LIVE_SESSIONS, after=between[0], until=between[1], rows=rows, **_facts_of(ending)
    )
    return [EndedSession(*row) for row in found]


async def update_refreshed(
    tx: Transaction, used: RefreshToken, fresh: RefreshToken, terms: Terms, now_ms: int
) -> Session | None:
    """Put `fresh` in the place of `used`, and return the session; None when `used` is not good (any more)."""
    idle_end = now_ms + terms.idle_ms
    row = await consume_once(
        tx,
        UPDATE_REFRESHED,
        id=used.session_id,
        family_hash=used.family_hash,
        used_hash=used.token_hash,
        new_hash=fresh.token_hash,
        idle=terms.idle_ms,
        idle_end=idle_end,
        lifetime=terms.lifetime_ms,
        access_end=terms.access_end(idle_end, now_ms),
        now=now_ms,
    )
    return None if row is None else session_of(row)


async def update_place(
    tx: Transaction, session_id: str, organization_id: str | None, role: str | None
) -> Session | None:
    """Write which organization the user of a session is active in, and return the session; None when it is gone."""
    row = await tx.fetch_one(UPDATE_PLACE, id=session_id, organization_id=organization_id, role=role)
    return None if row is None else session_of(row)


async def update_role_in_place(tx: Transaction, organization_id: str, user_id: str, role: str) -> None:
    """Write as what a user is active in an organization, in every session that is."""
    await tx.execute(UPDATE_ROLE_IN_PLACE, organization_id=organization_id, user_id=user_id, role=role)


async def delete_places(tx: Transaction, organization_id: str, user_id: str | None) -> None:
    """Have no session of a user (None: of anybody) be active in an organization any more."""
    if user_id is None:
        await tx.execute(DELETE_PLACES, organization_id=organization_id)
    else:
        await tx.execute(DELETE_PLACE, organization_id=organization_id, user_id=user_id)


async def delete_ended_sessions(tx: Transaction, before: int, rows: int) -> int:
    """Delete up to `rows` sessions that expired by `before`, and return how many."""
    return await tx.execute(DELETE_ENDED_SESSIONS, before=before, rows=rows)


async def delete_sessions_of(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Delete every session of these users."""
    await tx.execute(DELETE_SESSIONS_OF, user_ids=user_ids)


async def get_next_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first of the tenant's sessions that expire by `until` does or did; None when none does."""
    row = await reader.fetch_one(GET_NEXT_END, until=until)
    return None if row is None else row[0]


async def list_access_locked(tx: Transaction, user_ids: Sequence[str], now_ms: int) -> dict[str, int]:
    """Return, for each user of whom an access token is out, when the last one ends; the sessions are held."""
    last: dict[str, int] = {}
    for user_id, access_expires_at in await tx.fetch_all(LIST_ACCESS_LOCKED, user_ids=user_ids, now=now_ms):
        if access_expires_at > max(now_ms, last.get(user_id, 0)):
            last[user_id] = access_expires_at
    return last


def _facts_of(ending: Ending) -> dict[str, Parameter]:
    return {"cause": ending.cause.value, "by": ending.by, "now": ending.at}


def _stored(session: Session, refresh: RefreshToken | None) -> dict[str, Parameter]:
    return {
        **msgspec.structs.asdict(session),
        "amr": msgspec.json.encode(session.amr).decode(),
        "family_hash": None if refresh is None else refresh.family_hash,
        "refresh_hash": None if refresh is None else refresh.token_hash,
    }
