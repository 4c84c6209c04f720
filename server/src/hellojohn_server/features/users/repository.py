"""The users' statements."""

from typing import Any, Final

import msgspec

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.kit.text import search_prefixes, search_text
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_STORED: Final = (*User.__struct_fields__, "username_key", "password_hash", "search_text")
_COLUMNS: Final = ", ".join(_STORED)
_VALUES: Final = ", ".join(f":{name}" for name in _STORED)

# On SQLite `seq` is the creation time, or the next number that is free: the walk jumps over each run of taken numbers
# that user_sequence_runs knows, and the trigger on users joins what it walked over into one run, so nothing is walked
# twice. The triggers keep the two search indexes as well.
INSERT_USER = Statement(
    f"""
    INSERT INTO users (seq, tenant_id, {_COLUMNS}, search_prefixes)
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
        :tenant_id, {_VALUES},
        (SELECT COALESCE(group_concat(value, ' '), '') FROM json_each(:search_prefixes))
    )
    """,
    f"""
    INSERT INTO users (tenant_id, {_COLUMNS}, search_prefixes)
    VALUES (:tenant_id, {_VALUES}, :search_prefixes)
    """,
)


def _searched(user: User) -> dict[str, Parameter]:
    text = search_text(user.email, user.name, user.username, user.phone, user.id)
    return {"search_text": text, "search_prefixes": search_prefixes(text)}


async def insert_user(tx: Transaction, user: User, password_hash: str | None) -> None:
    """Insert a user; UniqueViolation when the address, the username or the external id is taken."""
    await tx.execute(INSERT_USER, **_stored(user), password_hash=password_hash)


def _stored(user: User) -> dict[str, Any]:
    username_key = None if user.username is None else user.username.casefold()
    return {**msgspec.structs.asdict(user), **_searched(user), "username_key": username_key}
