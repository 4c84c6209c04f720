"""The audit log's statements.

A list is one statement: the page and its total, with side rows and coalesced denials joined to the page. Filters that
ask for one of several columns ("actor or resource") are a UNION ALL of walks along each column's own index, each ended
by its own LIMIT; one OR over them would read every entry. An entry that several columns ask for is left to the first.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from hellojohn_server.features.audit.events import EntryCore, Part, SideRow
from hellojohn_server.features.audit.schemas import StoredEntry
from hellojohn_server.kit.audit_types import AuditResult
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.storage.database import Parameter, Reader, Row, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_encode: Final = msgspec.json.Encoder().encode
_FIELDS: Final = EntryCore.__struct_fields__
_IMPERSONATED: Final = _FIELDS.index("impersonated")
_SIDE_FIELDS: Final = SideRow.__struct_fields__
# What a value is turned into for PostgreSQL, which reads all as text.
_POSTGRES_FORMS: Final = {
    "created_at": "CAST({} AS bigint)",
    "impersonated": "CAST({} AS boolean)",
    "on_behalf_of_id": "CAST({} AS text)",
    "on_behalf_of_type": "CAST({} AS text)",
}

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


# Many entries at once: :rows is a JSON array with an array for each, of what differs between the entries of one call
# (_OWN); the rest is given once.
_OWN: Final = (
    *("id", "type", "source", "resource_id", "resource_type", "organization_id", "result", "created_at"),
    *("actor_hash", "resource_hash", "actor_subject", "actor_salt", "resource_salt", "about_resource"),
)


def _own(name: str, form: str = "{}") -> str:
    """Return a column of an entry that stands in :rows, in the form that it is stored in."""
    return form.format(f"r.value ->> {_OWN.index(name)}")


def _entry(forms: Mapping[str, str]) -> str:
    """Return the columns of an entry."""
    return ", ".join(
        _own(name, forms.get(name, "{}")) if name in _OWN else forms.get(name, "{}").format(f":{name}")
        for name in _FIELDS
    )


def _sides(source: str, salt: str, text: str) -> str:
    """Return both side rows of each entry: about who acted, and about what was acted on."""

    def either(actor: str, resource: str) -> str:
        return f"CASE p.value WHEN 'actor' THEN {actor} ELSE {resource} END"

    return f"""
    INSERT INTO audit_values (tenant_id, {", ".join(_SIDE_FIELDS)})
    SELECT :tenant_id, {_own("id")}, p.value, {either(_own("actor_subject"), _own("resource_id"))},
        {salt.format(either(_own("actor_salt"), _own("resource_salt")))},
        {either(text.format(":about_actor"), _own("about_resource"))}, {either(text.format(":ip_address"), "NULL")}
    FROM {source}
    """


_SQLITE_ROWS: Final = "jsonb_each(:rows) AS r"
_SQLITE_PARTS: Final = """json_each('["actor", "resource"]') AS p"""
_POSTGRES_ROWS: Final = "jsonb_array_elements(CAST(:rows AS jsonb)) AS r (value)"
_POSTGRES_PARTS: Final = "unnest(ARRAY['actor', 'resource']) AS p (value)"
INSERT_ENTRIES: Final = Statement(
    f"""
    INSERT INTO audit_entries (tenant_id, {", ".join(_FIELDS)})
    SELECT :tenant_id, {_entry({})} FROM {_SQLITE_ROWS}
    """,
    f"""
    INSERT INTO audit_entries (tenant_id, {", ".join(_FIELDS)})
    SELECT :tenant_id, {_entry(_POSTGRES_FORMS)} FROM {_POSTGRES_ROWS}
    """,
    kind=Kind.AUDIT,
)
INSERT_SIDE_ROWS: Final = Statement(
    _sides(f"{_SQLITE_ROWS} CROSS JOIN {_SQLITE_PARTS}", "unhex({})", "{}"),
    _sides(f"{_POSTGRES_ROWS} CROSS JOIN {_POSTGRES_PARTS}", "decode({}, 'hex')", "CAST({} AS text)"),
    kind=Kind.BOOKKEEPING,
)
DELETE_SIDE_ROWS: Final = Statement(
    """
    DELETE FROM audit_values
    WHERE tenant_id = :tenant_id AND subject_id IN (SELECT value FROM json_each(:subject_ids))
    """,
    "DELETE FROM audit_values WHERE tenant_id = :tenant_id AND subject_id = ANY(:subject_ids)",
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
# Looked up for each entry of a page. As joins they were read whole by PostgreSQL while its statistics were young.
_SIDE_COLUMNS: Final = """
    (SELECT v.document FROM audit_values AS v
        WHERE v.tenant_id = :tenant_id AND v.entry_id = e.id AND v.part = 'actor'),
    (SELECT v.document FROM audit_values AS v
        WHERE v.tenant_id = :tenant_id AND v.entry_id = e.id AND v.part = 'resource'),
    (SELECT d.denials FROM audit_denials AS d WHERE d.tenant_id = :tenant_id AND d.entry_id = e.id)
"""

GET_ENTRY: Final = Statement(
    f"SELECT {_ENTRY_COLUMNS}, {_SIDE_COLUMNS} FROM audit_entries AS e WHERE e.tenant_id = :tenant_id AND e.id = :id"
)


Entry: TypeAlias = tuple[str | int | None, ...]
"""What an entry has of its own, in the order of _OWN; salts in hexadecimal."""


class Call(msgspec.Struct, frozen=True):
    """What the entries of one call have in common."""

    actor_id: str
    actor_type: str
    on_behalf_of_id: str | None
    on_behalf_of_type: str | None
    request_id: str
    impersonated: bool
    about_actor: str
    ip_address: str | None


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
    "resource_id": "{other}e.resource_id = :resource_id",
    "type": "{other}e.type = :type",
    "family": "{other}{family} = :family",
    "refusal": "{other}e.result = :refusal AND e.result <> 'success'",
    "resource_type": "{other}e.resource_type = :resource_type",
    "actor_type": "{other}e.actor_type = :actor_type",
    "result": "e.result = :result",
    "prefix": "{other}e.type >= :prefix AND {other}e.type < :prefix_end",
}
"""One condition for each parameter; those with an index first, the most selective one leading.

`{other}` is a `+` on SQLite, which keeps its planner from the index of a condition that does not lead: it has no
statistics to choose by. `refusal` repeats the condition of the index that only the others than success are in.
"""

_RANGE: Final = {"from_id": "{id} >= :from_id", "to_id": "{id} < :to_id"}
_SAME_ADDRESS: Final = (
    "EXISTS (SELECT 1 FROM audit_values AS v"
    " WHERE v.tenant_id = :tenant_id AND v.entry_id = e.id AND v.part = 'actor' AND v.ip_address = :ip_address)"
)
_ENTRIES: Final = "audit_entries AS e WHERE e.tenant_id = :tenant_id"
_ADDRESSES: Final = "audit_values AS v WHERE v.tenant_id = :tenant_id AND v.ip_address = :ip_address"
_ENTRIES_OF_ADDRESS: Final = (
    "audit_values AS v JOIN audit_entries AS e ON e.tenant_id = :tenant_id AND e.id = v.entry_id"
    " WHERE v.tenant_id = :tenant_id AND v.ip_address = :ip_address"
)
_SQLITE: Final = {"family": "substr(e.type, 1, instr(e.type, '.'))", "other": "+"}
_POSTGRES: Final = {"family": "substr(e.type, 1, strpos(e.type, '.'))", "other": ""}


async def insert_entry(tx: Transaction, entry: EntryCore, sides: Sequence[SideRow]) -> None:
    """Insert one core and its side rows: what most commands do, and a fifth faster than insert_entries on SQLite."""
    await tx.execute_many(INSERT_ENTRY, [msgspec.structs.asdict(entry)])
    await tx.execute_many(
        INSERT_SIDE_ROW, [{**msgspec.structs.asdict(side), "part": side.part.value} for side in sides]
    )


async def insert_entries(tx: Transaction, call: Call, entries: Sequence[Entry]) -> None:
    """Insert the entries of one call with their side rows: one statement for each of the two tables, however many."""
    rows = _encode(entries).decode()
    of_call = msgspec.structs.asdict(call)
    about_actor, ip_address = of_call.pop("about_actor"), of_call.pop("ip_address")
    await tx.execute(INSERT_ENTRIES, rows=rows, **of_call)
    await tx.execute(INSERT_SIDE_ROWS, rows=rows, about_actor=about_actor, ip_address=ip_address)


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


async def delete_side_rows(tx: Transaction, subject_ids: Sequence[str]) -> None:
    """Delete the side rows about these persons or things."""
    await tx.execute(DELETE_SIDE_ROWS, subject_ids=subject_ids)


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


async def list_chunk(reader: Reader, filters: Filters, rows: int, after: str | None) -> Sequence[StoredEntry]:
    """Return up to `rows` entries below `after` that match, newest first, without counting how many there are."""
    parameters = _parameters_of(filters)
    statement = _chunk_statement(frozenset(parameters), after=after is not None)
    if after is not None:
        parameters["after"] = after
    return [_entry_of(row) for row in await reader.fetch_all(statement, **parameters, rows=rows)]


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
    """One SELECT of a union, without its LIMIT: from `source`, along the index of the column `id`, where `conditions`.

    `counted` is the source where the number of matches is enough.
    """

    id: str
    source: str
    counted: str
    conditions: tuple[str, ...]

    def count_sql(self, dialect: dict[str, str]) -> str:
        """Return the ids of what matches, in no order."""
        return self._sql(self.id, self.counted, self.conditions, dialect)

    def page_sql(self, dialect: dict[str, str], *, after: bool) -> str:
        """Return the entries that match, below `after`, newest first."""
        below = ("{id} < :after",) if after else ()
        walk = self._sql(_ENTRY_COLUMNS, self.source, (*self.conditions, *below), dialect)
        return f"{walk} ORDER BY {self.id} DESC LIMIT :rows"

    def _sql(self, columns: str, source: str, conditions: Sequence[str], dialect: dict[str, str]) -> str:
        where = "".join(f" AND {condition}" for condition in conditions)
        return f"SELECT {columns} FROM {source}" + where.format(id=self.id, **dialect)


@lru_cache(maxsize=1024)
def _list_statement(given: frozenset[str], *, after: bool) -> Statement:
    walks = _walks_of(given)
    return Statement(_list_sql(walks, _SQLITE, after=after), _list_sql(walks, _POSTGRES, after=after))


@lru_cache(maxsize=1024)
def _chunk_statement(given: frozenset[str], *, after: bool) -> Statement:
    walks = _walks_of(given)
    return Statement(_chunk_sql(walks, _SQLITE, after=after), _chunk_sql(walks, _POSTGRES, after=after))


def _chunk_sql(walks: Sequence[_Walk], dialect: dict[str, str], *, after: bool) -> str:
    """Return the entries of a page without their number."""
    return f"""
        SELECT e.*, {_SIDE_COLUMNS} FROM ({_paged_sql(walks, dialect, after=after)}) AS e ORDER BY e.id DESC
    """


def _paged_sql(walks: Sequence[_Walk], dialect: dict[str, str], *, after: bool) -> str:
    paged = " UNION ALL ".join(
        f"SELECT * FROM ({walk.page_sql(dialect, after=after)}) AS paged_{n}" for n, walk in enumerate(walks)
    )
    return f"SELECT * FROM ({paged}) AS found ORDER BY id DESC LIMIT :rows"


def _list_sql(walks: Sequence[_Walk], dialect: dict[str, str], *, after: bool) -> str:
    counted = " UNION ALL ".join(
        f"SELECT * FROM ({walk.count_sql(dialect)} LIMIT {COUNT_CAP + 1}) AS counted_{n}"
        for n, walk in enumerate(walks)
    )
    return f"""
        SELECT counted.total, e.*, {_SIDE_COLUMNS}
        FROM (SELECT count(*) AS total FROM ({counted}) AS matching) AS counted
        LEFT JOIN ({_paged_sql(walks, dialect, after=after)}) AS e ON TRUE
        ORDER BY e.id DESC
    """


def _walks_of(given: frozenset[str]) -> Sequence[_Walk]:
    """Return the walks whose union is what the filters `given` ask for."""
    of_person = bool(given & {"user_id", "actor_id"})
    of_address = "ip_address" in given and not of_person and "resource_id" not in given
    plain = [condition for name, condition in _PLAIN.items() if name in given]
    if plain and not of_person and not of_address:
        plain[0] = plain[0].replace("{other}", "")
    within = [condition for name, condition in _RANGE.items() if name in given]
    if of_address:
        counted = _ENTRIES_OF_ADDRESS if plain else _ADDRESSES
        return [_Walk("v.entry_id", _ENTRIES_OF_ADDRESS, counted, (*plain, *within))]
    if "ip_address" in given:
        plain.append(_SAME_ADDRESS)
    if {"user_id", "actor_id"} <= given:
        plain.append("(e.actor_id = :actor_id OR e.on_behalf_of_id = :actor_id)")
    starts: list[list[str]]
    if "user_id" in given:
        starts = _one_of(("actor_id", "on_behalf_of_id", "resource_id"), ":user_id")
    elif "actor_id" in given:
        starts = _one_of(("actor_id", "on_behalf_of_id"), ":actor_id")
    else:
        starts = [[]]
    return [_Walk("e.id", _ENTRIES, _ENTRIES, (*start, *plain, *within)) for start in starts]


def _one_of(columns: Sequence[str], parameter: str) -> list[list[str]]:
    """Return the conditions of walks that together find each entry with the value in any of `columns`, once."""
    return [
        [f"e.{column} = {parameter}", *(f"e.{earlier} IS DISTINCT FROM {parameter}" for earlier in columns[:index])]
        for index, column in enumerate(columns)
    ]


def _entry_of(row: Row) -> StoredEntry:
    values = list(row[: len(_FIELDS)])
    values[_IMPERSONATED] = bool(values[_IMPERSONATED])
    return StoredEntry(EntryCore(*values), *row[len(_FIELDS) :])
