"""What exporting the audit log says of itself in it."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def audit_logs_exported(written_as: str, filters: dict[str, Any]) -> Event:
    """Return the entry of an export. Of a filter that may name somebody it says that it was there, not what it was."""
    metadata = {"format": written_as, "filters": filters}
    return Event(AuditType.AUDIT_LOGS_EXPORTED, resource_type=ResourceType.AUDIT_LOG, metadata=metadata)
