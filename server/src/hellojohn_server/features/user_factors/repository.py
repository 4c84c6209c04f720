"""The statements of acts on second factors. Each is about a user whose row is held."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.mfa.schemas import FACTOR_COLUMNS, Factor, factor_of
from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.kit.passkeys import Passkey
from hellojohn_server.storage.database import Parameter, Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

_OF_USER: Final = "tenant_id = :tenant_id AND user_id = :user_id"

INSERT_FACTOR = Statement(
    f"""
    INSERT INTO mfa_factors (tenant_id, {FACTOR_COLUMNS})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in Factor.__struct_fields__)})
    """
)
GET_FACTOR = Statement(f"SELECT {FACTOR_COLUMNS} FROM mfa_factors WHERE {_OF_USER} AND id = :id")
UPDATE_CONFIRMED = Statement(
    f"""
    UPDATE mfa_factors SET confirmed_at = :now, last_step = :step, last_used_at = :now,
        credential_id = :credential_id, public_key = :public_key, sign_count = :sign_count
    WHERE {_OF_USER} AND id = :id AND confirmed_at IS NULL
    RETURNING {FACTOR_COLUMNS}
    """
)
DELETE_FACTOR = Statement(f"DELETE FROM mfa_factors WHERE {_OF_USER} AND id = :id RETURNING {FACTOR_COLUMNS}")
COUNT_CONFIRMED = Statement(f"SELECT count(*) FROM mfa_factors WHERE {_OF_USER} AND confirmed_at IS NOT NULL")
COUNT_BACKUP_CODES = Statement(f"SELECT count(*) FROM mfa_backup_codes WHERE {_OF_USER}")
DELETE_BACKUP_CODES = Statement(f"DELETE FROM mfa_backup_codes WHERE {_OF_USER}")
INSERT_BACKUP_CODE = Statement(
    """
    INSERT INTO mfa_backup_codes (tenant_id, user_id, code_hash, created_at)
    VALUES (:tenant_id, :user_id, :code_hash, :created_at)
    """
)
# Access tokens from before are stale, whether or not the user has a second factor still, or had one before.
UPDATE_ENROLLED = Statement(
    f"""
    UPDATE users SET generation = generation + 1,
        updated_at = CASE WHEN mfa_enrolled = :enrolled THEN updated_at ELSE :now END,
        version = version + CASE WHEN mfa_enrolled = :enrolled THEN 0 ELSE 1 END,
        mfa_enrolled = :enrolled
    WHERE tenant_id = :tenant_id AND id = :user_id
    RETURNING {USER_COLUMNS}
    """
)


async def insert_factor(tx: Transaction, factor: Factor) -> None:
    """Insert a factor."""
    await tx.execute(INSERT_FACTOR, **{**msgspec.structs.asdict(factor), "type": factor.type.value})


async def get_factor(reader: Reader, user_id: str, factor_id: str) -> Factor | None:
    """Return a user's factor; None when there is none."""
    row = await reader.fetch_one(GET_FACTOR, user_id=user_id, id=factor_id)
    return None if row is None else factor_of(row)


async def update_confirmed(
    tx: Transaction, user_id: str, factor_id: str, proof: int | Passkey, now_ms: int
) -> Factor | None:
    """Confirm a factor with a time step, which is used up with it, or a passkey; None when it was before or is gone."""
    passkey = proof if isinstance(proof, Passkey) else None
    row = await consume_once(
        tx,
        UPDATE_CONFIRMED,
        user_id=user_id,
        id=factor_id,
        step=None if isinstance(proof, Passkey) else proof,
        credential_id=None if passkey is None else passkey.credential_id,
        public_key=None if passkey is None else passkey.public_key,
        sign_count=None if passkey is None else passkey.sign_count,
        now=now_ms,
    )
    return None if row is None else factor_of(row)


async def delete_factor(tx: Transaction, user_id: str, factor_id: str) -> Factor | None:
    """Delete a user's factor and return it as it was; None when there is none."""
    row = await consume_once(tx, DELETE_FACTOR, user_id=user_id, id=factor_id)
    return None if row is None else factor_of(row)


async def count_confirmed(reader: Reader, user_id: str) -> int:
    """Return how many factors of a user are confirmed."""
    row = await reader.fetch_one(COUNT_CONFIRMED, user_id=user_id)
    return 0 if row is None else int(row[0])


async def count_backup_codes(reader: Reader, user_id: str) -> int:
    """Return how many backup codes a user has left."""
    row = await reader.fetch_one(COUNT_BACKUP_CODES, user_id=user_id)
    return 0 if row is None else int(row[0])


async def insert_backup_codes(tx: Transaction, user_id: str, code_hashes: Sequence[str], now_ms: int) -> None:
    """Give a user backup codes."""
    rows: list[dict[str, Parameter]] = [
        {"user_id": user_id, "code_hash": code_hash, "created_at": now_ms} for code_hash in code_hashes
    ]
    await tx.execute_many(INSERT_BACKUP_CODE, rows)


async def delete_backup_codes(tx: Transaction, user_id: str) -> None:
    """Delete the backup codes of a user."""
    await tx.execute(DELETE_BACKUP_CODES, user_id=user_id)


async def update_enrolled(tx: Transaction, user_id: str, now_ms: int, *, enrolled: bool) -> User:
    """Note whether a user has a second factor, and return the user."""
    row = await tx.fetch_one(UPDATE_ENROLLED, user_id=user_id, now=now_ms, enrolled=enrolled)
    if row is None:
        raise RuntimeError("a user whose row is held is gone")
    return user_of(row)
