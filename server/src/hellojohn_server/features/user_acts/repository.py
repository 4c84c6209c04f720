"""The statements of acts on users: each one set-based, and returning the users as they are afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from hellojohn_server.features.user_acts.schemas import ClosedAddress
from hellojohn_server.features.users.schemas import User
from hellojohn_server.storage.database import Parameter, Transaction
from hellojohn_server.storage.sql import Kind, RowUpdate, Statement

UsersUpdate: TypeAlias = RowUpdate
"""What changes users."""

_BOOLEANS: Final = frozenset(name for name, kind in User.__annotations__.items() if kind is bool)

_VERSION: Final = "updated_at = :now, version = version + 1"
_VERSIONED: Final = "updated_at, version"
_RAISED: Final = f"generation, {_VERSIONED}"


def _update(columns: str, assignments: str) -> UsersUpdate:
    """Return the statement that changes the users of :user_ids so; `columns` are those that it assigns."""
    return UsersUpdate(
        columns,
        f"""
        UPDATE users SET {assignments}
        WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids))
        RETURNING id, {columns}
        """,
        f"""
        UPDATE users SET {assignments}
        WHERE tenant_id = :tenant_id AND id = ANY(:user_ids)
        RETURNING id, {columns}
        """,
    )


UPDATE_DISABLED = _update(
    f"disabled, disabled_at, disabled_by, disabled_reason, {_RAISED}",
    f"""
    disabled = TRUE, disabled_at = :now, disabled_by = :by, disabled_reason = :reason,
    generation = generation + 1, {_VERSION}
    """,
)
UPDATE_ENABLED = _update(
    f"disabled, disabled_at, disabled_by, disabled_reason, {_VERSIONED}",
    f"disabled = FALSE, disabled_at = NULL, disabled_by = NULL, disabled_reason = NULL, {_VERSION}",
)
# A ban that holds has begun already: it is given another reason and end.
UPDATE_BANNED = _update(
    f"banned_at, banned_by, banned_until, ban_reason, {_RAISED}",
    f"""
    banned_at = CASE WHEN banned_at IS NOT NULL AND (banned_until IS NULL OR banned_until > :now) THEN banned_at
        ELSE :now END,
    banned_by = :by, banned_until = :until, ban_reason = :reason, generation = generation + 1, {_VERSION}
    """,
)
UPDATE_UNBANNED = _update(
    f"banned_at, banned_by, banned_until, ban_reason, {_VERSIONED}",
    f"banned_at = NULL, banned_by = NULL, banned_until = NULL, ban_reason = NULL, {_VERSION}",
)
UPDATE_UNLOCKED = _update(
    f"locked_at, locked_until, {_VERSIONED}", f"locked_at = NULL, locked_until = NULL, {_VERSION}"
)
UPDATE_DELETED = _update(
    f"deleted_at, deleted_by, deleted_reason, {_RAISED}",
    f"deleted_at = :now, deleted_by = :by, deleted_reason = :reason, generation = generation + 1, {_VERSION}",
)
UPDATE_RESTORED = _update(
    f"deleted_at, deleted_by, deleted_reason, {_VERSIONED}",
    f"deleted_at = NULL, deleted_by = NULL, deleted_reason = NULL, {_VERSION}",
)
UPDATE_GENERATION = _update("generation", "generation = generation + 1")
UPDATE_PASSWORD = _update(
    f"password_reset_required, {_RAISED}",
    f"""
    password_hash = :password_hash, password_reset_required = FALSE, generation = generation + :raised,
    {_VERSION}
    """,
)
DELETE_USERS = UsersUpdate(
    "",
    "DELETE FROM users WHERE tenant_id = :tenant_id AND id IN (SELECT value FROM json_each(:user_ids)) RETURNING id",
    "DELETE FROM users WHERE tenant_id = :tenant_id AND id = ANY(:user_ids) RETURNING id",
)
DELETE_MEMBERSHIPS = Statement(
    """
    DELETE FROM memberships
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM memberships WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
DELETE_INVITATIONS = Statement(
    """
    DELETE FROM organization_invitations
    WHERE tenant_id = :tenant_id AND email_key IN (SELECT value FROM json_each(:address_keys))
    """,
    "DELETE FROM organization_invitations WHERE tenant_id = :tenant_id AND email_key = ANY(:address_keys)",
)
DELETE_FACTORS = Statement(
    """
    DELETE FROM mfa_factors
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM mfa_factors WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
DELETE_EMAILS = Statement(
    """
    DELETE FROM emails
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM emails WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
    kind=Kind.BOOKKEEPING,
)
# An invitation to an organization may go to an address before somebody with it is a user.
DELETE_EMAILS_TO = Statement(
    """
    DELETE FROM emails
    WHERE tenant_id = :tenant_id AND address_key IN (SELECT value FROM json_each(:address_keys))
    """,
    "DELETE FROM emails WHERE tenant_id = :tenant_id AND address_key = ANY(:address_keys)",
    kind=Kind.BOOKKEEPING,
)
DELETE_PLANNED = Statement(
    """
    DELETE FROM plan_users
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM plan_users WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
    kind=Kind.BOOKKEEPING,
)
DELETE_REPORTED = Statement(
    """
    DELETE FROM job_users
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM job_users WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
    kind=Kind.BOOKKEEPING,
)
DELETE_BACKUP_CODES = Statement(
    """
    DELETE FROM mfa_backup_codes
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM mfa_backup_codes WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
DELETE_MFA_FAILURES = Statement(
    """
    DELETE FROM mfa_failures
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM mfa_failures WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
DELETE_CHALLENGES = Statement(
    """
    DELETE FROM mfa_challenges
    WHERE tenant_id = :tenant_id AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    "DELETE FROM mfa_challenges WHERE tenant_id = :tenant_id AND user_id = ANY(:user_ids)",
)
# What shows an address that nobody had then has the hash of it as its subject.
DELETE_ANSWERS = Statement(
    """
    DELETE FROM idempotency_records
    WHERE tenant_id = :tenant_id AND subject_id IN (SELECT value FROM json_each(:subject_ids))
    """,
    "DELETE FROM idempotency_records WHERE tenant_id = :tenant_id AND subject_id = ANY(:subject_ids)",
    kind=Kind.BOOKKEEPING,
)
# What is there already is of a ban that has ended: nobody could have taken the address before.
INSERT_CLOSED_ADDRESS = Statement(
    """
    INSERT INTO banned_addresses (tenant_id, address_hash, banned_until, created_at)
    VALUES (:tenant_id, :address_hash, :banned_until, :created_at)
    ON CONFLICT (address_hash) DO UPDATE
    SET banned_until = excluded.banned_until, created_at = excluded.created_at
    """,
    """
    INSERT INTO banned_addresses (tenant_id, address_hash, banned_until, created_at)
    VALUES (:tenant_id, :address_hash, :banned_until, :created_at)
    ON CONFLICT (tenant_id, address_hash) DO UPDATE
    SET banned_until = excluded.banned_until, created_at = excluded.created_at
    """,
)
DELETE_FAILURES = Statement(
    """
    DELETE FROM sign_in_failures
    WHERE tenant_id = :tenant_id AND address_hash IN (SELECT value FROM json_each(:address_hashes))
    """,
    "DELETE FROM sign_in_failures WHERE tenant_id = :tenant_id AND address_hash = ANY(:address_hashes)",
    kind=Kind.BOOKKEEPING,
)


async def update_users(
    tx: Transaction, update: UsersUpdate, users: Mapping[str, User], values: Mapping[str, Parameter]
) -> dict[str, User]:
    """Change users, who are held, and return them as they are then. Of `values` it takes those that it names."""
    if not users:
        return {}
    given: dict[str, Parameter] = {"user_ids": list(users), **values}
    named = {name: value for name, value in given.items() if name in update.names}
    after: dict[str, User] = {}
    for user_id, *values_after in await tx.fetch_all(update, **named):
        changed: dict[str, Any] = dict(zip(update.columns, values_after, strict=True))
        for name in _BOOLEANS & changed.keys():
            changed[name] = bool(changed[name])
        after[user_id] = msgspec.structs.replace(users[user_id], **changed)
    return after


async def delete_failures(tx: Transaction, address_hashes: Sequence[str]) -> None:
    """Forget the failed sign-ins with these addresses, and the locks that they led to."""
    await tx.execute(DELETE_FAILURES, address_hashes=address_hashes)


async def delete_held(tx: Transaction, user_ids: Sequence[str], address_keys: Sequence[str]) -> None:
    """Delete what is held of users beside their rows and sessions: memberships, factors, mail, plans and reports."""
    for statement in (
        DELETE_MEMBERSHIPS,
        DELETE_FACTORS,
        DELETE_BACKUP_CODES,
        DELETE_MFA_FAILURES,
        DELETE_CHALLENGES,
        DELETE_EMAILS,
        DELETE_PLANNED,
        DELETE_REPORTED,
    ):
        await tx.execute(statement, user_ids=user_ids)
    for statement in (DELETE_EMAILS_TO, DELETE_INVITATIONS):
        await tx.execute(statement, address_keys=address_keys)


async def delete_answers(tx: Transaction, subject_ids: Sequence[str]) -> None:
    """Delete the answers kept for retries that are about these users, or show addresses with these hashes."""
    await tx.execute(DELETE_ANSWERS, subject_ids=subject_ids)


async def insert_closed_addresses(tx: Transaction, addresses: Sequence[ClosedAddress]) -> None:
    """Close addresses to everybody."""
    if addresses:
        await tx.execute_many(INSERT_CLOSED_ADDRESS, [msgspec.structs.asdict(address) for address in addresses])
