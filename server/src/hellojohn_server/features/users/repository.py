"""The users' statements, and those of the counters over them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.kit.text import search_prefixes, search_text
from hellojohn_server.storage.database import Parameter, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_STORED: Final = (*User.__struct_fields__, "username_key", "password_hash", "search_text")
_AT_A_TIME: Final = 25
"""Users inserted between two slices: about 5 ms on SQLite."""

_SETTABLE: Final = tuple(name for name in _STORED if name not in {"id", "password_hash", "created_at"})

# On SQLite `seq` is the creation time, or the next number that is free: the walk jumps over each run of taken numbers
# that user_sequence_runs knows, and the trigger on users joins what it walked over into one run, so nothing is walked
# twice. Triggers keep the two search indexes as well.
INSERT_USER = Statement(
    f"""
    INSERT INTO users (seq, tenant_id, {", ".join(_STORED)}, search_prefixes)
    VALUES (
        (
            WITH RECURSIVE walk (place) AS (
                SELECT :created_at
                UNION ALL
                SELECT COALESCE(
                    (
                        SELECT CASE WHEN next > walk.place THEN next END
                        FROM user_sequence_runs
                        WHERE tenant_id = :tenant_id AND first <= walk.place
                        ORDER BY first DESC
                        LIMIT 1
                    ),
                    walk.place + 1
                )
                FROM walk
                WHERE EXISTS (SELECT 1 FROM users WHERE tenant_id = :tenant_id AND seq = walk.place)
            )
            SELECT MAX(place) FROM walk
        ),
        :tenant_id, {", ".join(f":{name}" for name in _STORED)},
        (SELECT COALESCE(group_concat(value, ' '), '') FROM json_each(:search_prefixes))
    )
    """,
    f"""
    INSERT INTO users (tenant_id, {", ".join(_STORED)}, search_prefixes)
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _STORED)}, :search_prefixes)
    """,
)
UPDATE_USER = Statement(
    f"""
    UPDATE users SET {", ".join(f"{name} = :{name}" for name in _SETTABLE)},
        search_prefixes = (SELECT COALESCE(group_concat(value, ' '), '') FROM json_each(:search_prefixes))
    WHERE tenant_id = :tenant_id AND id = :id
    """,
    f"""
    UPDATE users SET {", ".join(f"{name} = :{name}" for name in _SETTABLE)}, search_prefixes = :search_prefixes
    WHERE tenant_id = :tenant_id AND id = :id
    """,
)
# On PostgreSQL the rows are locked in the order of ids, as commands lock them.
UPDATE_LAST_ACTIVE = Statement(
    """
    UPDATE users SET last_active_at = seen.value
    FROM json_each(:seen) AS seen
    WHERE users.tenant_id = :tenant_id AND users.id = seen.key
        AND (users.last_active_at IS NULL OR users.last_active_at < seen.value)
    """,
    """
    WITH seen AS (
        SELECT key AS id, CAST(value AS bigint) AS seen_at FROM json_each_text(CAST(:seen AS json))
    ), locked AS MATERIALIZED (
        SELECT id FROM users
        WHERE tenant_id = :tenant_id AND id IN (SELECT id FROM seen) ORDER BY id FOR UPDATE
    )
    UPDATE users SET last_active_at = seen.seen_at
    FROM seen JOIN locked ON locked.id = seen.id
    WHERE users.tenant_id = :tenant_id AND users.id = seen.id
        AND (users.last_active_at IS NULL OR users.last_active_at < seen.seen_at)
    """,
)
GET_USER = Statement(f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id")
GET_USER_BY_EMAIL = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND email_key = :email_key"
)
GET_CLOSED_ADDRESS = Statement(
    """
    SELECT address_hash FROM banned_addresses
    WHERE tenant_id = :tenant_id AND address_hash = :address_hash AND (banned_until IS NULL OR banned_until > :now)
    """
)

# The rows that a command is about and, if a super admin is among them, every super admin's: whether one is the last is
# decided while the others stand still. Locked in the order of ids, so that no two commands wait for each other.
LIST_USERS_LOCKED = Statement(
    f"""
    SELECT {USER_COLUMNS} FROM users
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    UNION ALL
    SELECT {USER_COLUMNS} FROM users
    WHERE tenant_id = :tenant_id AND role = 'super_admin' AND EXISTS (
        SELECT 1 FROM users
        WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids)) AND role = 'super_admin'
    )
    """,
    f"""
    SELECT {USER_COLUMNS} FROM users
    WHERE tenant_id = :tenant_id AND (
        id = ANY(:user_ids)
        OR (role = 'super_admin' AND EXISTS (
            SELECT 1 FROM users AS target
            WHERE target.tenant_id = :tenant_id AND target.id = ANY(:user_ids) AND target.role = 'super_admin'
        ))
    )
    ORDER BY id
    FOR UPDATE
    """,
)

CHANGE_COUNTER = Statement(
    """
    INSERT INTO user_counters (tenant_id, facet, users) VALUES (:tenant_id, :facet, :change)
    ON CONFLICT (facet) DO UPDATE SET users = user_counters.users + excluded.users
    """,
    "INSERT INTO user_counter_deltas (tenant_id, facet, users) VALUES (:tenant_id, :facet, :change)",
    kind=Kind.BOOKKEEPING,
)

DELETE_FAILURES = Statement(
    """
    DELETE FROM sign_in_failures
    WHERE tenant_id = :tenant_id AND address_hash IN (SELECT value FROM json_each(:address_hashes))
    """,
    "DELETE FROM sign_in_failures WHERE tenant_id = :tenant_id AND address_hash = ANY(:address_hashes)",
    kind=Kind.BOOKKEEPING,
)


async def get_user(reader: Reader, user_id: str) -> User | None:
    """Return a user, also one in the recycle bin; None when there is none."""
    row = await reader.fetch_one(GET_USER, user_id=user_id)
    return None if row is None else user_of(row)


async def get_user_by_email(reader: Reader, email_key: str) -> User | None:
    """Return the user who has an address, also one in the recycle bin; None when it is free."""
    row = await reader.fetch_one(GET_USER_BY_EMAIL, email_key=email_key)
    return None if row is None else user_of(row)


async def get_closed_address(reader: Reader, address_hash: str, now_ms: int) -> str | None:
    """Return the hash of an address that was banned with an erased user and is closed still; None when it is open."""
    row = await reader.fetch_one(GET_CLOSED_ADDRESS, address_hash=address_hash, now=now_ms)
    return None if row is None else str(row[0])


async def list_users_locked(tx: Transaction, user_ids: Sequence[str]) -> dict[str, User]:
    """Return the users of these ids and, if one is a super admin, every super admin; none changes until `tx` ends."""
    users = [user_of(row) for row in await tx.fetch_all(LIST_USERS_LOCKED, user_ids=user_ids)]
    return {user.id: user for user in users}


async def insert_user(tx: Transaction, user: User, password_hash: str | None) -> None:
    """Insert a user; UniqueViolation when the address, the username or the external id is taken."""
    await tx.execute(INSERT_USER, **_stored(user), password_hash=password_hash)


async def insert_users(tx: Transaction, users: Sequence[User], password_hashes: Mapping[str, str]) -> None:
    """Insert users, some at a time with a slice in between; hashes are by id. UniqueViolation as insert_user."""
    for start in range(0, len(users), _AT_A_TIME):
        if start:
            await tx.slice()
        some = users[start : start + _AT_A_TIME]
        rows = [{**_stored(user), "password_hash": password_hashes.get(user.id)} for user in some]
        await tx.execute_many(INSERT_USER, rows)


async def update_user(tx: Transaction, user: User) -> None:
    """Write a locked user's row anew, but for its password; UniqueViolation as insert_user."""
    stored = _stored(user)
    del stored["created_at"]
    await tx.execute(UPDATE_USER, **stored)


async def update_last_active(tx: Transaction, seen: Mapping[str, int]) -> None:
    """Set when these users were last active, in one statement; none goes back, and ids without a user are passed over.

    Neither version nor updated_at changes.
    """
    await tx.execute(UPDATE_LAST_ACTIVE, seen=msgspec.json.encode(seen).decode())


async def update_counters(tx: Transaction, changes: Mapping[str, int]) -> None:
    """Add to the counters of these facets."""
    rows: list[dict[str, Parameter]] = [
        {"facet": facet, "change": change} for facet, change in sorted(changes.items()) if change
    ]
    if rows:
        await tx.execute_many(CHANGE_COUNTER, rows)


def _stored(user: User) -> dict[str, Any]:
    text = search_text(user.email, user.name, user.username, user.phone, user.id)
    return {
        **msgspec.structs.asdict(user),
        "username_key": None if user.username is None else user.username.casefold(),
        "search_text": text,
        "search_prefixes": search_prefixes(text),
    }


async def delete_failures(tx: Transaction, address_hashes: Sequence[str]) -> None:
    """Forget the failed sign-ins with addresses, and their locks."""
    await tx.execute(DELETE_FAILURES, address_hashes=address_hashes)
