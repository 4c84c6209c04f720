"""What acts of users on themselves say in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def user_password_changed(user_id: str, sessions_revoked: int) -> Event:
    """Return the entry of a user's own change of password."""
    metadata = {"sessions_revoked": sessions_revoked}
    return Event(AuditType.USER_PASSWORD_CHANGED, user_id, ResourceType.USER, metadata=metadata)


def own_session_revoked(user_id: str, session_id: str) -> Event:
    """Return the entry of a session that its user ended from another."""
    return Event(AuditType.SESSION_REVOKED, user_id, ResourceType.USER, metadata={"session_id": session_id})
