"""The statements on invitations. Their organization is locked before they change, but for what has expired."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.invitations.schemas import Invitation
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Parameter, Reader, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = Invitation.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)

INSERT_INVITATION = Statement(
    f"""
    INSERT INTO organization_invitations (tenant_id, token_hash, {_COLUMNS})
    VALUES (:tenant_id, :token_hash, {", ".join(f":{name}" for name in _FIELDS)})
    """
)
GET_INVITATION = Statement(
    f"""
    SELECT {_COLUMNS} FROM organization_invitations
    WHERE tenant_id = :tenant_id AND id = :id AND organization_id = :organization_id
    """
)
GET_BY_TOKEN = Statement(
    f"SELECT {_COLUMNS} FROM organization_invitations WHERE tenant_id = :tenant_id AND token_hash = :token_hash"
)
COUNT_INVITATIONS = Statement(
    """
    SELECT count(*) FROM organization_invitations
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id
    """
)
UPDATE_SENT = Statement(
    """
    UPDATE organization_invitations SET token_hash = :token_hash, sent_at = :sent_at, expires_at = :expires_at
    WHERE tenant_id = :tenant_id AND id = :id
    """
)
DELETE_INVITATION = Statement("DELETE FROM organization_invitations WHERE tenant_id = :tenant_id AND id = :id")
CONSUME_INVITATION = Statement(
    f"""
    DELETE FROM organization_invitations
    WHERE tenant_id = :tenant_id AND token_hash = :token_hash AND expires_at > :now
    RETURNING {_COLUMNS}
    """
)
DELETE_EXPIRED_OF = Statement(
    """
    DELETE FROM organization_invitations
    WHERE tenant_id = :tenant_id AND organization_id = :organization_id AND expires_at <= :now
    """
)
GET_NEXT_EXPIRY = Statement(
    "SELECT MIN(expires_at) FROM organization_invitations WHERE tenant_id = :tenant_id AND expires_at <= :until"
)
DELETE_EXPIRED = Statement(
    """
    DELETE FROM organization_invitations WHERE tenant_id = :tenant_id AND id IN (
        SELECT id FROM organization_invitations WHERE tenant_id = :tenant_id AND expires_at <= :now
        ORDER BY expires_at LIMIT :rows
    )
    """
)


@cache
def _list_statement(*, after: bool) -> Statement:
    where = "tenant_id = :tenant_id AND organization_id = :organization_id AND expires_at > :now"
    page_where = f"{where} AND id > :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM organization_invitations WHERE {where}) AS counted
        LEFT JOIN (
            SELECT {_COLUMNS} FROM organization_invitations WHERE {page_where} ORDER BY id LIMIT :rows
        ) AS page ON TRUE
        ORDER BY page.id
        """
    )


async def insert_invitation(tx: Transaction, invitation: Invitation, token_hash: bytes) -> None:
    """Insert an invitation; UniqueViolation when the address is invited to the organization already."""
    await tx.execute(INSERT_INVITATION, **msgspec.structs.asdict(invitation), token_hash=token_hash)


async def get_invitation(reader: Reader, organization_id: str, invitation_id: str) -> Invitation | None:
    """Return an invitation to an organization, also one that has expired, or None."""
    row = await reader.fetch_one(GET_INVITATION, id=invitation_id, organization_id=organization_id)
    return None if row is None else Invitation(*row)


async def get_by_token(reader: Reader, token_hash: bytes) -> Invitation | None:
    """Return the invitation of a link, also one that has expired, or None."""
    row = await reader.fetch_one(GET_BY_TOKEN, token_hash=token_hash)
    return None if row is None else Invitation(*row)


async def count_invitations(reader: Reader, organization_id: str) -> int:
    """Return how many invitations to an organization there are."""
    row = await reader.fetch_one(COUNT_INVITATIONS, organization_id=organization_id)
    return 0 if row is None else int(row[0])


async def list_invitations(
    reader: Reader, organization_id: str, rows: int, after: str | None, now_ms: int
) -> tuple[int, Sequence[Invitation]]:
    """Return how many open invitations there are and up to `rows` of them after the one of this id."""
    parameters: dict[str, Parameter] = {"organization_id": organization_id, "rows": rows, "now": now_ms}
    if after is not None:
        parameters["after"] = after
    found = await reader.fetch_all(_list_statement(after=after is not None), **parameters)
    return found[0][0], [Invitation(*row[1:]) for row in found if row[1] is not None]


async def update_sent(tx: Transaction, invitation: Invitation, token_hash: bytes) -> None:
    """Put another secret in the place of the one before, and write when it was sent and ends."""
    await tx.execute(
        UPDATE_SENT,
        id=invitation.id,
        token_hash=token_hash,
        sent_at=invitation.sent_at,
        expires_at=invitation.expires_at,
    )


async def delete_invitation(tx: Transaction, invitation_id: str) -> None:
    """Delete an invitation."""
    await tx.execute(DELETE_INVITATION, id=invitation_id)


async def consume_invitation(tx: Transaction, token_hash: bytes, now_ms: int) -> Invitation | None:
    """Use an invitation up, and return it to the one caller that did; None when there is none that is good."""
    row = await consume_once(tx, CONSUME_INVITATION, token_hash=token_hash, now=now_ms)
    return None if row is None else Invitation(*row)


async def delete_expired_of(tx: Transaction, organization_id: str, now_ms: int) -> None:
    """Delete the invitations to an organization that have expired."""
    await tx.execute(DELETE_EXPIRED_OF, organization_id=organization_id, now=now_ms)


async def get_next_expiry(reader: Reader, until_ms: int = END_OF_TIME_MS) -> int | None:
    """Return when the tenant's next invitation expires or expired, until `until_ms`, or None."""
    row = await reader.fetch_one(GET_NEXT_EXPIRY, until=until_ms)
    return None if row is None else row[0]


async def delete_expired(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to so many invitations that have expired, and return how many."""
    return await tx.execute(DELETE_EXPIRED, now=now_ms, rows=rows)
