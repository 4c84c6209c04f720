"""Exporting the audit log: /v1/audit-logs/export."""

from hellojohn_server.features.audit.schemas import AuditEntryBody
from hellojohn_server.features.audit_export.schemas import ExportAuditLogsQuery
from hellojohn_server.features.audit_export.service import AuditExportService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Content, Method, Parts, route
from hellojohn_server.kit.scopes import Scope


class AuditExportRoutes:
    """Exporting the audit log."""

    def __init__(self, exports: AuditExportService) -> None:
        self._exports = exports

    @route(
        Method.GET,
        "/v1/audit-logs/export",
        scope=Scope.AUDIT_READ,
        limit=Limit.BULK,
        contents=(Content.NDJSON, Content.CSV),
    )
    async def export_audit_logs(self, context: Context, query: ExportAuditLogsQuery) -> Answer[AuditEntryBody]:
        """Export audit entries.

        Every entry that the filters of the list select, newest first, as lines of JSON or of CSV. It is made while it
        goes out: what there was when it began is in it, and once. An answer that breaks off is not complete: its last
        chunk is missing.
        """
        parts = await self._exports.export_entries(context, query)
        return Answer(Parts(parts, query.format.content, f"audit-logs.{query.format.value}"))
