"""What exporting a person says of itself in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def user_exported(user_id: str) -> Event:
    """Return the entry of an export."""
    return Event(AuditType.USER_EXPORTED, user_id, ResourceType.USER)
