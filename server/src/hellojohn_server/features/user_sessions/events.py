"""What ending sessions says of itself in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def session_revoked(user_id: str, session_id: str, reason: str | None) -> Event:
    """Return the entry of a session that an administrator ended; it is about the user."""
    metadata = {"session_id": session_id}
    return Event(AuditType.SESSION_REVOKED, user_id, ResourceType.USER, reason=reason, metadata=metadata)


def tenant_sessions_revoked(tenant_id: str, sessions_revoked: int, reason: str | None) -> Event:
    """Return the entry of the end of every session of a tenant."""
    metadata = {"sessions_revoked": sessions_revoked}
    return Event(AuditType.TENANT_SESSIONS_REVOKED, tenant_id, ResourceType.TENANT, reason=reason, metadata=metadata)
