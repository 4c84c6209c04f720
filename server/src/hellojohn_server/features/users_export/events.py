"""What exporting users says of itself in the audit log."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def users_exported(written_as: str, filters: dict[str, Any], *, with_password_hashes: bool) -> Event:
    """Return the entry of an export; `filters` are those that were asked for, as they were.

    What was searched for, and whose address, may name somebody: that they were there is said, not what they were.
    """
    metadata: dict[str, Any] = {"format": written_as, "filters": filters}
    if with_password_hashes:
        metadata["with_password_hashes"] = True
    return Event(AuditType.USERS_EXPORTED, resource_type=ResourceType.USER, metadata=metadata)
