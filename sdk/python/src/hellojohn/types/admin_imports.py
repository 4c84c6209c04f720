"""The types of `admin.imports`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known

Content: TypeAlias = Literal["application/json", "application/x-ndjson", "text/csv", "text/event-stream"]
"""What a body is written in. Of NDJSON each line is one JSON text, of CSV one row after a line of names."""


ImportStatus: TypeAlias = Literal["completed", "interrupted", "running"]
"""Where an import is. `interrupted`: the file has not been read to its end, and nobody reads it now."""


UserFormat: TypeAlias = Literal["auth0", "clerk", "firebase", "hellojohn", "keycloak", "supabase"]
"""Whose files: ours, or another system's."""


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """Why an import stopped before the end of its file, and at which line if that is why."""

    code: str
    message: str | None
    line: int | None


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """An import. `rows` is how many were read: those of `imported`, `duplicates` and `refused` together.

    With `dry_run` nothing was written: `imported` is how many would have been.
    """

    id: str
    format: Known[UserFormat]
    content: Known[Content]
    dry_run: bool
    status: Known[ImportStatus]
    rows: int
    imported: int
    duplicates: int
    refused: int
    bytes_read: int
    stopped: Stopped | None
    created_at: datetime
    created_by: str
    progress_at: datetime
    completed_at: datetime | None


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field of a row, as the file calls the field; "" for the row as a whole."""

    field: str
    code: str
    message: str


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a report: a row that made no user. Nothing of what was in it is kept."""

    row: int
    line: int
    faults: list[RowFault]
