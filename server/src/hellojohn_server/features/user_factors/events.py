"""What acts on second factors say in the audit log. docs/audit.md lists them."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.mfa.schemas import Factor
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def _event(kind: AuditType, user: User, factor: Factor, reason: str | None, **changes: tuple[Any, Any]) -> Event:
    metadata = {"factor_id": factor.id, "type": factor.type.value}
    return Event(kind, user.id, ResourceType.USER, reason=reason, changes=changes, metadata=metadata)


def enrollment_begun(user: User, factor: Factor, reason: str | None) -> Event:
    """Return the entry of a factor that is yet to be confirmed."""
    return _event(AuditType.USER_MFA_ENROLLMENT_BEGUN, user, factor, reason)


def factor_added(user: User, factor: Factor) -> Event:
    """Return the entry of a factor that was confirmed. `user` is as before."""
    if user.mfa_enrolled:
        return _event(AuditType.USER_MFA_FACTOR_ADDED, user, factor, None)
    return _event(AuditType.USER_MFA_FACTOR_ADDED, user, factor, None, mfa_enrolled=(False, True))


def factor_removed(before: User, after: User, factor: Factor, reason: str | None) -> Event:
    """Return the entry of a factor that was removed."""
    if before.mfa_enrolled == after.mfa_enrolled:
        return _event(AuditType.USER_MFA_FACTOR_REMOVED, before, factor, reason)
    return _event(AuditType.USER_MFA_FACTOR_REMOVED, before, factor, reason, mfa_enrolled=(True, False))


def backup_codes_generated(user: User, reason: str | None) -> Event:
    """Return the entry of new backup codes. They are in no entry."""
    return Event(AuditType.USER_MFA_BACKUP_CODES_GENERATED, user.id, ResourceType.USER, reason=reason)
