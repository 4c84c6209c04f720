"""The audit log's statements.

A list is one statement: the page and its total, with side rows and coalesced denials joined to the page. Filters that
ask for one of several columns ("actor or resource") are a UNION of walks along each column's own index, each ended by
its own LIMIT; one OR over them would read every entry.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from hellojohn_server.features.audit.events import EntryCore, Part, SideRow
from hellojohn_server.features.audit.schemas import StoredEntry
from hellojohn_server.kit.audit_types import AuditResult
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = EntryCore.__struct_fields__
_IMPERSONATED: Final = _FIELDS.index("impersonated")
_SIDE_FIELDS: Final = SideRow.__struct_fields__

INSERT_ENTRY: Final = Statement(
    f"""
    INSERT INTO audit_entries (tenant_id, {", ".join(_FIELDS)})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _FIELDS)})
    """,
    kind=Kind.AUDIT,
)
INSERT_SIDE_ROW: Final = Statement(
    f"""
    INSERT INTO audit_values (tenant_id, {", ".join(_SIDE_FIELDS)})
    VALUES (:tenant_id, {", ".join(f":{name}" for name in _SIDE_FIELDS)})
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_SIDE_ROWS: Final = Statement(
    f"SELECT {', '.join(_SIDE_FIELDS)} FROM audit_values WHERE tenant_id = :tenant_id AND entry_id = :entry_id"
)
# Of several denials at once one inserts and makes the entry; the others wait for it and are counted.
INSERT_DENIAL: Final = Statement(
    """
    INSERT INTO audit_denials (tenant_id, credential_id, operation, minute, entry_id, denials)
    VALUES (:tenant_id, :credential_id, :operation, :minute, :entry_id, 1)
    ON CONFLICT (credential_id, operation, minute) DO UPDATE SET denials = audit_denials.denials + 1
    RETURNING denials
    """,
    """
    INSERT INTO audit_denials (tenant_id, credential_id, operation, minute, entry_id, denials)
    VALUES (:tenant_id, :credential_id, :operation, :minute, :entry_id, 1)
    ON CONFLICT (tenant_id, credential_id, operation, minute) DO UPDATE SET denials = audit_denials.denials + 1
    RETURNING denials
    """,
    kind=Kind.BOOKKEEPING,
)

_ENTRY_COLUMNS: Final = ", ".join(f"e.{name}" for name in _FIELDS)
_SIDES: Final = """
    LEFT JOIN audit_values AS about_actor
        ON about_actor.tenant_id = :tenant_id AND about_actor.entry_id = e.id AND about_actor.part = 'actor'
    LEFT JOIN audit_values AS about_resource
        ON about_resource.tenant_id = :tenant_id AND about_resource.entry_id = e.id AND about_resource.part = 'resource'
    LEFT JOIN audit_denials AS denied ON denied.tenant_id = :tenant_id AND denied.entry_id = e.id
"""
_SIDE_COLUMNS: Final = "about_actor.document, about_resource.document, denied.denials"

GET_ENTRY: Final = Statement(
    f"""
    SELECT {_ENTRY_COLUMNS}, {_SIDE_COLUMNS}
    FROM audit_entries AS e
    {_SIDES}
    WHERE e.tenant_id = :tenant_id AND e.id = :id
    """
)


class Filters(msgspec.Struct, frozen=True):
    """Which entries. `type` is exact or ends in `.*`; `from_id` is the least id included, `to_id` the least one not."""

    actor_id: str | None = None
    user_id: str | None = None
    actor_type: str | None = None
    type: str | None = None
    result: str | None = None
    ip_address: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    from_id: str | None = None
    to_id: str | None = None


_PLAIN: Final = {
    "actor_type": "e.actor_type = :actor_type",
    "resource_id": "e.resource_id = :resource_id",
    "resource_type": "e.resource_type = :resource_type",
    "type": "e.type = :type",
    "family": "{family} = :family",
    "prefix": "e.type >= :prefix AND e.type < :prefix_end",
    "result": "e.result = :result",
    "refusal": "e.result = :refusal AND e.result <> 'success'",
}
"""One condition for each parameter. `refusal` repeats the condition of the index that only the others are in."""

_RANGE: Final = {"from_id": "{id} >= :from_id", "to_id": "{id} < :to_id"}
_SAME_ADDRESS: Final = (
    "EXISTS (SELECT 1 FROM audit_values AS v"
    " WHERE v.tenant_id = :tenant_id AND v.entry_id = e.id AND v.part = 'actor' AND v.ip_address = :ip_address)"
)
_ENTRIES: Final = "audit_entries AS e WHERE e.tenant_id = :tenant_id"
_ADDRESSES: Final = (
    "audit_values AS v WHERE v.tenant_id = :tenant_id AND v.part = 'actor' AND v.ip_address = :ip_address"
)
_ENTRIES_OF_ADDRESS: Final = (
    "audit_values AS v JOIN audit_entries AS e ON e.tenant_id = :tenant_id AND e.id = v.entry_id"
    " WHERE v.tenant_id = :tenant_id AND v.part = 'actor' AND v.ip_address = :ip_address"
)
_FAMILY_SQLITE: Final = "substr(e.type, 1, instr(e.type, '.'))"
_FAMILY_POSTGRES: Final = "substr(e.type, 1, strpos(e.type, '.'))"


async def insert_entries(tx: Transaction, entries: Sequence[EntryCore], sides: Sequence[SideRow]) -> None:
    """Insert cores and their side rows, a statement for each of the two tables."""
    await tx.execute_many(INSERT_ENTRY, [msgspec.structs.asdict(entry) for entry in entries])
    await tx.execute_many(
        INSERT_SIDE_ROW, [{**msgspec.structs.asdict(side), "part": side.part.value} for side in sides]
    )


async def insert_denial(tx: Transaction, credential_id: str, operation: str, minute: int, entry_id: str) -> bool:
    """Count a denial. True for the first of its credential, operation and minute: it makes the entry `entry_id`."""
    row = await tx.fetch_one(
        INSERT_DENIAL, credential_id=credential_id, operation=operation, minute=minute, entry_id=entry_id
    )
    return row is not None and row[0] == 1


async def get_entry(reader: Reader, entry_id: str) -> StoredEntry | None:
    """Return the entry, or None."""
    row = await reader.fetch_one(GET_ENTRY, id=entry_id)
    return None if row is None else _entry_of(row)


async def list_side_rows(reader: Reader, entry_id: str) -> Sequence[SideRow]:
    """Return the side rows of an entry that still exist."""
    rows = await reader.fetch_all(LIST_SIDE_ROWS, entry_id=entry_id)
    return [SideRow(row[0], Part(row[1]), *row[2:]) for row in rows]


async def list_entries(
    reader: Reader, filters: Filters, rows: int, after: str | None
) -> tuple[int, Sequence[StoredEntry]]:
    """Return how many match (counted to one above COUNT_CAP at least) and up to `rows` of them, newest first."""
    parameters = _parameters_of(filters)
    statement = _list_statement(frozenset(parameters), after=after is not None)
    if after is not None:
        parameters["after"] = after
    found = await reader.fetch_all(statement, **parameters, rows=rows)
    return found[0][0], [_entry_of(row[1:]) for row in found if row[1] is not None]


def _parameters_of(filters: Filters) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {
        name: value for name, value in msgspec.structs.asdict(filters).items() if value is not None
    }
    if filters.result not in {None, AuditResult.SUCCESS.value}:
        parameters["refusal"] = parameters.pop("result")
    if filters.type is not None and filters.type.endswith(".*"):
        prefix = filters.type[:-1]
        family = prefix[: prefix.index(".") + 1]
        del parameters["type"]
        parameters["family"] = family
        if prefix != family:
            parameters["prefix"] = prefix
            parameters["prefix_end"] = prefix[:-1] + "/"  # the character after the dot
    return parameters


class _Walk(msgspec.Struct, frozen=True):
    """One SELECT of a union, without its LIMIT. `id` is the column whose index it follows."""

    id: str
    source: str

    def sql(self, family: str, rest: str = "") -> str:
        """Return it with the dialect's expression for a type's family, and further conditions."""
        return f"SELECT {self.id} AS id FROM {self.source}{rest}".format(id=self.id, family=family)


@lru_cache(maxsize=1024)
def _list_statement(given: frozenset[str], *, after: bool) -> Statement:
    walks = _walks_of(given)
    return Statement(
        _list_sql(walks, after=after, family=_FAMILY_SQLITE), _list_sql(walks, after=after, family=_FAMILY_POSTGRES)
    )


def _list_sql(walks: Sequence[_Walk], *, after: bool, family: str) -> str:
    rest = " AND {id} < :after" if after else ""
    counted = " UNION ".join(
        f"SELECT id FROM ({walk.sql(family)} LIMIT {COUNT_CAP + 1}) AS counted_{n}" for n, walk in enumerate(walks)
    )
    paged = " UNION ".join(
        f"SELECT id FROM ({walk.sql(family, rest)} ORDER BY {walk.id} DESC LIMIT :rows) AS paged_{n}"
        for n, walk in enumerate(walks)
    )
    return f"""
        SELECT counted.total, {_ENTRY_COLUMNS}, {_SIDE_COLUMNS}
        FROM (SELECT count(*) AS total FROM ({counted}) AS matching) AS counted
        LEFT JOIN (SELECT id FROM ({paged}) AS found ORDER BY id DESC LIMIT :rows) AS page ON TRUE
        LEFT JOIN audit_entries AS e ON e.tenant_id = :tenant_id AND e.id = page.id
        {_SIDES}
        ORDER BY page.id DESC
    """


def _walks_of(given: frozenset[str]) -> Sequence[_Walk]:
    """Return the walks whose union is what the filters `given` ask for."""
    plain = [condition for name, condition in _PLAIN.items() if name in given]
    within = [condition for name, condition in _RANGE.items() if name in given]
    if not given & {"user_id", "actor_id"} and "ip_address" in given:
        return [_Walk("v.entry_id", " AND ".join([_ENTRIES_OF_ADDRESS if plain else _ADDRESSES, *plain, *within]))]
    if "ip_address" in given:
        plain.append(_SAME_ADDRESS)
    if {"user_id", "actor_id"} <= given:
        plain.append("(e.actor_id = :actor_id OR e.on_behalf_of_id = :actor_id)")
    starts = [""]
    if "user_id" in given:
        starts = [f" AND e.{column} = :user_id" for column in ("actor_id", "on_behalf_of_id", "resource_id")]
    elif "actor_id" in given:
        starts = [f" AND e.{column} = :actor_id" for column in ("actor_id", "on_behalf_of_id")]
    return [_Walk("e.id", " AND ".join([_ENTRIES + start, *plain, *within])) for start in starts]


def _entry_of(row: Row) -> StoredEntry:
    values = list(row[: len(_FIELDS)])
    values[_IMPERSONATED] = bool(values[_IMPERSONATED])
    return StoredEntry(EntryCore(*values), *row[len(_FIELDS) :])
