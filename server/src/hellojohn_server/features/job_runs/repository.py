"""The statements of working jobs off. Who works on one holds it until `due_at`; where a step begins guards it."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.jobs.schemas import JOB_COLUMNS, Job, Result, job_of
from hellojohn_server.features.user_changes.schemas import Mark
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, Statement

_STEPPED: Final = (
    *("status", "stop_reason", "changed", "unchanged", "skipped", "failed", "sessions_revoked", "place", "attempts"),
    *("started_at", "ended_at", "due_at", "purge_at", "sealed_request"),
)

GET_JOB_LOCKED: Final = Statement(
    f"SELECT {JOB_COLUMNS} FROM jobs WHERE tenant_id = :tenant_id AND id = :id",
    f"SELECT {JOB_COLUMNS} FROM jobs WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE",
)
_WAITING: Final = """
    SELECT id FROM jobs WHERE tenant_id = :tenant_id AND due_at <= :until AND (due_at <= :now OR holder = :holder)
    ORDER BY due_at LIMIT 1
"""
CLAIM_JOB: Final = Statement(
    f"""
    UPDATE jobs SET holder = :holder, due_at = :until
    WHERE tenant_id = :tenant_id AND id IN ({_WAITING}) RETURNING {JOB_COLUMNS}
    """,
    f"""
    UPDATE jobs SET holder = :holder, due_at = :until
    WHERE tenant_id = :tenant_id AND id = ANY(ARRAY({_WAITING} FOR UPDATE SKIP LOCKED)) RETURNING {JOB_COLUMNS}
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_STEP: Final = Statement(
    f"""
    UPDATE jobs SET {", ".join(f"{name} = :{name}" for name in _STEPPED)}
    WHERE tenant_id = :tenant_id AND id = :id AND status = :status_before AND place = :place_before
        AND holder IS NOT DISTINCT FROM :holder
    RETURNING id
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_CHANGED: Final = Statement(
    """
    SELECT user_id, version, was FROM job_users
    WHERE tenant_id = :tenant_id AND job_id = :job_id AND user_id > :after AND outcome = 'changed'
    ORDER BY user_id LIMIT :rows
    """
)
# :rows is a JSON array with an array for each.
INSERT_RESULTS: Final = Statement(
    """
    INSERT INTO job_users (tenant_id, job_id, user_id, outcome, code, version, was)
    SELECT :tenant_id, :job_id, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4
    FROM json_each(:rows) AS r
    """,
    """
    INSERT INTO job_users (tenant_id, job_id, user_id, outcome, code, version, was)
    SELECT :tenant_id, :job_id, r.value ->> 0, r.value ->> 1, r.value ->> 2, CAST(r.value ->> 3 AS bigint),
        r.value ->> 4
    FROM json_array_elements(CAST(:rows AS json)) AS r (value)
    """,
    kind=Kind.BOOKKEEPING,
)
GET_NEXT_DUE: Final = Statement("SELECT MIN(due_at) FROM jobs WHERE tenant_id = :tenant_id AND due_at <= :until")
GET_HELD: Final = Statement(
    "SELECT id FROM jobs WHERE tenant_id = :tenant_id AND due_at <= :until AND holder = :holder LIMIT 1"
)
GET_NEXT_PURGE: Final = Statement("SELECT MIN(purge_at) FROM jobs WHERE tenant_id = :tenant_id AND purge_at <= :until")
GET_OVERDUE: Final = Statement(
    "SELECT id FROM jobs WHERE tenant_id = :tenant_id AND purge_at <= :now ORDER BY purge_at LIMIT 1"
)
DELETE_RESULTS: Final = Statement(
    """
    DELETE FROM job_users WHERE tenant_id = :tenant_id AND job_id = :job_id AND user_id IN (
        SELECT user_id FROM job_users WHERE tenant_id = :tenant_id AND job_id = :job_id ORDER BY user_id LIMIT :rows
    )
    """,
    kind=Kind.BOOKKEEPING,
)
DELETE_JOB: Final = Statement("DELETE FROM jobs WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING)


async def get_job_locked(tx: Transaction, job_id: str) -> Job | None:
    """Return a job that does not change until `tx` ends, or None."""
    row = await tx.fetch_one(GET_JOB_LOCKED, id=job_id)
    return None if row is None else job_of(row)


async def claim_jobs(tx: Transaction, holder: str, now_ms: int, until: int) -> list[Job]:
    """Hold the job that waits longest until `until`, or one held already, and return it; nothing when none waits."""
    rows = await tx.fetch_all(CLAIM_JOB, holder=holder, now=now_ms, until=until)
    return [job_of(row) for row in rows]


async def update_step(tx: Transaction, before: Job, after: Job) -> bool:
    """Write how far a job has come; say whether it was still held, in that status and at that place."""
    values = msgspec.structs.asdict(after)
    row = await consume_once(
        tx,
        UPDATE_STEP,
        id=before.id,
        holder=before.holder,
        status_before=before.status.value,
        place_before=before.place,
        **{name: values[name] for name in _STEPPED},
    )
    return row is not None


async def list_changed(reader: Reader, job_id: str, after: str, rows: int) -> list[Mark]:
    """Return up to `rows` of the users whom a job changed, by id, beyond `after`."""
    found = await reader.fetch_all(LIST_CHANGED, job_id=job_id, after=after, rows=rows)
    return [Mark(row[0], int(row[1]), None if row[2] is None else msgspec.json.decode(row[2])) for row in found]


async def insert_results(tx: Transaction, job_id: str, results: Sequence[Result]) -> None:
    """Insert what became of users."""
    if results:
        rows = msgspec.json.encode([msgspec.structs.astuple(result) for result in results]).decode()
        await tx.execute(INSERT_RESULTS, job_id=job_id, rows=rows)


async def get_next_due(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when somebody may go on with a job; None when there is none by `until`."""
    row = await reader.fetch_one(GET_NEXT_DUE, until=until)
    return None if row is None else row[0]


async def get_held(reader: Reader, holder: str) -> str | None:
    """Return a job that somebody holds, or None."""
    row = await reader.fetch_one(GET_HELD, holder=holder, until=END_OF_TIME_MS)
    return None if row is None else str(row[0])


async def get_next_purge(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when a job is to be thrown away, the first time by `until`; None when there is none."""
    row = await reader.fetch_one(GET_NEXT_PURGE, until=until)
    return None if row is None else row[0]


async def get_overdue(reader: Reader, now_ms: int) -> str | None:
    """Return the job that is to be thrown away since longest, or None."""
    row = await reader.fetch_one(GET_OVERDUE, now=now_ms)
    return None if row is None else str(row[0])


async def delete_results(tx: Transaction, job_id: str, rows: int) -> int:
    """Delete up to `rows` of what became of users, and return how many."""
    return await tx.execute(DELETE_RESULTS, job_id=job_id, rows=rows)


async def delete_job(tx: Transaction, job_id: str) -> None:
    """Delete a job whose results are deleted."""
    await tx.execute(DELETE_JOB, id=job_id)
