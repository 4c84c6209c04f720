"""What can be asked of a user's row, as both engines are given it."""

from collections.abc import Mapping
from typing import Final

_NOT_BANNED: Final = "(u.banned_at IS NULL OR u.banned_until <= :now)"
_NOT_LOCKED: Final = "(u.locked_until IS NULL OR u.locked_until <= :now)"
NOT_STOPPED: Final = f"u.deleted_at IS NULL AND {_NOT_BANNED} AND NOT u.disabled AND {_NOT_LOCKED}"
_MEMBER: Final = """EXISTS (
    SELECT 1 FROM memberships AS m
    WHERE m.tenant_id = :tenant_id AND m.organization_id = :organization_id AND m.user_id = u.id
)"""

CONDITIONS: Final[Mapping[str, str]] = {
    "active": f"{NOT_STOPPED} AND (u.invited_at IS NULL OR u.last_sign_in_at IS NOT NULL)",
    "banned": (
        "u.deleted_at IS NULL AND {0}u.banned_at IS NOT NULL AND (u.banned_until IS NULL OR u.banned_until > :now)"
    ),
    "created_after": "{0}u.created_at > :created_after",
    "created_before": "{0}u.created_at < :created_before",
    "deleted": "{0}u.deleted_at IS NOT NULL",
    "disabled": "{0}u.disabled",
    "email": "{0}u.email_key = :email_key",
    "email_not_verified": "NOT u.email_verified",
    "email_verified": "u.email_verified",
    "enabled": "NOT u.disabled",
    "external_id": "{0}u.external_id = :external_id",
    "last_active_after": "{0}u.last_active_at > :last_active_after",
    "last_active_before": "{0}u.last_active_at < :last_active_before",
    "locked": f"u.deleted_at IS NULL AND {_NOT_BANNED} AND NOT u.disabled AND {{0}}u.locked_until > :now",
    "mfa_enrolled": "u.mfa_enrolled",
    "mfa_not_enrolled": "NOT u.mfa_enrolled",
    "not_deleted": "u.deleted_at IS NULL",
    "organization": _MEMBER,
    "pending": f"{NOT_STOPPED} AND {{0}}u.invited_at IS NOT NULL AND {{0}}u.last_sign_in_at IS NULL",
    "role": "{0}u.role = :role",
    "status_disabled": f"u.deleted_at IS NULL AND {_NOT_BANNED} AND {{0}}u.disabled",
}
"""What each condition asks of a user `u`. {0} is a + on SQLite when another drives: no index of the column is used."""


def on_postgres(condition: str, *, beside_words: bool) -> str:
    """Return a condition as PostgreSQL is given it.

    Beside words it does not look into the indexes of the two states that a fifth of all users have: to put so many
    into a bitmap takes longer than to look at the rows that a word is found in.
    """
    text = CONDITIONS[condition].format("")
    for column in ("u.mfa_enrolled", "u.email_verified") if beside_words else ():
        text = text.replace(column, f"COALESCE({column}, FALSE)")
    return text
