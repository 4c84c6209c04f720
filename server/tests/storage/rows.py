"""Commands that write rows any store has, each with its audit entry, for tests of the stores themselves."""

from collections.abc import Awaitable, Callable

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.audit_types import AuditType
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Statement

INSERT_ORGANIZATION = Statement(
    "INSERT INTO organizations (tenant_id, id, name, created_at, updated_at, version)"
    " VALUES (:tenant_id, :id, :name, 1, 1, 1)"
)
UPDATE_ORGANIZATIONS = Statement("UPDATE organizations SET name = name || '!' WHERE tenant_id = :tenant_id")
LIST_ORGANIZATIONS = Statement("SELECT id, name FROM organizations WHERE tenant_id = :tenant_id ORDER BY id")
LIST_ENTRIES = Statement("SELECT resource_id FROM audit_entries WHERE tenant_id = :tenant_id ORDER BY id")


class Rows:
    """Makes commands that insert an organization and record it."""

    def __init__(self, ids: IdFactory, audit: AuditLog) -> None:
        self._ids = ids
        self._audit = audit

    def insert(self, row_id: str, name: str = "a name") -> Callable[[Transaction], Awaitable[str]]:
        async def command(tx: Transaction) -> str:
            await tx.execute(INSERT_ORGANIZATION, id=row_id, name=name)
            await self.record(tx, row_id)
            return row_id

        return command

    async def record(self, tx: Transaction, row_id: str) -> None:
        await self._audit.record(
            tx, cli_context("req_test", tx.tenant_id), Event(AuditType.USER_CREATED, resource_id=row_id)
        )


async def list_ids(reader: Reader) -> list[str]:
    return [str(row[0]) for row in await reader.fetch_all(LIST_ORGANIZATIONS)]


async def list_recorded(reader: Reader) -> list[str]:
    return [str(row[0]) for row in await reader.fetch_all(LIST_ENTRIES)]
