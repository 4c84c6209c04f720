"""What acts on many users say of themselves in the audit log, beside the entry of each user."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def call_on_users(kind: AuditType, counts: dict[str, int]) -> Event:
    """Return the entry of a call; `counts` says how many users it changed, and how many it did not and why.

    The reason, which may name somebody, is in the users' own entries alone, where erasing the user destroys it.
    """
    return Event(kind, resource_type=ResourceType.USER, metadata=counts)
