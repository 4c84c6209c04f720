"""What mailed links say of themselves in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def email_verified(before: User) -> Event:
    """Return the entry of an address that a link verified."""
    changes = {} if before.email_verified else {"email_verified": (False, True)}
    return Event(AuditType.USER_EMAIL_VERIFIED, before.id, ResourceType.USER, changes=changes)


def verification_sent(user: User, reason: str | None) -> Event:
    """Return the entry of a verification that an administrator had mailed."""
    return Event(AuditType.USER_VERIFICATION_SENT, user.id, ResourceType.USER, reason=reason)


def invitation_sent(user: User, reason: str | None) -> Event:
    """Return the entry of an invitation that was mailed again."""
    return Event(AuditType.USER_INVITED, user.id, ResourceType.USER, reason=reason)
