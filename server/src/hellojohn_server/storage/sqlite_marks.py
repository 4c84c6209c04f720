"""What SQLite tells of users without their rows: small indexes in the order of creation, and the key itself."""

from typing import Final

MARKS: Final = {
    "banned": ("users_banned", "x.banned_at IS NOT NULL AND (x.banned_until IS NULL OR x.banned_until > :now)"),
    "deleted": ("users_deleted", "x.deleted_at IS NOT NULL"),
    "disabled": ("users_disabled", "x.disabled"),
    "locked": ("users_lock_marks", "x.locked_until > :now"),
    "mfa": ("users_mfa", "x.mfa_enrolled"),
    "pending": ("users_pending", "x.invited_at IS NOT NULL AND x.last_sign_in_at IS NULL"),
    "role": ("users_role", "x.role = :role"),
    "unverified": ("users_unverified", "NOT x.email_verified"),
}
"""Each mark's index, and what holds for those in it."""

_SEQ_BEFORE: Final = """max({0}, coalesce((
    SELECT next FROM user_sequence_runs WHERE tenant_id = :tenant_id AND first < {0} ORDER BY first DESC LIMIT 1
), {0}))"""
_ROW_SAYS: Final = "EXISTS (SELECT 1 FROM users AS z WHERE z.tenant_id = :tenant_id AND z.seq = {seq} AND z.created_at"


def mark_of(name: str, seq: str) -> str:
    """Return the condition that the user with a number has a mark."""
    index, holds = MARKS[name]
    row = f"y.tenant_id = :tenant_id AND y.seq = {seq} AND {holds.replace('x.', 'y.')}"
    return f"EXISTS (SELECT 1 FROM users AS y INDEXED BY {index} WHERE {row})"


def is_member(seq: str) -> str:
    """Return the condition that the user with a number is a member of :organization_id."""
    row = f"y.tenant_id = :tenant_id AND y.organization_id = :organization_id AND y.user_seq = {seq}"
    return f"EXISTS (SELECT 1 FROM memberships AS y INDEXED BY memberships_newest WHERE {row})"


def seq_before(time: str) -> str:
    """Return a number that is greater than that of everybody created before `time`, in milliseconds.

    A number is the time of creation or the next free one: so it is the end of the run of taken numbers that the time
    falls in.
    """
    return _SEQ_BEFORE.format(time)


DATES: Final = {
    "created_after": f"({{seq}} >= {seq_before(':created_after + 1')} OR {_ROW_SAYS} > :created_after))",
    "created_before": f"({{seq}} < :created_before OR {_ROW_SAYS} < :created_before))",
}
"""The dates as conditions on {seq}: within the run that one falls in, only the row tells."""
