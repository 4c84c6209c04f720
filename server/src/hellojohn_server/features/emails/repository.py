"""The statements on mail. Whoever sends one holds a claim on it, which ends by itself."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.emails.schemas import EmailRow, EmailStatus
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.compose import conjunction
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = EmailRow.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)

# What asks for a mail is recorded where it happens; the row is not a change of its own.
INSERT_EMAIL: Final = Statement(
    f"INSERT INTO emails (tenant_id, {_COLUMNS}) VALUES (:tenant_id, {', '.join(f':{name}' for name in _FIELDS)})",
    kind=Kind.BOOKKEEPING,
)
GET_NEXT_ATTEMPT: Final = Statement(
    "SELECT MIN(next_attempt_at) FROM emails WHERE tenant_id = :tenant_id AND next_attempt_at <= :until"
)
GET_NEXT_PURGE: Final = Statement(
    "SELECT MIN(purge_at) FROM emails WHERE tenant_id = :tenant_id AND purge_at <= :until"
)

_CLAIM: Final = """
    UPDATE emails SET status = 'sending', claim = :claim, attempts = attempts + 1, next_attempt_at = :until
    WHERE tenant_id = :tenant_id AND next_attempt_at <= :now
"""
_DUE: Final = """
    SELECT id FROM emails WHERE tenant_id = :tenant_id AND next_attempt_at <= :now
    ORDER BY next_attempt_at LIMIT :rows
"""
CLAIM_EMAILS: Final = Statement(
    f"{_CLAIM} AND id IN ({_DUE}) RETURNING {_COLUMNS}",
    f"{_CLAIM} AND id = ANY(ARRAY({_DUE} FOR UPDATE SKIP LOCKED)) RETURNING {_COLUMNS}",
)
UPDATE_SENT: Final = Statement(
    """
    UPDATE emails
    SET status = 'sent', sent_at = :now, sealed_values = NULL, claim = NULL, next_attempt_at = NULL, last_error = NULL
    WHERE tenant_id = :tenant_id AND id = :id AND claim = :claim
    """
)
UPDATE_FAILED: Final = Statement(
    """
    UPDATE emails SET status = 'failed', last_error = :reason, claim = NULL, next_attempt_at = :next_attempt_at
    WHERE tenant_id = :tenant_id AND id = :id AND claim = :claim
    """
)
UPDATE_DEAD: Final = Statement(
    """
    UPDATE emails SET status = 'dead', last_error = :reason, claim = NULL, next_attempt_at = NULL
    WHERE tenant_id = :tenant_id AND id = :id AND claim = :claim
    """
)

# The time is asked for twice: on PostgreSQL a row may have been given a later one while the statement waited for it.
_OVERDUE: Final = """
    tenant_id = :tenant_id AND purge_at <= :now AND id IN (
        SELECT id FROM emails WHERE tenant_id = :tenant_id AND purge_at <= :now ORDER BY purge_at LIMIT :rows
    )
"""
UPDATE_VALUES_GONE: Final = Statement(
    f"""
    UPDATE emails SET sealed_values = NULL, purge_at = created_at + :kept
    WHERE {_OVERDUE} AND created_at + :kept > :now
    """
)
DELETE_OVERDUE: Final = Statement(f"DELETE FROM emails WHERE {_OVERDUE} AND created_at + :kept <= :now")


UPDATE_RESENT: Final = Statement(
    f"""
    UPDATE emails
    SET status = 'queued', next_attempt_at = :now, give_up_at = :give_up_at
    WHERE tenant_id = :tenant_id AND id = :id AND status IN ('dead', 'failed') AND sealed_values IS NOT NULL
    RETURNING {_COLUMNS}
    """
)
GET_EMAIL: Final = Statement(f"SELECT {_COLUMNS} FROM emails WHERE tenant_id = :tenant_id AND id = :id")


class EmailFilter(msgspec.Struct, frozen=True):
    """Which mails are meant."""

    status: EmailStatus | None
    template: EmailTemplate | None
    user_id: str | None


@cache
def _list_statement(*, by_status: bool, by_template: bool, by_user: bool, after: bool) -> Statement:
    conditions = ["tenant_id = :tenant_id"]
    for wanted, condition in (
        (by_status, "status = :status"),
        (by_template, "template = :template"),
        (by_user, "user_id = :user_id"),
    ):
        if wanted:
            conditions.append(condition)
    where = conjunction(conditions)
    page_where = f"{where} AND id < :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT id FROM emails WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded)
            AS counted
        LEFT JOIN (SELECT {_COLUMNS} FROM emails WHERE {page_where} ORDER BY id DESC LIMIT :rows) AS page ON TRUE
        ORDER BY page.id DESC
        """
    )


async def insert_email(tx: Transaction, email: EmailRow) -> None:
    """Insert a mail."""
    await tx.execute(INSERT_EMAIL, **msgspec.structs.asdict(email))


async def insert_emails(tx: Transaction, emails: Sequence[EmailRow]) -> None:
    """Insert mails, in one statement."""
    await tx.execute_many(INSERT_EMAIL, [msgspec.structs.asdict(email) for email in emails])


async def get_email(reader: Reader, email_id: str) -> EmailRow | None:
    """Return a mail, or None."""
    row = await reader.fetch_one(GET_EMAIL, id=email_id)
    return None if row is None else _email_of(row)


async def list_emails(
    reader: Reader, wanted: EmailFilter, rows: int, after: str | None
) -> tuple[int, Sequence[EmailRow]]:
    """Return how many match (counted to one above COUNT_CAP) and up to `rows` of them, newest first, below `after`."""
    given: dict[str, Parameter] = {"status": wanted.status, "template": wanted.template, "user_id": wanted.user_id}
    parameters = {name: value for name, value in {**given, "after": after}.items() if value is not None}
    statement = _list_statement(
        by_status=wanted.status is not None,
        by_template=wanted.template is not None,
        by_user=wanted.user_id is not None,
        after=after is not None,
    )
    found = await reader.fetch_all(statement, rows=rows, **parameters)
    return found[0][0], [_email_of(row[1:]) for row in found if row[1] is not None]


async def update_resent(tx: Transaction, email_id: str, now_ms: int, give_up_at: int) -> EmailRow | None:
    """Queue a mail that did not go out once more, and return it; None if it waits, went out, or has no values."""
    row = await consume_once(tx, UPDATE_RESENT, id=email_id, now=now_ms, give_up_at=give_up_at)
    return None if row is None else _email_of(row)


async def get_next_attempt(reader: Reader, until: int) -> int | None:
    """Return when the first mail that is due by `until` is due; None when there is none."""
    row = await reader.fetch_one(GET_NEXT_ATTEMPT, until=until)
    return None if row is None else row[0]


async def claim_emails(tx: Transaction, claim: str, now_ms: int, until: int, rows: int) -> Sequence[EmailRow]:
    """Take up to `rows` mails that are due, for which nobody else is then asked before `until`; return them.

    Of any number who claim at once each gets others.
    """
    taken = await tx.fetch_all(CLAIM_EMAILS, claim=claim, now=now_ms, until=until, rows=rows)
    return [_email_of(row) for row in taken]


async def update_sent(tx: Transaction, email_id: str, claim: str, now_ms: int) -> bool:
    """Note that a claimed mail went out; say whether the claim still stood."""
    return await tx.execute(UPDATE_SENT, id=email_id, claim=claim, now=now_ms) == 1


async def update_failed(tx: Transaction, email_id: str, claim: str, reason: str, next_attempt_at: int) -> bool:
    """Note that a claimed mail will be tried again; say whether the claim still stood."""
    changed = await tx.execute(UPDATE_FAILED, id=email_id, claim=claim, reason=reason, next_attempt_at=next_attempt_at)
    return changed == 1


async def update_dead(tx: Transaction, email_id: str, claim: str, reason: str) -> bool:
    """Give a claimed mail up; say whether the claim still stood."""
    return await tx.execute(UPDATE_DEAD, id=email_id, claim=claim, reason=reason) == 1


async def get_next_purge(reader: Reader, until: int) -> int | None:
    """Return when something of a mail is to be destroyed, the first time by `until`; None when there is none."""
    row = await reader.fetch_one(GET_NEXT_PURGE, until=until)
    return None if row is None else row[0]


async def delete_overdue(tx: Transaction, now_ms: int, kept_ms: int, rows: int) -> int:
    """Delete mails that are kept no longer, and destroy the values of others, up to `rows` in all; return how many."""
    deleted = await tx.execute(DELETE_OVERDUE, now=now_ms, kept=kept_ms, rows=rows)
    return deleted + await tx.execute(UPDATE_VALUES_GONE, now=now_ms, kept=kept_ms, rows=rows)


def _email_of(row: Row) -> EmailRow:
    values = dict(zip(_FIELDS, row, strict=True))
    values["template"] = EmailTemplate(values["template"])
    values["status"] = EmailStatus(values["status"])
    return EmailRow(**values)
