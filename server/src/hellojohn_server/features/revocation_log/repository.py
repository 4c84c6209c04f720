"""The statements that write revocations and throw them away."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.revocation_log.schemas import Revocation
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_encode: Final = msgspec.json.Encoder().encode
_COLUMNS: Final = ", ".join(Revocation.__struct_fields__)

INSERT_REVOCATION: Final = Statement(
    f"""
    INSERT INTO revocations (tenant_id, {_COLUMNS})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in Revocation.__struct_fields__)})
    """,
    kind=Kind.BOOKKEEPING,
)
# Many at once: :rows is a JSON array with an array of the columns for each.
INSERT_REVOCATIONS: Final = Statement(
    f"""
    INSERT INTO revocations (tenant_id, {_COLUMNS})
    SELECT :tenant_id, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(:rows)
    """,
    f"""
    INSERT INTO revocations (tenant_id, {_COLUMNS})
    SELECT :tenant_id, r.value ->> 0, r.value ->> 1, CAST(r.value ->> 2 AS bigint), CAST(r.value ->> 3 AS bigint),
        CAST(r.value ->> 4 AS bigint)
    FROM jsonb_array_elements(CAST(:rows AS jsonb)) WITH ORDINALITY AS r (value, place) ORDER BY r.place
    """,
    kind=Kind.BOOKKEEPING,
)
_OVER: Final = "tenant_id = :tenant_id AND forget_at <= :until"
# SQLite gives the number after the highest there is: the row with that is left, whose time is over or not.
_NOT_LAST: Final = "seq < (SELECT MAX(seq) FROM revocations WHERE tenant_id = :tenant_id)"
DELETE_OVER: Final = Statement(
    f"""
    DELETE FROM revocations WHERE tenant_id = :tenant_id AND seq IN (
        SELECT seq FROM revocations WHERE {_OVER} AND {_NOT_LAST} ORDER BY forget_at LIMIT :rows
    )
    """,
    f"""
    DELETE FROM revocations WHERE tenant_id = :tenant_id AND (xid, seq) IN (
        SELECT xid, seq FROM revocations WHERE {_OVER} ORDER BY forget_at LIMIT :rows
    )
    """,
    kind=Kind.BOOKKEEPING,
)
GET_NEXT_OVER: Final = Statement(
    f"SELECT MIN(forget_at) FROM revocations WHERE {_OVER} AND {_NOT_LAST}",
    f"SELECT MIN(forget_at) FROM revocations WHERE {_OVER}",
)


async def insert_revocations(tx: Transaction, revocations: Sequence[Revocation]) -> None:
    """Insert revocations: one with what else waits to be inserted, several in one statement."""
    if len(revocations) == 1:
        values = msgspec.structs.asdict(revocations[0])
        await tx.execute_many(INSERT_REVOCATION, [{**values, "type": revocations[0].type.value}])
    elif revocations:
        rows = [msgspec.structs.astuple(one) for one in revocations]
        await tx.execute(INSERT_REVOCATIONS, rows=_encode(rows).decode())


async def delete_over(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to `rows` revocations that can be forgotten, and return how many."""
    return await tx.execute(DELETE_OVER, until=now_ms, rows=rows)


async def get_next_over(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when the first of the revocations that can be forgotten by `until` can; None when none can."""
    row = await reader.fetch_one(GET_NEXT_OVER, until=until)
    return None if row is None else row[0]
