"""What acts on roles say of themselves in the audit log."""

from typing import Any, Final

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.roles.schemas import Role
from hellojohn_server.kit.audit_types import AuditType, ResourceType

_FIELDS: Final = ("name", "display_name", "description", "scope", "permissions", "privileged")


def _event(kind: AuditType, before: Role | None, after: Role | None) -> Event:
    role = after or before
    changes = {field: (_value(before, field), _value(after, field)) for field in _FIELDS}
    told = {field: pair for field, pair in changes.items() if pair[0] != pair[1]}
    return Event(kind, None if role is None else role.id, ResourceType.ROLE, changes=told)


def _value(role: Role | None, field: str) -> Any:
    return None if role is None else getattr(role, field)


def role_created(role: Role) -> Event:
    """Return the entry of a new role."""
    return _event(AuditType.ROLE_CREATED, None, role)


def role_updated(before: Role, after: Role) -> Event:
    """Return the entry of a change."""
    return _event(AuditType.ROLE_UPDATED, before, after)


def role_deleted(role: Role) -> Event:
    """Return the entry of a role that is no more."""
    return _event(AuditType.ROLE_DELETED, role, None)
