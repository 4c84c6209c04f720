"""How every entry gets into an export: chunk by chunk, while it goes out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from hellojohn_server.features.audit.schemas import AuditEntryBody
from hellojohn_server.features.audit.service import AuditLog, AuditReader
from hellojohn_server.features.audit_export.events import audit_logs_exported
from hellojohn_server.features.audit_export.schemas import ExportAuditLogsQuery, head_of, lines_of
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Transaction

CHUNK: Final = 1_000
"""How many entries are read at once. Between two reads the store belongs to the others."""

_PART: Final = 100
"""How many entries are written without letting others have their turn."""


class AuditExportService:
    """Exports the audit log of one tenant at a time."""

    def __init__(
        self, db: Database, audit: AuditLog, reader: AuditReader, keys: KeyService, *, chunk: int = CHUNK
    ) -> None:
        self._db = db
        self._audit = audit
        self._reader = reader
        self._keys = keys
        self._chunk = chunk

    async def export_entries(self, context: Context, query: ExportAuditLogsQuery) -> AsyncGenerator[bytes, None]:
        """Record that entries are exported, and return the parts of the export; none is larger than some entries.

        What there is when it begins is in it, once, newest first; what is recorded from then on, its own entry too, is
        not. The parts end with what the key's next call would be refused for, once it is.
        """
        first = await self._read(context, query, None)

        async def command(tx: Transaction) -> None:
            await self._audit.record(tx, context, audit_logs_exported(query.format.value, query.recorded()))

        await self._db.write(context.tenant_id, command, type(None))
        return self._parts(context, query, first)

    async def _parts(
        self, context: Context, query: ExportAuditLogsQuery, entries: Sequence[AuditEntryBody]
    ) -> AsyncGenerator[bytes, None]:
        head = head_of(query.format)
        if head:
            yield head
        while entries:
            for start in range(0, len(entries), _PART):
                yield lines_of(query.format, entries[start : start + _PART])
                await asyncio.sleep(0)
            if len(entries) < self._chunk:
                return
            await self._keys.require_working(context.principal)
            entries = await self._read(context, query, entries[-1].id)

    async def _read(self, context: Context, query: ExportAuditLogsQuery, after: str | None) -> Sequence[AuditEntryBody]:
        return await self._reader.list_chunk(context.tenant_id, query.listed, after, self._chunk)
