"""What acts on many users say of themselves in the audit log, beside the entry of each user."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def users_bulk_disabled(counts: dict[str, int], reason: str | None) -> Event:
    """Return the entry of the call; `counts` says how many users it changed, and how many it did not and why."""
    return Event(AuditType.USERS_BULK_DISABLED, resource_type=ResourceType.USER, reason=reason, metadata=counts)
