"""The statements of these acts. Where users differ, :given is a JSON object with an array of values for each id."""

from typing import Final

from hellojohn_server.storage.sql import RowUpdate

_VERSION: Final = "updated_at = :now, version = version + 1"
_RAISED: Final = f"generation = generation + 1, {_VERSION}"
_PLACES: Final = [f"(given.value ->> {place})" for place in range(4)]


def _returned(columns: str) -> str:
    return ", ".join(f"users.{name}" for name in ("id", *columns.split(", ")))


def _update(columns: str, assignments: str) -> RowUpdate:
    """Return the statement that changes the users in :given; {n} stands for their values as text, from 0 on."""
    return RowUpdate(
        columns,
        f"""
        UPDATE users SET {assignments.format(*_PLACES)}
        FROM json_each(:given) AS given
        WHERE users.tenant_id = :tenant_id AND users.id = given.key
        RETURNING id, {columns}
        """,
        f"""
        UPDATE users SET {assignments.format(*_PLACES)}
        FROM json_each(CAST(:given AS json)) AS given (key, value)
        WHERE users.tenant_id = :tenant_id AND users.id = given.key
        RETURNING {_returned(columns)}
        """,
    )


_ROLE: Final = "role, generation, updated_at, version"
UPDATE_ROLE = RowUpdate(
    _ROLE,
    f"""
    UPDATE users SET role = :role, {_RAISED}
    WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
    RETURNING id, {_ROLE}
    """,
    f"""
    UPDATE users SET role = :role, {_RAISED} WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
    RETURNING id, {_ROLE}
    """,
)
UPDATE_ROLES = _update(_ROLE, f"role = {{0}}, {_RAISED}")
UPDATE_METADATA = _update(
    "public_metadata, private_metadata, updated_at, version",
    f"public_metadata = {{0}}, private_metadata = {{1}}, {_VERSION}",
)
UPDATE_DISABLED_AGAIN = _update(
    "disabled, disabled_at, disabled_by, disabled_reason, generation, updated_at, version",
    f"disabled = TRUE, disabled_at = CAST({{0}} AS bigint), disabled_by = {{1}}, disabled_reason = {{2}}, {_RAISED}",
)
UPDATE_DELETED_AGAIN = _update(
    "deleted_at, deleted_by, deleted_reason, generation, updated_at, version",
    f"deleted_at = :now, deleted_by = {{0}}, deleted_reason = {{1}}, {_RAISED}",
)
UPDATE_BANNED_AGAIN = _update(
    "banned_at, banned_by, banned_until, ban_reason, generation, updated_at, version",
    f"""
    banned_at = CAST({{0}} AS bigint), banned_by = {{1}}, banned_until = CAST({{2}} AS bigint), ban_reason = {{3}},
    {_RAISED}
    """,
)
