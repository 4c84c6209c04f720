"""What links to sign in say of themselves in the audit log. That one signed in is in the entry of the sign-in."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def magic_link_requested(user_id: str) -> Event:
    """Return the entry of a link to sign in that was mailed to somebody who asked for it."""
    return Event(AuditType.USER_MAGIC_LINK_REQUESTED, user_id, ResourceType.USER)
