"""The statements of signing in."""

from typing import Final

import msgspec

from hellojohn_server.features.tenant_settings.schemas import LockoutSettings
from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_columns, user_of
from hellojohn_server.kit.times import duration_seconds
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, Statement

_USER_WIDTH: Final = len(User.__struct_fields__)


class Candidate(msgspec.Struct, frozen=True):
    """Who may be signing in: the user who has the address, the hash of the password, and until when it is locked.

    `settings` are the tenant's, as stored.
    """

    address_hash: str
    user: User | None = None
    password_hash: str | None = None
    locked_until: int | None = None
    settings: str | None = None


class Proof(msgspec.Struct, frozen=True):
    """Which hash of a user's the given password matches, which is to be kept, and when the user was last active."""

    user_id: str
    verified_hash: str
    password_hash: str
    active_at: int | None = None


class SignInFailures(msgspec.Struct, frozen=True):
    """What a failed sign-in came to: until when the address is locked, if it is, and until when the count is kept."""

    locked_until: int | None
    expires_at: int


# A row whether or not anybody has the address.
GET_CANDIDATE = Statement(
    f"""
    SELECT {user_columns("u")}, u.password_hash, f.locked_until, (
        SELECT document FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config'
    ) AS settings
    FROM (SELECT 1) AS asked
    LEFT JOIN users AS u ON u.tenant_id = :tenant_id AND u.email_key = :email_key
    LEFT JOIN sign_in_failures AS f ON f.tenant_id = :tenant_id AND f.address_hash = :address_hash
    """
)
GET_PASSWORD = Statement(
    f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE tenant_id = :tenant_id AND id = :user_id"
)
GET_USER = Statement(f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id")
LOCK_USER = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id",
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id FOR UPDATE",
)
GET_LOCK = Statement(
    "SELECT locked_until FROM sign_in_failures WHERE tenant_id = :tenant_id AND address_hash = :address_hash"
)
# An address that is locked is not counted on: there is no row to return then. The times of failures are kept, so that
# every stretch of the window's length is judged. The failure that locks forgets them: after a lock they begin anew.
COUNT_FAILURE = Statement(
    """
    INSERT INTO sign_in_failures (tenant_id, address_hash, failed_at, locked_until, expires_at)
    VALUES (:tenant_id, :address_hash, json_array(:now), NULL, :window_end)
    ON CONFLICT (address_hash) DO UPDATE SET
        (failed_at, locked_until) = (
            SELECT CASE WHEN count(*) < :lock_after - 1 THEN json_insert(json_group_array(value), '$[#]', :now)
                ELSE '[]' END,
                CASE WHEN count(*) < :lock_after - 1 THEN NULL ELSE :lock_end END
            FROM json_each(sign_in_failures.failed_at) WHERE value > :window_start
        ),
        expires_at = :kept_until
    WHERE sign_in_failures.locked_until IS NULL OR sign_in_failures.locked_until <= :now
    RETURNING locked_until, expires_at
    """,
    """
    INSERT INTO sign_in_failures (tenant_id, address_hash, failed_at, locked_until, expires_at)
    VALUES (:tenant_id, :address_hash, ARRAY[:now]::bigint[], NULL, :window_end)
    ON CONFLICT (tenant_id, address_hash) DO UPDATE SET
        (failed_at, locked_until) = (
            SELECT CASE WHEN count(*) < :lock_after - 1 THEN array_append(array_agg(kept), :now)
                ELSE '{}' END,
                CASE WHEN count(*) < :lock_after - 1 THEN NULL ELSE CAST(:lock_end AS bigint) END
            FROM unnest(sign_in_failures.failed_at) AS kept WHERE kept > :window_start
        ),
        expires_at = :kept_until
    WHERE sign_in_failures.locked_until IS NULL OR sign_in_failures.locked_until <= :now
    RETURNING locked_until, expires_at
    """,
    kind=Kind.BOOKKEEPING,
)
DELETE_FAILURES = Statement(
    """
    DELETE FROM sign_in_failures
    WHERE tenant_id = :tenant_id AND address_hash = :address_hash
    RETURNING locked_until
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_LOCKED = Statement(
    """
    UPDATE users SET locked_at = :now, locked_until = :locked_until
    WHERE tenant_id = :tenant_id AND id = :user_id AND deleted_at IS NULL
    """
)
# Only while the password is still the one that was verified, there is no second factor, and the user was last active
# when the caller says so. `password_hash` is the same as the verified one, or its upgrade.
UPDATE_SIGNED_IN = Statement(
    f"""
    UPDATE users SET last_sign_in_at = :now, last_active_at = :now, password_hash = :password_hash
    WHERE tenant_id = :tenant_id AND id = :user_id AND password_hash = :verified_hash AND deleted_at IS NULL
        AND NOT mfa_enrolled AND last_active_at IS NOT DISTINCT FROM :active_at
    RETURNING {USER_COLUMNS}
    """
)
UPDATE_ENTERED = Statement(
    f"""
    UPDATE users SET last_sign_in_at = :now, last_active_at = :now
    WHERE tenant_id = :tenant_id AND id = :user_id
    RETURNING {USER_COLUMNS}
    """
)
UPDATE_HASH = Statement(
    """
    UPDATE users SET password_hash = :password_hash
    WHERE tenant_id = :tenant_id AND id = :user_id AND password_hash = :verified_hash
    """,
    kind=Kind.BOOKKEEPING,
)


async def get_candidate(reader: Reader, email_key: str, address_hash: str) -> Candidate:
    """Return what is known of whoever signs in with an address; `address_hash` is that of `email_key`."""
    row = await reader.fetch_one(GET_CANDIDATE, email_key=email_key, address_hash=address_hash)
    if row is None:
        return Candidate(address_hash)
    user = None if row[0] is None else user_of(row)
    return Candidate(address_hash, user, *row[_USER_WIDTH:])


async def get_password(reader: Reader, user_id: str) -> tuple[User, str | None] | None:
    """Return a user with the hash of the password; None when there is none."""
    row = await reader.fetch_one(GET_PASSWORD, user_id=user_id)
    return None if row is None else (user_of(row), row[_USER_WIDTH])


async def get_user(reader: Reader, user_id: str) -> User | None:
    """Return a user, also one in the recycle bin; None when there is none."""
    row = await reader.fetch_one(GET_USER, user_id=user_id)
    return None if row is None else user_of(row)


async def get_user_locked(tx: Transaction, user_id: str) -> User | None:
    """Return a user who does not change until `tx` ends; None when there is none."""
    row = await tx.fetch_one(LOCK_USER, user_id=user_id)
    return None if row is None else user_of(row)


async def get_locked_until(reader: Reader, address_hash: str) -> int | None:
    """Return until when failed sign-ins lock an address, also when that is over; None when they don't."""
    row = await reader.fetch_one(GET_LOCK, address_hash=address_hash)
    return None if row is None else row[0]


async def update_failures(
    tx: Transaction, address_hash: str, lockout: LockoutSettings, now_ms: int
) -> SignInFailures | None:
    """Count a failed sign-in; None when the address is locked, so that it is not counted."""
    window, lock_time = duration_seconds(lockout.window) * 1000, duration_seconds(lockout.lock_time) * 1000
    row = await consume_once(
        tx,
        COUNT_FAILURE,
        address_hash=address_hash,
        now=now_ms,
        window_start=now_ms - window,
        window_end=now_ms + window,
        lock_after=lockout.failures,
        lock_end=now_ms + lock_time,
        kept_until=now_ms + max(window, lock_time),
    )
    return None if row is None else SignInFailures(*row)


async def consume_failures(tx: Transaction, address_hash: str) -> int | None:
    """Forget the failed sign-ins of an address, and return until when they locked it; None when they didn't.

    A lock that stands is forgotten too, unless the command is given up for it.
    """
    row = await consume_once(tx, DELETE_FAILURES, address_hash=address_hash)
    return None if row is None else row[0]


async def update_locked(tx: Transaction, user_id: str, locked_until: int, now_ms: int) -> None:
    """Lock a user."""
    await tx.execute(UPDATE_LOCKED, user_id=user_id, locked_until=locked_until, now=now_ms)


async def update_signed_in(tx: Transaction, proof: Proof, now_ms: int) -> User | None:
    """Note a sign-in, and return the user, who does not change until `tx` ends.

    None when the password is not the verified one any more, the user was active at another time than the proof says,
    has a second factor, is in the recycle bin or gone.
    """
    row = await consume_once(tx, UPDATE_SIGNED_IN, **msgspec.structs.asdict(proof), now=now_ms)
    return None if row is None else user_of(row)


async def update_entered(tx: Transaction, user_id: str, now_ms: int) -> User | None:
    """Note a sign-in of a locked user, and return the user; None when there is none."""
    row = await tx.fetch_one(UPDATE_ENTERED, user_id=user_id, now=now_ms)
    return None if row is None else user_of(row)


async def update_hash(tx: Transaction, user_id: str, verified_hash: str, password_hash: str) -> None:
    """Put another hash of the same password in the place of the verified one, if that is still there."""
    await tx.execute(UPDATE_HASH, user_id=user_id, verified_hash=verified_hash, password_hash=password_hash)
