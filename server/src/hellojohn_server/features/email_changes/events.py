"""What a user's own change of address says of itself in the audit log."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_optional_time


def email_change_requested(user_id: str) -> Event:
    """Return the entry of a change that was asked for. The address is not in it: it may be somebody else's."""
    return Event(AuditType.USER_EMAIL_CHANGE_REQUESTED, user_id, ResourceType.USER)


def email_changed(before: User, after: User) -> Event:
    """Return the entry of an address that a link made the user's."""
    changes: dict[str, tuple[Any, Any]] = {"email": (before.email, after.email)}
    if not before.email_verified:
        changes["email_verified"] = (False, True)
    if before.locked_until is not None:
        changes["locked_until"] = (format_optional_time(before.locked_until), None)
    return Event(AuditType.USER_EMAIL_CHANGED, after.id, ResourceType.USER, changes=changes)
