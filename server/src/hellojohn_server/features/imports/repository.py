"""The statements on imports. Their progress is written by whoever goes on with one, and nobody else: see `run`."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hellojohn_server.features.imports.schemas import Import, RefusedRow, RowFault
from hellojohn_server.kit.pagination import COUNT_CAP
from hellojohn_server.kit.routing import Content
from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.primitives import consume_once
from hellojohn_server.storage.sql import Kind, Statement

_FIELDS: Final = Import.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)
_MOVED: Final = (
    *("row_count", "imported", "duplicates", "refused", "position", "line", "digest"),
    *("stopped_code", "stopped_line", "stopped_message", "progress_at", "completed_at"),
)
_FAULTS: Final = msgspec.json.Decoder(list[RowFault])

INSERT_IMPORT: Final = Statement(
    f"INSERT INTO imports (tenant_id, {_COLUMNS}) VALUES (:tenant_id, {', '.join(f':{name}' for name in _FIELDS)})"
)
GET_IMPORT: Final = Statement(f"SELECT {_COLUMNS} FROM imports WHERE tenant_id = :tenant_id AND id = :id")


_LIST: Final = f"""
    SELECT counted.total, page.*
    FROM (
        SELECT count(*) AS total
        FROM (SELECT id FROM imports WHERE tenant_id = :tenant_id LIMIT {COUNT_CAP + 1}) AS bounded
    ) AS counted
    LEFT JOIN (
        SELECT {_COLUMNS} FROM imports WHERE tenant_id = :tenant_id {{condition}} ORDER BY id DESC LIMIT :rows
    ) AS page ON TRUE
    ORDER BY page.id DESC
"""
LIST_FIRST: Final = Statement(_LIST.format(condition=""))
LIST_AFTER: Final = Statement(_LIST.format(condition="AND id < :after"))

_MOVE: Final = f"""
    UPDATE imports SET {", ".join(f"{name} = :{name}" for name in _MOVED)}
    WHERE tenant_id = :tenant_id AND id = :id AND run = :run AND completed_at IS NULL
"""
# A batch's users have their entries; a batch without any is not recorded.
UPDATE_PROGRESS: Final = Statement(_MOVE, kind=Kind.BOOKKEEPING)
UPDATE_ENDED: Final = Statement(_MOVE)
CLAIM_IMPORT: Final = Statement(
    f"""
    UPDATE imports
    SET run = run + 1, progress_at = :now, stopped_code = NULL, stopped_line = NULL, stopped_message = NULL
    WHERE tenant_id = :tenant_id AND id = :id AND completed_at IS NULL AND NOT dry_run
    RETURNING {_COLUMNS}
    """
)
# :rows is a JSON array with an array for each: row, line, faults.
INSERT_REFUSED_ROWS: Final = Statement(
    """
    INSERT INTO import_refused_rows (tenant_id, import_id, row_number, line, faults)
    SELECT :tenant_id, :import_id, r.value ->> 0, r.value ->> 1, r.value ->> 2
    FROM json_each(:rows) AS r
    """,
    """
    INSERT INTO import_refused_rows (tenant_id, import_id, row_number, line, faults)
    SELECT :tenant_id, :import_id, CAST(r.value ->> 0 AS bigint), CAST(r.value ->> 1 AS bigint), r.value ->> 2
    FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS r (value)
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_REFUSED_ROWS: Final = Statement(
    """
    SELECT row_number, line, faults FROM import_refused_rows
    WHERE tenant_id = :tenant_id AND import_id = :import_id AND row_number > :after
    ORDER BY row_number LIMIT :rows
    """
)
GET_NEXT_PURGE: Final = Statement(
    "SELECT MIN(purge_at) FROM imports WHERE tenant_id = :tenant_id AND purge_at <= :until"
)
GET_DUE: Final = Statement(
    "SELECT id FROM imports WHERE tenant_id = :tenant_id AND purge_at <= :now ORDER BY purge_at LIMIT 1"
)
DELETE_REFUSED_ROWS: Final = Statement(
    """
    DELETE FROM import_refused_rows
    WHERE tenant_id = :tenant_id AND import_id = :import_id AND row_number IN (
        SELECT row_number FROM import_refused_rows
        WHERE tenant_id = :tenant_id AND import_id = :import_id
        ORDER BY row_number LIMIT :rows
    )
    """
)
DELETE_IMPORT: Final = Statement("DELETE FROM imports WHERE tenant_id = :tenant_id AND id = :id")


async def insert_import(tx: Transaction, one: Import) -> None:
    """Insert an import."""
    await tx.execute(INSERT_IMPORT, **_values_of(one))


async def get_import(reader: Reader, import_id: str) -> Import | None:
    """Return an import, or None."""
    row = await reader.fetch_one(GET_IMPORT, id=import_id)
    return None if row is None else _import_of(row)


async def list_imports(reader: Reader, rows: int, after: str | None) -> tuple[int, list[Import]]:
    """Return how many there are (counted to one above COUNT_CAP at least) and up to `rows` of them, newest first."""
    if after is None:
        found = await reader.fetch_all(LIST_FIRST, rows=rows)
    else:
        found = await reader.fetch_all(LIST_AFTER, rows=rows, after=after)
    return found[0][0], [_import_of(row[1:]) for row in found if row[1] is not None]


async def update_progress(tx: Transaction, one: Import) -> bool:
    """Write how far an import is. False when somebody else has gone on with it, or it has ended."""
    return await tx.execute(UPDATE_PROGRESS, **_moved(one)) == 1


async def update_ended(tx: Transaction, one: Import) -> bool:
    """Write that an import has ended, or stopped: that is recorded. False as update_progress."""
    return await tx.execute(UPDATE_ENDED, **_moved(one)) == 1


async def claim_import(tx: Transaction, import_id: str, now_ms: int) -> Import | None:
    """Take an import to go on with it, from whoever does: with the next `run`. None when it has ended or is a trial."""
    row = await consume_once(tx, CLAIM_IMPORT, id=import_id, now=now_ms)
    return None if row is None else _import_of(row)


async def insert_refused_rows(tx: Transaction, import_id: str, refused: Sequence[RefusedRow]) -> None:
    """Write down rows that made no user, in one statement."""
    if refused:
        rows = [[each.row, each.line, msgspec.json.encode(each.faults).decode()] for each in refused]
        await tx.execute(INSERT_REFUSED_ROWS, import_id=import_id, rows=msgspec.json.encode(rows).decode())


async def list_refused_rows(reader: Reader, import_id: str, after: int, rows: int) -> list[RefusedRow]:
    """Return up to `rows` of the rows that made no user, those with numbers beyond `after`, in order."""
    found = await reader.fetch_all(LIST_REFUSED_ROWS, import_id=import_id, after=after, rows=rows)
    return [RefusedRow(number, line, _FAULTS.decode(faults)) for number, line, faults in found]


async def get_next_purge(reader: Reader, until: int) -> int | None:
    """Return when an import is to be forgotten, the first time by `until`; None when there is none."""
    row = await reader.fetch_one(GET_NEXT_PURGE, until=until)
    return None if row is None else row[0]


async def delete_due(tx: Transaction, now_ms: int, rows: int) -> int:
    """Delete up to `rows` lines of the report of an import that is kept no longer, or, without any, the import.

    Return how many rows there were; 0 when no import is due.
    """
    due = await tx.fetch_one(GET_DUE, now=now_ms)
    if due is None:
        return 0
    deleted = await tx.execute(DELETE_REFUSED_ROWS, import_id=due[0], rows=rows)
    return deleted or await tx.execute(DELETE_IMPORT, id=due[0])


def _moved(one: Import) -> dict[str, Any]:
    values = _values_of(one)
    return {name: values[name] for name in ("id", "run", *_MOVED)}


def _values_of(one: Import) -> dict[str, Any]:
    return {**msgspec.structs.asdict(one), "format": one.format.value, "content": one.content.value}


def _import_of(row: Row) -> Import:
    values = dict(zip(_FIELDS, row, strict=True))
    values |= {
        "format": UserFormat(values["format"]),
        "content": Content(values["content"]),
        "dry_run": bool(values["dry_run"]),
    }
    return Import(**values)
