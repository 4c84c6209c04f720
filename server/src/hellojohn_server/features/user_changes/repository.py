"""The statements of these acts. Where users differ, :given is a JSON object with an array of values for each id."""

from typing import Final

from hellojohn_server.features.users.schemas import USER_COLUMNS, user_columns
from hellojohn_server.storage.sql import Statement

_VERSION: Final = "updated_at = :now, version = version + 1"
_RAISED: Final = f"generation = generation + 1, {_VERSION}"


def _update(assignments: str) -> tuple[str, str]:
    """Return the two forms of a statement that changes the users in :given; {n} stands for their values, from 0 on.

    An {n!s} is text; a number is cast by the caller.
    """
    return (
        f"""
        UPDATE users SET {assignments.format(*(f"(given.value ->> {place})" for place in range(4)))}
        FROM json_each(:given) AS given
        WHERE users.tenant_id = :tenant_id AND users.id = given.key
        RETURNING {USER_COLUMNS}
        """,
        f"""
        UPDATE users SET {assignments.format(*(f"(given.value ->> {place})" for place in range(4)))}
        FROM json_each(CAST(:given AS json)) AS given (key, value)
        WHERE users.tenant_id = :tenant_id AND users.id = given.key
        RETURNING {user_columns("users")}
        """,
    )


UPDATE_ROLE = Statement(
    f"""
    UPDATE users SET role = :role, {_RAISED}
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    RETURNING {USER_COLUMNS}
    """,
    f"""
    UPDATE users SET role = :role, {_RAISED} WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    RETURNING {USER_COLUMNS}
    """,
)
UPDATE_ROLES = Statement(*_update(f"role = {{0}}, {_RAISED}"))
UPDATE_METADATA = Statement(*_update(f"public_metadata = {{0}}, private_metadata = {{1}}, {_VERSION}"))
UPDATE_DISABLED_AGAIN = Statement(
    *_update(
        f"""
        disabled = TRUE, disabled_at = CAST({{0}} AS bigint), disabled_by = {{1}}, disabled_reason = {{2}}, {_RAISED}
        """
    )
)
UPDATE_DELETED_AGAIN = Statement(*_update(f"deleted_at = :now, deleted_by = {{0}}, deleted_reason = {{1}}, {_RAISED}"))
_BAN: Final = f"""
    banned_at = CAST({{0}} AS bigint), banned_by = {{1}}, banned_until = CAST({{2}} AS bigint), ban_reason = {{3}},
    {_RAISED}
"""
UPDATE_BANNED_AGAIN = Statement(*_update(_BAN))
