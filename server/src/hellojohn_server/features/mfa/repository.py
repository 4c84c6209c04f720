"""The statements of second factors, codes, and the sign-ins that wait for one."""

from collections.abc import Sequence

import msgspec

from hellojohn_server.features.mfa.schemas import (
    FACTOR_COLUMNS,
    FAILURE_WINDOW_MS,
    FAILURES,
    Challenge,
    Factor,
    FactorType,
    factor_of,
)
from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.kit.retention import PENDING_FACTOR_MS
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once, increment_guarded
from hellojohn_server.storage.sql import Kind, Statement

LOCK_USER = Statement(
    "SELECT id FROM users WHERE tenant_id = :tenant_id AND id = :user_id",
    "SELECT id FROM users WHERE tenant_id = :tenant_id AND id = :user_id FOR UPDATE",
)
INSERT_FACTOR = Statement(
    f"""
    INSERT INTO mfa_factors (tenant_id, {FACTOR_COLUMNS})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in Factor.__struct_fields__)})
    """
)
LIST_FACTORS = Statement(
    f"SELECT {FACTOR_COLUMNS} FROM mfa_factors WHERE tenant_id = :tenant_id AND user_id = :user_id ORDER BY id"
)
DELETE_PASSKEYS = Statement(
    """
    DELETE FROM mfa_factors
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND credential_id IS NOT NULL RETURNING id
    """
)
DELETE_PENDING_PASSKEYS = Statement(
    """
    DELETE FROM mfa_factors
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND type = :type AND confirmed_at IS NULL
    """
)
COUNT_CONFIRMED = Statement(
    """
    SELECT count(*) FROM mfa_factors
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND confirmed_at IS NOT NULL
    """
)
DELETE_BACKUP_CODES = Statement("DELETE FROM mfa_backup_codes WHERE tenant_id = :tenant_id AND user_id = :user_id")
UPDATE_UNENROLLED = Statement(
    f"""
    UPDATE users SET mfa_enrolled = FALSE WHERE tenant_id = :tenant_id AND id = :user_id RETURNING {USER_COLUMNS}
    """
)
# A code is good once: its step, and every one before it, is used up with it (RFC 6238 section 5.2).
CONSUME_STEP = Statement(
    """
    UPDATE mfa_factors SET last_step = :step, last_used_at = :now
    WHERE tenant_id = :tenant_id AND id = :id AND user_id = :user_id AND (last_step IS NULL OR last_step < :step)
    RETURNING id
    """,
    kind=Kind.BOOKKEEPING,
)
# The count goes up with each use; an authenticator that keeps none always says 0.
CONSUME_COUNT = Statement(
    """
    UPDATE mfa_factors SET sign_count = :sign_count, last_used_at = :now
    WHERE tenant_id = :tenant_id AND id = :id AND user_id = :user_id
        AND (sign_count < :sign_count OR (sign_count = 0 AND :sign_count = 0))
    RETURNING id
    """,
    kind=Kind.BOOKKEEPING,
)
CONSUME_BACKUP_CODE = Statement(
    """
    DELETE FROM mfa_backup_codes
    WHERE tenant_id = :tenant_id AND user_id = :user_id AND code_hash = :code_hash RETURNING code_hash
    """,
    kind=Kind.BOOKKEEPING,
)
# After FAILURES within the while there is no row to return; after the while the count begins anew.
COUNT_FAILURE = Statement(
    """
    INSERT INTO mfa_failures (tenant_id, user_id, failures, expires_at)
    VALUES (:tenant_id, :user_id, 1, :window_end)
    ON CONFLICT (user_id) DO UPDATE SET
        failures = CASE WHEN mfa_failures.expires_at > :now THEN mfa_failures.failures + 1 ELSE 1 END,
        expires_at = CASE WHEN mfa_failures.expires_at > :now THEN mfa_failures.expires_at ELSE :window_end END
    WHERE mfa_failures.expires_at <= :now OR mfa_failures.failures < :most
    RETURNING failures
    """,
    """
    INSERT INTO mfa_failures (tenant_id, user_id, failures, expires_at)
    VALUES (:tenant_id, :user_id, 1, :window_end)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET
        failures = CASE WHEN mfa_failures.expires_at > :now THEN mfa_failures.failures + 1 ELSE 1 END,
        expires_at = CASE WHEN mfa_failures.expires_at > :now THEN mfa_failures.expires_at ELSE :window_end END
    WHERE mfa_failures.expires_at <= :now OR mfa_failures.failures < :most
    RETURNING failures
    """,
    kind=Kind.BOOKKEEPING,
)
GET_FAILURES = Statement(
    "SELECT failures, expires_at FROM mfa_failures WHERE tenant_id = :tenant_id AND user_id = :user_id"
)
DELETE_FAILURES = Statement(
    "DELETE FROM mfa_failures WHERE tenant_id = :tenant_id AND user_id = :user_id", kind=Kind.BOOKKEEPING
)
INSERT_CHALLENGE = Statement(
    """
    INSERT INTO mfa_challenges (tenant_id, challenge_hash, user_id, generation, password_mark, expires_at, first_step)
    VALUES (:tenant_id, :challenge_hash, :user_id, :generation, :password_mark, :expires_at, :first_step)
    """
)
GET_CHALLENGE = Statement(
    """
    SELECT challenge_hash, user_id, generation, password_mark, expires_at, first_step FROM mfa_challenges
    WHERE tenant_id = :tenant_id AND challenge_hash = :challenge_hash AND expires_at > :now
    """
)
CONSUME_CHALLENGE = Statement(
    """
    DELETE FROM mfa_challenges
    WHERE tenant_id = :tenant_id AND challenge_hash = :challenge_hash AND expires_at > :now RETURNING user_id
    """
)
# There from the first use to the end of its time: of any number at once one inserts it.
CONSUME_PASSKEY_CHALLENGE = Statement(
    """
    INSERT INTO used_passkey_challenges (tenant_id, challenge_hash, expires_at)
    VALUES (:tenant_id, :challenge_hash, :expires_at)
    ON CONFLICT (challenge_hash) DO NOTHING RETURNING challenge_hash
    """,
    """
    INSERT INTO used_passkey_challenges (tenant_id, challenge_hash, expires_at)
    VALUES (:tenant_id, :challenge_hash, :expires_at)
    ON CONFLICT (tenant_id, challenge_hash) DO NOTHING RETURNING challenge_hash
    """,
    kind=Kind.BOOKKEEPING,
)
DELETE_USED_CHALLENGES = Statement(
    """
    DELETE FROM used_passkey_challenges WHERE tenant_id = :tenant_id AND challenge_hash IN (
        SELECT challenge_hash FROM used_passkey_challenges
        WHERE tenant_id = :tenant_id AND expires_at <= :now ORDER BY expires_at LIMIT :rows
    )
    """
)
GET_NEXT_USED_END = Statement(
    "SELECT MIN(expires_at) FROM used_passkey_challenges WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
# What is over is asked for twice: on PostgreSQL a row may have changed while the DELETE waited for it.
DELETE_ENDED_CHALLENGES = Statement(
    """
    DELETE FROM mfa_challenges WHERE tenant_id = :tenant_id AND expires_at <= :now AND challenge_hash IN (
        SELECT challenge_hash FROM mfa_challenges
        WHERE tenant_id = :tenant_id AND expires_at <= :now ORDER BY expires_at LIMIT :rows
    )
    """
)
DELETE_ENDED_FAILURES = Statement(
    """
    DELETE FROM mfa_failures WHERE tenant_id = :tenant_id AND expires_at <= :now AND user_id IN (
        SELECT user_id FROM mfa_failures
        WHERE tenant_id = :tenant_id AND expires_at <= :now ORDER BY expires_at LIMIT :rows
    )
    """
)
DELETE_PENDING_FACTORS = Statement(
    """
    DELETE FROM mfa_factors WHERE tenant_id = :tenant_id AND confirmed_at IS NULL AND id IN (
        SELECT id FROM mfa_factors
        WHERE tenant_id = :tenant_id AND confirmed_at IS NULL AND created_at <= :before ORDER BY created_at LIMIT :rows
    )
    """
)
GET_NEXT_CHALLENGE_END = Statement(
    "SELECT MIN(expires_at) FROM mfa_challenges WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
GET_NEXT_FAILURES_END = Statement(
    "SELECT MIN(expires_at) FROM mfa_failures WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
GET_NEXT_PENDING = Statement(
    """
    SELECT MIN(created_at) FROM mfa_factors
    WHERE tenant_id = :tenant_id AND confirmed_at IS NULL AND created_at <= :until
    """
)


async def get_user_locked(tx: Transaction, user_id: str) -> str | None:
    """Return the id of a user who does not change until `tx` ends; None when there is none."""
    row = await tx.fetch_one(LOCK_USER, user_id=user_id)
    return None if row is None else row[0]


async def insert_factors(tx: Transaction, factors: Sequence[Factor]) -> None:
    """Insert factors."""
    rows = [{**msgspec.structs.asdict(factor), "type": factor.type.value} for factor in factors]
    await tx.execute_many(INSERT_FACTOR, rows)


async def list_factors(reader: Reader, user_id: str) -> list[Factor]:
    """Return every factor of a user, the oldest first, those that were never confirmed included."""
    return [factor_of(row) for row in await reader.fetch_all(LIST_FACTORS, user_id=user_id)]


async def delete_passkeys(tx: Transaction, user_id: str) -> int:
    """Delete the passkeys of a user, those that wait to be confirmed too, and return how many were confirmed."""
    await tx.execute(DELETE_PENDING_PASSKEYS, user_id=user_id, type=FactorType.WEBAUTHN.value)
    return len(await tx.fetch_all(DELETE_PASSKEYS, user_id=user_id))


async def update_unenrolled(tx: Transaction, user_id: str) -> User | None:
    """Note that a user without a confirmed factor has none, with the backup codes; None when there is one still."""
    row = await tx.fetch_one(COUNT_CONFIRMED, user_id=user_id)
    if row is not None and row[0]:
        return None
    await tx.execute(DELETE_BACKUP_CODES, user_id=user_id)
    found = await tx.fetch_one(UPDATE_UNENROLLED, user_id=user_id)
    return None if found is None else user_of(found)


async def consume_step(tx: Transaction, user_id: str, factor_id: str, step: int, now_ms: int) -> bool:
    """Use up a time step of a factor, and say whether it was there to be used. Of any number at once one may."""
    row = await consume_once(tx, CONSUME_STEP, id=factor_id, user_id=user_id, step=step, now=now_ms)
    return row is not None


async def consume_count(tx: Transaction, user_id: str, factor_id: str, sign_count: int, now_ms: int) -> bool:
    """Note a use of a passkey, and say whether its count went up."""
    row = await consume_once(tx, CONSUME_COUNT, id=factor_id, user_id=user_id, sign_count=sign_count, now=now_ms)
    return row is not None


async def consume_backup_code(tx: Transaction, user_id: str, code_hash: str) -> bool:
    """Use up a backup code, and say whether it was there to be used. Of any number at once one may."""
    return await consume_once(tx, CONSUME_BACKUP_CODE, user_id=user_id, code_hash=code_hash) is not None


async def update_failures(tx: Transaction, user_id: str, now_ms: int) -> int | None:
    """Count a wrong code, and return how many there were; None when there were too many already."""
    return await increment_guarded(
        tx, COUNT_FAILURE, user_id=user_id, now=now_ms, window_end=now_ms + FAILURE_WINDOW_MS, most=FAILURES
    )


async def get_failures(reader: Reader, user_id: str) -> tuple[int, int]:
    """Return how many codes of a user were wrong, and when that is forgotten, in milliseconds; zeros for none."""
    row = await reader.fetch_one(GET_FAILURES, user_id=user_id)
    return (0, 0) if row is None else (row[0], row[1])


async def delete_failures(tx: Transaction, user_id: str) -> None:
    """Forget a user's wrong codes."""
    await tx.execute(DELETE_FAILURES, user_id=user_id)


async def insert_challenge(tx: Transaction, challenge: Challenge) -> None:
    """Insert a challenge."""
    await tx.execute(INSERT_CHALLENGE, **msgspec.structs.asdict(challenge))


async def get_challenge(reader: Reader, challenge_hash: bytes, now_ms: int) -> Challenge | None:
    """Return a challenge that waits; None when there is none, or it is over or was used."""
    row = await reader.fetch_one(GET_CHALLENGE, challenge_hash=challenge_hash, now=now_ms)
    return None if row is None else Challenge(*row)


async def consume_challenge(tx: Transaction, challenge_hash: bytes, now_ms: int) -> bool:
    """Use up a challenge, and say whether it was there to be used. Of any number at once one may."""
    return await consume_once(tx, CONSUME_CHALLENGE, challenge_hash=challenge_hash, now=now_ms) is not None


async def consume_passkey_challenge(tx: Transaction, challenge_hash: bytes, expires_at: int) -> bool:
    """Use up the challenge of a sign-in by passkey alone, and say whether it was there to be used. Of many one may."""
    row = await consume_once(tx, CONSUME_PASSKEY_CHALLENGE, challenge_hash=challenge_hash, expires_at=expires_at)
    return row is not None


async def delete_ended(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to `rows` of each kind of what is over, and return the most that were of one kind."""
    return max(
        await tx.execute(DELETE_ENDED_CHALLENGES, now=now_ms, rows=rows),
        await tx.execute(DELETE_ENDED_FAILURES, now=now_ms, rows=rows),
        await tx.execute(DELETE_USED_CHALLENGES, now=now_ms, rows=rows),
        await tx.execute(DELETE_PENDING_FACTORS, before=now_ms - PENDING_FACTOR_MS, rows=rows),
    )


async def get_next_end(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first of what ends by `until` does or did; None when nothing does."""
    ends = [
        _time_of(await reader.fetch_one(GET_NEXT_CHALLENGE_END, until=until), 0),
        _time_of(await reader.fetch_one(GET_NEXT_FAILURES_END, until=until), 0),
        _time_of(await reader.fetch_one(GET_NEXT_USED_END, until=until), 0),
        _time_of(await reader.fetch_one(GET_NEXT_PENDING, until=until - PENDING_FACTOR_MS), PENDING_FACTOR_MS),
    ]
    return min((end for end in ends if end is not None), default=None)


def _time_of(row: Row | None, lasting_ms: int) -> int | None:
    return None if row is None or row[0] is None else row[0] + lasting_ms
