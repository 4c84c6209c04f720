"""What the end of a timed state says of itself in the audit log. docs/audit.md lists it."""

from typing import Final

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_time

_METADATA: Final = {"cause": "expired"}


def ban_ended(user_id: str, until: int) -> Event:
    """Return the entry of a ban that ended by itself at `until`."""
    changes = {"banned": (True, False), "banned_until": (format_time(until), None)}
    return Event(AuditType.USER_UNBANNED, user_id, ResourceType.USER, changes=changes, metadata=_METADATA)


def lock_ended(user_id: str, until: int) -> Event:
    """Return the entry of a lock that ended by itself at `until`."""
    changes = {"locked_until": (format_time(until), None)}
    return Event(AuditType.USER_UNLOCKED, user_id, ResourceType.USER, changes=changes, metadata=_METADATA)
