"""The audit entries of acts on keys."""

from collections.abc import Mapping

from hellojohn_server.features.audit.events import Changes, Event
from hellojohn_server.features.keys.schemas import ApiKey
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_optional_time


def key_created(key: ApiKey) -> Event:
    """Return the entry for a key that was made."""
    changes: dict[str, tuple[object, object]] = {
        "name": (None, key.name),
        "type": (None, key.type.value),
        "scopes": (None, list(key.scopes)),
        "expires_at": (None, format_optional_time(key.expires_at)),
    }
    if key.allowed_ips:
        changes["allowed_ips"] = (None, list(key.allowed_ips))
    return _event(AuditType.API_KEY_CREATED, key, changes)


def key_revoked(key: ApiKey, sessions_revoked: int) -> Event:
    """Return the entry for a key that was revoked just now."""
    changes = {"revoked_at": (None, format_optional_time(key.revoked_at))}
    return _event(AuditType.API_KEY_REVOKED, key, changes, key.revoked_reason, _stopped(sessions_revoked))


def key_rotated(before: ApiKey, after: ApiKey, reason: str | None, sessions_revoked: int) -> Event:
    """Return the entry for a key that made way for a new one; when it ends is told if that changed."""
    ends = {
        field: (format_optional_time(getattr(before, field)), format_optional_time(getattr(after, field)))
        for field in ("expires_at", "revoked_at")
        if getattr(before, field) != getattr(after, field)
    }
    metadata = {"replaced_by": after.replaced_by, **_stopped(sessions_revoked)}
    return _event(AuditType.API_KEY_ROTATED, after, ends, reason, metadata)


def _stopped(sessions_revoked: int) -> dict[str, object]:
    return {"sessions_revoked": sessions_revoked} if sessions_revoked else {}


def _event(
    audit_type: AuditType,
    key: ApiKey,
    changes: Changes,
    reason: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Event:
    return Event(
        audit_type,
        resource_id=key.id,
        resource_type=ResourceType.API_KEY,
        reason=reason,
        changes=changes,
        metadata=metadata or {},
    )
