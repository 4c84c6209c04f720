"""The audit log of a tenant: /v1/audit-logs."""

from hellojohn_server.features.audit.errors import AuditLogNotFound
from hellojohn_server.features.audit.schemas import (
    AuditEntryBody,
    AuditListBody,
    CreateAuditEntryBody,
    ListAuditQuery,
)
from hellojohn_server.features.audit.service import AuditReader, CustomEntries
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class AuditRoutes:
    """The audit log."""

    def __init__(self, reader: AuditReader, custom: CustomEntries) -> None:
        self._reader = reader
        self._custom = custom

    @route(Method.GET, "/v1/audit-logs", scope=Scope.AUDIT_READ, errors=(InvalidCursor,))
    async def list_audit_logs(self, context: Context, query: ListAuditQuery) -> Answer[AuditListBody]:
        """List audit entries, newest first."""
        page = await self._reader.list_entries(context.tenant_id, query)
        return Answer(AuditListBody(page.rows, page.pagination))

    @route(Method.POST, "/v1/audit-logs", scope=Scope.AUDIT_WRITE, status=201)
    async def create_audit_log(self, context: Context, body: CreateAuditEntryBody) -> Answer[AuditEntryBody]:
        """Record an entry of your own.

        The recorded actor is always the credential; `actor` is kept as `metadata.claimed_actor`.
        """
        entry = await self._custom.create_entry(context, body)
        return Answer(entry, location=f"/v1/audit-logs/{entry.id}")

    @route(Method.GET, "/v1/audit-logs/{entry_id}", scope=Scope.AUDIT_READ, errors=(AuditLogNotFound,))
    async def get_audit_log(self, context: Context, entry_id: str) -> Answer[AuditEntryBody]:
        """Get an audit entry."""
        return Answer(await self._reader.require_entry(context.tenant_id, entry_id))
