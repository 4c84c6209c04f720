"""What these acts say of themselves in the audit log: the same as a PATCH of the user."""

from hellojohn_server.features.audit.events import Changes, Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def user_updated(user_id: str, changes: Changes, reason: str | None) -> Event:
    """Return the entry of a user with another role or other metadata."""
    return Event(AuditType.USER_UPDATED, user_id, ResourceType.USER, reason=reason, changes=changes)
