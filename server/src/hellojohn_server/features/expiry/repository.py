"""The statements that find what has ended, and end it in the rows too.

Each first question goes by a range of times, which on PostgreSQL is over the rows of all tenants together: without an
upper end it could walk past those of every other tenant.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Statement


class Ended(msgspec.Struct, frozen=True):
    """A user whose ban or lock ended at `until`."""

    user_id: str
    until: int


GET_NEXT_BAN_END = Statement(
    "SELECT MIN(banned_until) FROM users WHERE tenant_id = :tenant_id AND banned_until <= :until"
)
GET_NEXT_LOCK_END = Statement(
    "SELECT MIN(locked_until) FROM users WHERE tenant_id = :tenant_id AND locked_until <= :until"
)
GET_NEXT_FAILURES_END = Statement(
    "SELECT MIN(expires_at) FROM sign_in_failures WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
GET_NEXT_ADDRESS_END = Statement(
    "SELECT MIN(banned_until) FROM banned_addresses WHERE tenant_id = :tenant_id AND banned_until <= :until"
)
GET_NEXT_DELETED = Statement("SELECT MIN(deleted_at) FROM users WHERE tenant_id = :tenant_id AND deleted_at <= :until")

# On PostgreSQL a row that somebody else is changing is passed over: it is another worker's, or its ban is being lifted
# or lengthened, and the next look decides. One that was changed just before is judged by what it is now.
_ENDED_BANS: Final = """
    SELECT id, banned_until FROM users WHERE tenant_id = :tenant_id AND banned_until <= :now
    ORDER BY banned_until LIMIT :rows
"""
_ENDED_LOCKS: Final = """
    SELECT id, locked_until FROM users WHERE tenant_id = :tenant_id AND locked_until <= :now
    ORDER BY locked_until LIMIT :rows
"""
_OVERDUE: Final = f"""
    SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND deleted_at <= :before
    ORDER BY deleted_at LIMIT :rows
"""
LIST_ENDED_BANS = Statement(_ENDED_BANS, f"{_ENDED_BANS} FOR UPDATE SKIP LOCKED")
LIST_ENDED_LOCKS = Statement(_ENDED_LOCKS, f"{_ENDED_LOCKS} FOR UPDATE SKIP LOCKED")
LIST_OVERDUE_USERS = Statement(_OVERDUE, f"{_OVERDUE} FOR UPDATE SKIP LOCKED")
UPDATE_ENDED_BANS = Statement(
    """
    UPDATE users SET banned_at = NULL, banned_by = NULL, banned_until = NULL, ban_reason = NULL
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    """,
    """
    UPDATE users SET banned_at = NULL, banned_by = NULL, banned_until = NULL, ban_reason = NULL
    WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    """,
)
UPDATE_ENDED_LOCKS = Statement(
    """
    UPDATE users SET locked_at = NULL, locked_until = NULL
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    """,
    """
    UPDATE users SET locked_at = NULL, locked_until = NULL
    WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    """,
)

# The time is asked for twice: on PostgreSQL a row may have been given a later one while the DELETE waited for it.
DELETE_ENDED_FAILURES = Statement(
    """
    DELETE FROM sign_in_failures
    WHERE tenant_id = :tenant_id AND expires_at <= :now AND address_hash IN (
        SELECT address_hash FROM sign_in_failures
        WHERE tenant_id = :tenant_id AND expires_at <= :now ORDER BY expires_at LIMIT :rows
    )
    """
)
DELETE_ENDED_ADDRESSES = Statement(
    """
    DELETE FROM banned_addresses
    WHERE tenant_id = :tenant_id AND banned_until <= :now AND address_hash IN (
        SELECT address_hash FROM banned_addresses
        WHERE tenant_id = :tenant_id AND banned_until <= :now ORDER BY banned_until LIMIT :rows
    )
    """
)


async def get_next_ban_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first ban that ends by `until` ends or has ended; None when there is none."""
    return await _get_next(reader, GET_NEXT_BAN_END, until)


async def get_next_lock_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first lock that ends by `until` ends or has ended; None when there is none."""
    return await _get_next(reader, GET_NEXT_LOCK_END, until)


async def get_next_failures_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when failed sign-ins stop to count, the first that do by `until`; None when there are none."""
    return await _get_next(reader, GET_NEXT_FAILURES_END, until)


async def get_next_address_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first banned address of an erased user that opens by `until` does; None when none does."""
    return await _get_next(reader, GET_NEXT_ADDRESS_END, until)


async def get_next_deleted(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first of the users in the recycle bin came there, of those who came by `until`, or None."""
    return await _get_next(reader, GET_NEXT_DELETED, until)


async def list_ended_bans(tx: Transaction, now_ms: int, rows: int) -> list[Ended]:
    """Return up to `rows` users whose ban ended by `now_ms`, whom nobody else changes until `tx` ends."""
    return [Ended(*row) for row in await tx.fetch_all(LIST_ENDED_BANS, now=now_ms, rows=rows)]


async def list_ended_locks(tx: Transaction, now_ms: int, rows: int) -> list[Ended]:
    """Return up to `rows` users whose lock ended by `now_ms`, whom nobody else changes until `tx` ends."""
    return [Ended(*row) for row in await tx.fetch_all(LIST_ENDED_LOCKS, now=now_ms, rows=rows)]


async def list_overdue_users(tx: Transaction, before: int, rows: int) -> list[User]:
    """Return up to `rows` users in the recycle bin since `before`, whom nobody else changes until `tx` ends."""
    return [user_of(row) for row in await tx.fetch_all(LIST_OVERDUE_USERS, before=before, rows=rows)]


async def update_ended_bans(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Clear the bans of locked users. Their versions stay: what is shown of them has been so since the ban ended."""
    await tx.execute(UPDATE_ENDED_BANS, user_ids=user_ids)


async def update_ended_locks(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Clear the locks of locked users. Their versions stay as well."""
    await tx.execute(UPDATE_ENDED_LOCKS, user_ids=user_ids)


async def delete_ended_failures(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete the failed sign-ins of up to `rows` addresses that count no longer, and return how many."""
    return await tx.execute(DELETE_ENDED_FAILURES, now=now_ms, rows=rows)


async def delete_ended_addresses(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to `rows` banned addresses whose ban has ended, and return how many."""
    return await tx.execute(DELETE_ENDED_ADDRESSES, now=now_ms, rows=rows)


async def _get_next(reader: Reader, statement: Statement, until: int) -> int | None:
    row = await reader.fetch_one(statement, until=until)
    return None if row is None else row[0]
