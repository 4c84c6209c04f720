"""The statements that find what is taken."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

_LIST: Final = {"sqlite": "IN (SELECT value FROM json_each({}))", "postgres": "= ANY({})"}


def _taken(engine: str) -> str:
    """Return the statement for an engine: a SELECT by each of the columns that are unique."""
    by = {"id": ":ids", "email_key": ":email_keys", "username_key": ":username_keys", "external_id": ":external_ids"}
    arms = [
        f"""
        SELECT '{column}' AS kind, {column} AS value, id AS owner FROM users
        WHERE tenant_id = :tenant_id AND {column} {_LIST[engine].format(values)}
        """
        for column, values in by.items()
    ]
    arms.append(
        f"""
        SELECT 'address_hash', address_hash, '' FROM banned_addresses
        WHERE tenant_id = :tenant_id AND address_hash {_LIST[engine].format(":address_hashes")}
            AND (banned_until IS NULL OR banned_until > :now)
        """
    )
    return " UNION ALL ".join(arms)


LIST_CLOSED: Final = Statement(
    *(
        f"""
        SELECT address_hash FROM banned_addresses
        WHERE tenant_id = :tenant_id AND address_hash {_LIST[engine].format(":address_hashes")}
            AND (banned_until IS NULL OR banned_until > :now)
        """
        for engine in ("sqlite", "postgres")
    )
)
LIST_TAKEN: Final = Statement(_taken("sqlite"), _taken("postgres"))


async def list_taken(  # noqa: PLR0913 - one list for each of the columns
    reader: Reader,
    *,
    ids: Sequence[str],
    email_keys: Sequence[str],
    username_keys: Sequence[str],
    external_ids: Sequence[str],
    address_hashes: Sequence[str],
    now_ms: int,
) -> dict[str, dict[str, str]]:
    """Return which of these values are taken, by column, with whose they are (a closed address is nobody's)."""
    rows = await reader.fetch_all(
        LIST_TAKEN,
        ids=ids,
        email_keys=email_keys,
        username_keys=username_keys,
        external_ids=external_ids,
        address_hashes=address_hashes,
        now=now_ms,
    )
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for column, value, owner in rows:
        found[column][value] = owner
    return found


async def list_closed(reader: Reader, address_hashes: Sequence[str], now_ms: int) -> list[str]:
    """Return which of these addresses are closed."""
    return [row[0] for row in await reader.fetch_all(LIST_CLOSED, address_hashes=address_hashes, now=now_ms)]
