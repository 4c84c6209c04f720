"""What beginning an impersonation says of itself in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_seconds


def user_impersonated(session: Session, *, notified: bool | None) -> Event:
    """Return the entry of an impersonation that begins. Who is behind it, and for whom, is in the entry's context.

    `notified`: whether the user is told; None where the tenant's settings do not ask for it.
    """
    told = {} if notified is None else {"user_notified": notified}
    return Event(
        AuditType.USER_IMPERSONATED,
        session.user_id,
        ResourceType.USER,
        reason=session.impersonation_reason,
        metadata={
            "session_id": session.id,
            "expires_at": format_seconds(session.expires_at // 1000),
            "read_only": session.read_only,
            **told,
        },
    )
