"""The statements on keys: a tenant's in its store, master keys in the control store."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import msgspec

from hellojohn_server.features.keys.schemas import ApiKey, KeyType
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Statement

_FIELDS: Final = ApiKey.__struct_fields__
_TYPE, _SCOPES, _ALLOWED_IPS = (_FIELDS.index(name) for name in ("type", "scopes", "allowed_ips"))
_COLUMNS: Final = ", ".join(_FIELDS)

GET_KEY: Final = Statement(f"SELECT {_COLUMNS} FROM api_keys WHERE tenant_id = :tenant_id AND id = :id")
GET_KEY_BY_HASH: Final = Statement(
    f"SELECT {_COLUMNS} FROM api_keys WHERE tenant_id = :tenant_id AND key_hash = :key_hash"
)
GET_KEY_HELD: Final = Statement(
    f"SELECT {_COLUMNS} FROM api_keys WHERE tenant_id = :tenant_id AND id = :id",
    f"SELECT {_COLUMNS} FROM api_keys WHERE tenant_id = :tenant_id AND id = :id FOR SHARE",
)
INSERT_KEY: Final = Statement(
    """
    INSERT INTO api_keys (
        tenant_id, id, type, name, key_hash, hint, scopes, created_at, created_by, expires_at, allowed_ips
    ) VALUES (
        :tenant_id, :id, :type, :name, :key_hash, :hint, :scopes, :created_at, :created_by, :expires_at,
        :allowed_ips
    )
    """
)
REVOKE_KEY: Final = Statement(
    f"""
    UPDATE api_keys
    SET revoked_at = :now, revoked_reason = :reason
    WHERE tenant_id = :tenant_id AND id = :id AND revoked_at IS NULL
    RETURNING {_COLUMNS}
    """
)
UPDATE_ROTATED: Final = Statement(
    f"""
    UPDATE api_keys
    SET replaced_by = :replaced_by, expires_at = :expires_at, revoked_at = :revoked_at, revoked_reason = :revoked_reason
    WHERE tenant_id = :tenant_id AND id = :id AND replaced_by IS NULL AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > :now)
    RETURNING {_COLUMNS}
    """
)

# On PostgreSQL the rows are locked in the order of ids, so that no two processes that write the same keys wait for each
# other.
UPDATE_LAST_USED: Final = Statement(
    """
    UPDATE api_keys SET last_used_at = seen.value
    FROM json_each(:seen) AS seen
    WHERE api_keys.tenant_id = :tenant_id AND api_keys.id = seen.key
        AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < seen.value)
    """,
    """
    WITH seen AS (
        SELECT key AS id, CAST(value AS bigint) AS seen_at FROM json_each_text(CAST(:seen AS json))
    ), locked AS MATERIALIZED (
        SELECT id FROM api_keys
        WHERE tenant_id = :tenant_id AND id IN (SELECT id FROM seen) ORDER BY id FOR UPDATE
    )
    UPDATE api_keys SET last_used_at = seen.seen_at
    FROM seen JOIN locked ON locked.id = seen.id
    WHERE api_keys.tenant_id = :tenant_id AND api_keys.id = seen.id
        AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < seen.seen_at)
    """,
)


@cache
def _list_statement(*, by_type: bool, after: bool) -> Statement:
    where = "tenant_id = :tenant_id AND type = :type" if by_type else "tenant_id = :tenant_id"
    page_where = f"{where} AND id < :after" if after else where
    return Statement(
        f"""
        SELECT counted.total, page.*
        FROM (SELECT count(*) AS total FROM (SELECT id FROM api_keys WHERE {where} LIMIT {COUNT_CAP + 1}) AS bounded)
            AS counted
        LEFT JOIN (SELECT {_COLUMNS} FROM api_keys WHERE {page_where} ORDER BY id DESC LIMIT :rows) AS page ON TRUE
        ORDER BY page.id DESC
        """
    )


def _key_of(row: Row) -> ApiKey:
    values = list(row)
    values[_TYPE] = KeyType(values[_TYPE])
    for listed in (_SCOPES, _ALLOWED_IPS):
        values[listed] = msgspec.json.decode(values[listed], type=tuple[str, ...])
    return ApiKey(*values)


async def get_key(reader: Reader, key_id: str) -> ApiKey | None:
    """Return the key, also when it is revoked or expired, or None."""
    row = await reader.fetch_one(GET_KEY, id=key_id)
    return None if row is None else _key_of(row)


async def get_key_held(tx: Transaction, key_id: str) -> ApiKey | None:
    """Return the key as get_key does; nobody changes it until `tx` ends."""
    row = await tx.fetch_one(GET_KEY_HELD, id=key_id)
    return None if row is None else _key_of(row)


async def get_key_by_hash(reader: Reader, key_hash: bytes) -> ApiKey | None:
    """Return the key with this SHA-256, also when it is revoked or expired, or None."""
    row = await reader.fetch_one(GET_KEY_BY_HASH, key_hash=key_hash)
    return None if row is None else _key_of(row)


async def insert_key(tx: Transaction, key: ApiKey, key_hash: bytes) -> None:
    """Insert a key that is not revoked."""
    await tx.execute(
        INSERT_KEY,
        id=key.id,
        type=key.type.value,
        name=key.name,
        key_hash=key_hash,
        hint=key.hint,
        scopes=msgspec.json.encode(key.scopes).decode(),
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        allowed_ips=msgspec.json.encode(key.allowed_ips).decode(),
    )


async def update_revoked(tx: Transaction, key_id: str, reason: str | None, now: int) -> ApiKey | None:
    """Revoke a key and return it; None when it is revoked already or there is none. Of several at once, one revokes."""
    row = await tx.fetch_one(REVOKE_KEY, id=key_id, reason=reason, now=now)
    return None if row is None else _key_of(row)


async def update_rotated(tx: Transaction, rotated: ApiKey, now: int) -> ApiKey | None:
    """Say of a key what replaces it and when it ends, and return it; None unless it worked and was not replaced yet.

    Of several at once, one rotates.
    """
    row = await consume_once(
        tx,
        UPDATE_ROTATED,
        id=rotated.id,
        replaced_by=rotated.replaced_by,
        expires_at=rotated.expires_at,
        revoked_at=rotated.revoked_at,
        revoked_reason=rotated.revoked_reason,
        now=now,
    )
    return None if row is None else _key_of(row)


async def update_last_used(tx: Transaction, seen: Mapping[str, int]) -> None:
    """Set when these keys were last used, in one statement; none goes back, and ids without a key are passed over."""
    await tx.execute(UPDATE_LAST_USED, seen=msgspec.json.encode(seen).decode())


async def list_keys(
    reader: Reader, rows: int, key_type: KeyType | None, after: str | None
) -> tuple[int, Sequence[ApiKey]]:
    """Return how many match (counted to one above COUNT_CAP) and up to `rows` of them, newest first, below `after`."""
    parameters: dict[str, str | int] = {"rows": rows}
    if key_type is not None:
        parameters["type"] = key_type.value
    if after is not None:
        parameters["after"] = after
    statement = _list_statement(by_type=key_type is not None, after=after is not None)
    found = await reader.fetch_all(statement, **parameters)
    return found[0][0], [_key_of(row[1:]) for row in found if row[1] is not None]
