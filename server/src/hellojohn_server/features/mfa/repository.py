"""The factors' statements."""

from collections.abc import Sequence

import msgspec

from hellojohn_server.features.mfa.schemas import Factor
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Statement

INSERT_FACTOR = Statement(
    """
    INSERT INTO mfa_factors (tenant_id, id, user_id, type, name, confirmed_at, created_at)
    VALUES (:tenant_id, :id, :user_id, :type, :name, :confirmed_at, :created_at)
    """
)


async def insert_factors(tx: Transaction, factors: Sequence[Factor]) -> None:
    """Insert factors."""
    rows = [{**msgspec.structs.asdict(factor), "type": factor.type.value} for factor in factors]
    await tx.execute_many(INSERT_FACTOR, rows)
