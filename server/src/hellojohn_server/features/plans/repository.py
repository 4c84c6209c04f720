"""The statements on plans. Who prepares one holds it until `due_at`, and says with each step from where it went on."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.plans.schemas import SAMPLES, Plan, PlanStatus
from hellojohn_server.features.selections.schemas import Action, Exclusion
from hellojohn_server.features.users.schemas import User, user_columns, user_of
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = Plan.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)

INSERT_PLAN: Final = Statement(
    f"INSERT INTO plans (tenant_id, {_COLUMNS}) VALUES (:tenant_id, {', '.join(f':{name}' for name in _FIELDS)})"
)
GET_PLAN: Final = Statement(f"SELECT {_COLUMNS} FROM plans WHERE tenant_id = :tenant_id AND id = :id")
INSERT_PLAN_USERS: Final = Statement(
    """
    INSERT INTO plan_users (tenant_id, plan_id, user_id, excluded)
    SELECT :tenant_id, :plan_id, value, :excluded FROM json_each(:user_ids)
    """,
    """
    INSERT INTO plan_users (tenant_id, plan_id, user_id, excluded)
    SELECT :tenant_id, :plan_id, value, CAST(:excluded AS text) FROM unnest(CAST(:user_ids AS text[])) AS given (value)
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_NEXT: Final = Statement(
    """
    SELECT user_id FROM plan_users
    WHERE tenant_id = :tenant_id AND plan_id = :plan_id AND user_id > :after AND excluded IS NULL
    ORDER BY user_id LIMIT :rows
    """
)
COUNT_AMONG: Final = Statement(
    """
    SELECT count(*) FROM plan_users
    WHERE tenant_id = :tenant_id AND plan_id = :plan_id AND excluded IS NULL
        AND user_id IN (SELECT value FROM json_each(:user_ids))
    """,
    """
    SELECT count(*) FROM plan_users
    WHERE tenant_id = :tenant_id AND plan_id = :plan_id AND excluded IS NULL AND user_id = ANY(:user_ids)
    """,
)
LIST_SAMPLES: Final = Statement(
    f"""
    SELECT {user_columns("u")}
    FROM plan_users AS p CROSS JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = p.user_id
    WHERE p.tenant_id = :tenant_id AND p.plan_id = :plan_id AND p.excluded IS NULL
    ORDER BY p.user_id DESC LIMIT {SAMPLES}
    """,
    f"""
    SELECT {user_columns("u")}
    FROM plan_users AS p JOIN users AS u ON u.tenant_id = :tenant_id AND u.id = p.user_id
    WHERE p.tenant_id = :tenant_id AND p.plan_id = :plan_id AND p.excluded IS NULL
    ORDER BY p.user_id DESC LIMIT {SAMPLES}
    """,
)
LIST_EXCLUDED: Final = Statement(
    """
    SELECT excluded, user_id FROM plan_users
    WHERE tenant_id = :tenant_id AND plan_id = :plan_id AND excluded IS NOT NULL ORDER BY excluded, user_id DESC
    """
)
_WAITING: Final = """
    SELECT id FROM plans WHERE tenant_id = :tenant_id AND due_at <= :until AND (due_at <= :now OR holder = :holder)
    ORDER BY due_at LIMIT 1
"""
CLAIM_PLAN: Final = Statement(
    f"""
    UPDATE plans SET holder = :holder, due_at = :until
    WHERE tenant_id = :tenant_id AND id IN ({_WAITING}) RETURNING {_COLUMNS}
    """,
    f"""
    UPDATE plans SET holder = :holder, due_at = :until
    WHERE tenant_id = :tenant_id AND id = ANY(ARRAY({_WAITING} FOR UPDATE SKIP LOCKED)) RETURNING {_COLUMNS}
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_STEP: Final = Statement(
    """
    UPDATE plans
    SET matched = :matched, users = :users, excluded = :excluded, place = :place, due_at = :due_at, hash = :hash,
        status = :status, error = :error
    WHERE tenant_id = :tenant_id AND id = :id AND status = 'preparing' AND holder = :holder
        AND place IS NOT DISTINCT FROM :before
    RETURNING id
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_USED: Final = Statement(
    """
    UPDATE plans SET job_id = :job_id, purge_at = NULL
    WHERE tenant_id = :tenant_id AND id = :id AND job_id IS NULL AND status = 'ready' AND expires_at > :now
    RETURNING id
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_FREE: Final = Statement(
    """
    UPDATE plans SET job_id = NULL, purge_at = expires_at
    WHERE tenant_id = :tenant_id AND id = :id AND job_id = :job_id
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_OVER: Final = Statement(
    "UPDATE plans SET purge_at = :now WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING
)
GET_NEXT_DUE: Final = Statement("SELECT MIN(due_at) FROM plans WHERE tenant_id = :tenant_id AND due_at <= :until")
GET_NEXT_PURGE: Final = Statement("SELECT MIN(purge_at) FROM plans WHERE tenant_id = :tenant_id AND purge_at <= :until")
GET_OVERDUE: Final = Statement(
    f"""
    SELECT {_COLUMNS} FROM plans WHERE tenant_id = :tenant_id AND purge_at <= :now ORDER BY purge_at LIMIT 1
    """
)
DELETE_PLAN_USERS: Final = Statement(
    """
    DELETE FROM plan_users WHERE tenant_id = :tenant_id AND plan_id = :plan_id AND user_id IN (
        SELECT user_id FROM plan_users WHERE tenant_id = :tenant_id AND plan_id = :plan_id ORDER BY user_id LIMIT :rows
    )
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_EMPTIED: Final = Statement(
    """
    UPDATE plans SET sealed_request = NULL, purge_at = :purge_at, due_at = NULL
    WHERE tenant_id = :tenant_id AND id = :id
    """,
    kind=Kind.BOOKKEEPING,
)
DELETE_PLAN: Final = Statement("DELETE FROM plans WHERE tenant_id = :tenant_id AND id = :id", kind=Kind.BOOKKEEPING)


async def insert_plan(tx: Transaction, plan: Plan) -> None:
    """Insert a plan without its users."""
    await tx.execute(INSERT_PLAN, **msgspec.structs.asdict(plan))


async def insert_plan_users(
    tx: Transaction, plan_id: str, user_ids: Sequence[str], excluded: Exclusion | None = None
) -> None:
    """Insert users of a plan, or examples of those that it leaves out."""
    if user_ids:
        await tx.execute(INSERT_PLAN_USERS, plan_id=plan_id, user_ids=user_ids, excluded=excluded)


async def get_plan(reader: Reader, plan_id: str) -> Plan | None:
    """Return a plan, or None."""
    row = await reader.fetch_one(GET_PLAN, id=plan_id)
    return None if row is None else _plan_of(row)


async def list_next_users(reader: Reader, plan_id: str, after: str, rows: int) -> list[str]:
    """Return up to `rows` of the users to whom it would be done, by id, beyond `after`."""
    return [str(row[0]) for row in await reader.fetch_all(LIST_NEXT, plan_id=plan_id, after=after, rows=rows)]


async def count_among(reader: Reader, plan_id: str, user_ids: Sequence[str]) -> int:
    """Return to how many of these it would be done."""
    row = await reader.fetch_one(COUNT_AMONG, plan_id=plan_id, user_ids=user_ids)
    return 0 if row is None else int(row[0])


async def list_samples(reader: Reader, plan_id: str) -> list[User]:
    """Return some of the users to whom it would be done, the newest first."""
    return [user_of(row) for row in await reader.fetch_all(LIST_SAMPLES, plan_id=plan_id)]


async def list_excluded(reader: Reader, plan_id: str) -> list[tuple[Exclusion, str]]:
    """Return the examples of those that it leaves out, each with the reason."""
    return [(Exclusion(row[0]), str(row[1])) for row in await reader.fetch_all(LIST_EXCLUDED, plan_id=plan_id)]


async def claim_plans(tx: Transaction, holder: str, now_ms: int, until: int) -> list[Plan]:
    """Hold the plan that waits longest until `until`, or one held already, and return it; nothing when none waits."""
    rows = await tx.fetch_all(CLAIM_PLAN, holder=holder, now=now_ms, until=until)
    return [_plan_of(row) for row in rows]


async def update_step(tx: Transaction, before: Plan, after: Plan) -> bool:
    """Write how far a plan's preparation has come; say whether it was held still, and where it was."""
    row = await consume_once(
        tx,
        UPDATE_STEP,
        id=after.id,
        matched=after.matched,
        users=after.users,
        excluded=after.excluded,
        place=after.place,
        due_at=after.due_at,
        hash=after.hash,
        status=after.status,
        error=after.error,
        holder=before.holder,
        before=before.place,
    )
    return row is not None


async def consume_plan(tx: Transaction, plan_id: str, job_id: str, now_ms: int) -> bool:
    """Have a job run a plan; say whether it could: of any number of jobs at once, one can."""
    return await consume_once(tx, UPDATE_USED, id=plan_id, job_id=job_id, now=now_ms) is not None


async def update_free(tx: Transaction, plan_id: str, job_id: str) -> None:
    """Have a plan be run by another job than the one that did nothing."""
    await tx.execute(UPDATE_FREE, id=plan_id, job_id=job_id)


async def update_over(tx: Transaction, plan_id: str, now_ms: int) -> None:
    """Note that a plan's job has ended: what the job needed of it is thrown away."""
    await tx.execute(UPDATE_OVER, id=plan_id, now=now_ms)


async def get_next_due(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when somebody may go on preparing a plan; None when none is to be prepared by `until`."""
    row = await reader.fetch_one(GET_NEXT_DUE, until=until)
    return None if row is None else row[0]


async def get_next_purge(reader: Reader, until: int = END_OF_TIME_MS) -> int | None:
    """Return when something of a plan is to be thrown away, the first time by `until`; None when there is none."""
    row = await reader.fetch_one(GET_NEXT_PURGE, until=until)
    return None if row is None else row[0]


async def get_overdue(reader: Reader, now_ms: int) -> Plan | None:
    """Return the plan of which something is to be thrown away since longest, or None."""
    row = await reader.fetch_one(GET_OVERDUE, now=now_ms)
    return None if row is None else _plan_of(row)


async def delete_plan_users(tx: Transaction, plan_id: str, rows: int) -> int:
    """Delete up to `rows` users of a plan, and return how many."""
    return await tx.execute(DELETE_PLAN_USERS, plan_id=plan_id, rows=rows)


async def update_emptied(tx: Transaction, plan_id: str, purge_at: int) -> None:
    """Destroy what a plan was asked with, and keep the rest until `purge_at`."""
    await tx.execute(UPDATE_EMPTIED, id=plan_id, purge_at=purge_at)


async def delete_plan(tx: Transaction, plan_id: str) -> None:
    """Delete a plan whose users are deleted."""
    await tx.execute(DELETE_PLAN, id=plan_id)


def _plan_of(row: Row) -> Plan:
    values = dict(zip(_FIELDS, row, strict=True))
    values["status"], values["action"] = PlanStatus(values["status"]), Action(values["action"])
    values["manages"] = bool(values["manages"])
    return Plan(**values)
