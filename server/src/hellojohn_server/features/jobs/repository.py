"""The statements on jobs as they are asked for."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.jobs.schemas import (
    FAILURES,
    JOB_COLUMNS,
    Job,
    JobStatus,
    Outcome,
    Result,
    job_of,
)
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Parameter, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = Job.__struct_fields__

INSERT_JOB: Final = Statement(
    f"INSERT INTO jobs (tenant_id, {JOB_COLUMNS}) VALUES (:tenant_id, {', '.join(f':{name}' for name in _FIELDS)})"
)
GET_JOB: Final = Statement(f"SELECT {JOB_COLUMNS} FROM jobs WHERE tenant_id = :tenant_id AND id = :id")
GET_JOB_LOCKED: Final = Statement(
    f"SELECT {JOB_COLUMNS} FROM jobs WHERE tenant_id = :tenant_id AND id = :id",
    f"SELECT {JOB_COLUMNS} FROM jobs WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE",
)
GET_UNDOING: Final = Statement(
    """
    SELECT id FROM jobs WHERE tenant_id = :tenant_id AND undo_of = :id AND status NOT IN ('cancelled', 'stopped')
    LIMIT 1
    """
)
UPDATE_KEPT: Final = Statement(
    "UPDATE jobs SET purge_at = :purge_at WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING
)
LIST_RESULTS: Final = Statement(
    """
    SELECT user_id, outcome, code FROM job_users
    WHERE tenant_id = :tenant_id AND job_id = :job_id AND user_id > :after ORDER BY user_id LIMIT :rows
    """
)
LIST_FAILURES: Final = Statement(
    f"""
    SELECT user_id, outcome, code FROM job_users
    WHERE tenant_id = :tenant_id AND job_id = :job_id AND outcome = 'failed' ORDER BY user_id LIMIT {FAILURES}
    """
)
UPDATE_CANCELLED: Final = Statement(
    """
    UPDATE jobs
    SET status = 'cancelled', ended_at = :now, due_at = NULL, purge_at = :purge_at, sealed_request = NULL
    WHERE tenant_id = :tenant_id AND id = :id AND status IN ('checking', 'running')
    """,
    kind=Kind.BOOKKEEPING,
)


@cache
def _list_statement(*, by_status: bool, after: bool) -> Statement:
    where = "tenant_id = :tenant_id AND status = :status" if by_status else "tenant_id = :tenant_id"
    page_where = f"{where} AND id < :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT id FROM jobs WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded)
            AS counted
        LEFT JOIN (SELECT {JOB_COLUMNS} FROM jobs WHERE {page_where} ORDER BY id DESC LIMIT :rows) AS page ON TRUE
        ORDER BY page.id DESC
        """
    )


async def insert_job(tx: Transaction, job: Job) -> None:
    """Insert a job."""
    await tx.execute(INSERT_JOB, **msgspec.structs.asdict(job))


async def get_job(reader: Reader, job_id: str) -> Job | None:
    """Return a job, or None."""
    row = await reader.fetch_one(GET_JOB, id=job_id)
    return None if row is None else job_of(row)


async def get_job_locked(tx: Transaction, job_id: str) -> Job | None:
    """Return a job that does not change until `tx` ends, or None."""
    row = await tx.fetch_one(GET_JOB_LOCKED, id=job_id)
    return None if row is None else job_of(row)


async def get_undoing(reader: Reader, job_id: str) -> str | None:
    """Return the job that has undone a job, or is just doing so; None when there is none."""
    row = await reader.fetch_one(GET_UNDOING, id=job_id)
    return None if row is None else str(row[0])


async def list_jobs(
    reader: Reader, status: JobStatus | None, rows: int, after: str | None
) -> tuple[int, Sequence[Job]]:
    """Return how many match (counted to one above COUNT_CAP) and up to `rows` of them, newest first, below `after`."""
    parameters: dict[str, Parameter] = {"rows": rows}
    if status is not None:
        parameters["status"] = status.value
    if after is not None:
        parameters["after"] = after
    statement = _list_statement(by_status=status is not None, after=after is not None)
    found = await reader.fetch_all(statement, **parameters)
    return found[0][0], [job_of(row[1:]) for row in found if row[1] is not None]


async def update_kept(tx: Transaction, job_id: str, purge_at: int) -> None:
    """Keep a job until `purge_at`."""
    await tx.execute(UPDATE_KEPT, id=job_id, purge_at=purge_at)


async def list_results(reader: Reader, job_id: str, after: str, rows: int) -> list[Result]:
    """Return up to `rows` of what became of users, by id, beyond `after`."""
    found = await reader.fetch_all(LIST_RESULTS, job_id=job_id, after=after, rows=rows)
    return [Result(row[0], Outcome(row[1]), row[2]) for row in found]


async def list_failures(reader: Reader, job_id: str) -> list[Result]:
    """Return the first of the users at whom a job failed."""
    return [Result(row[0], Outcome(row[1]), row[2]) for row in await reader.fetch_all(LIST_FAILURES, job_id=job_id)]


async def update_cancelled(tx: Transaction, job_id: str, now_ms: int, purge_at: int) -> None:
    """End a job that is locked and not over."""
    await tx.execute(UPDATE_CANCELLED, id=job_id, now=now_ms, purge_at=purge_at)
