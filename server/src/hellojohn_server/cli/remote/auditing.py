"""`hj audit tail`: the audit log as it grows; and `hj revocations list`, which says where it goes on."""

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from hellojohn.types import AuditEntry
from hellojohn_server.cli.console import err, out, printable
from hellojohn_server.cli.remote.calls import PAGE, plain
from hellojohn_server.cli.remote.commands import Request
from hellojohn_server.cli.remote.output import Format, cell, field_of, show_rows

_EVERY_SECONDS: Final = 1.0
_OVERLAP: Final = timedelta(seconds=10)
"""An entry may come after a younger one: those that are written at once become visible one after the other."""


def tail(request: Request) -> None:
    """Print the last entries and then each that comes, the oldest first, until interrupted."""
    entries = _entries(request)
    if request.layout.format is not Format.TABLE:
        show_rows(entries, request.layout)
        return
    for entry in entries:
        out.out(printable("  ".join(cell(field_of(entry, name)) or "-" for name in request.layout.columns)))


def _last(entries: Iterable[AuditEntry], most: int | None) -> list[AuditEntry]:
    """Return the newest entries: as many as are wanted, and all that are young enough to be met again."""
    found: list[AuditEntry] = []
    for entry in entries:
        if most is not None and len(found) >= most and entry.created_at < found[0].created_at - _OVERLAP:
            break
        found.append(entry)
    return found


def write_stream(request: Request) -> None:
    """Write what comes as it comes."""
    for part in request.send().iter_bytes():
        sys.stdout.buffer.write(part)


def show_feed(request: Request) -> None:
    """Print some of the feed of revocations, and on standard error after which cursor it goes on."""
    answer = request.send()
    show_rows((plain(entry) for entry in answer.data), request.layout)
    more = "There is more" if answer.has_more else "What comes next"
    err.print(f"{more}: --since {answer.next_cursor}", markup=False)


def _entries(request: Request) -> Iterator[dict[str, Any]]:
    filters = {name: value for name, value in request.named.items() if name != "limit"}
    before = _last(request.client.audit_logs.list(**filters, limit=PAGE), request.most)
    recent: dict[str, datetime] = {entry.id: entry.created_at for entry in before}
    found = before[: request.most]
    while True:
        for entry in reversed(found):
            recent[entry.id] = entry.created_at
            yield plain(entry)
        sys.stdout.flush()
        time.sleep(_EVERY_SECONDS)
        if recent:
            since = max(recent.values()) - _OVERLAP
            recent = {entry_id: at for entry_id, at in recent.items() if at >= since}
            filters["from_"] = since
        page = request.client.audit_logs.list(**filters, limit=PAGE)
        found = [entry for entry in page if entry.id not in recent]
