"""What resets say of themselves in the audit log. docs/audit.md lists them. No password and no link is in it."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.users.schemas import AccessReasonCode, User
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_optional_time

_REQUIRED = AccessReasonCode.PASSWORD_RESET_REQUIRED.value


def password_reset_forced(before: User, after: User, reason: str | None, sessions: int) -> Event:
    """Return the entry of a reset that an administrator began."""
    is_new = after.password_reset_required and not before.password_reset_required
    return Event(
        AuditType.USER_PASSWORD_RESET_FORCED,
        before.id,
        ResourceType.USER,
        reason=reason,
        changes={_REQUIRED: (False, True)} if is_new else {},
        metadata={"required": after.password_reset_required, "sessions_revoked": sessions},
    )


def password_reset_requested(user_id: str) -> Event:
    """Return the entry of a link that somebody asked for who knows the address."""
    return Event(AuditType.USER_PASSWORD_RESET_REQUESTED, user_id, ResourceType.USER)


def password_reset(before: User, after: User, sessions: int, passkeys: int) -> Event:
    """Return the entry of a password that was set by a link."""
    return _by_link(AuditType.USER_PASSWORD_RESET, before, after, sessions, passkeys)


def invitation_accepted(before: User, after: User, sessions: int, passkeys: int) -> Event:
    """Return the entry of a first password that was set by the link of an invitation."""
    return _by_link(AuditType.USER_INVITATION_ACCEPTED, before, after, sessions, passkeys)


def _by_link(kind: AuditType, before: User, after: User, sessions: int, passkeys: int) -> Event:
    changes: dict[str, tuple[Any, Any]] = {}
    if before.password_reset_required:
        changes[_REQUIRED] = (True, False)
    if before.email_verified != after.email_verified:
        changes["email_verified"] = (before.email_verified, after.email_verified)
    if before.mfa_enrolled != after.mfa_enrolled:
        changes["mfa_enrolled"] = (before.mfa_enrolled, after.mfa_enrolled)
    if before.locked_until is not None:
        changes["locked_until"] = (format_optional_time(before.locked_until), None)
    metadata = {"sessions_revoked": sessions}
    if passkeys:
        metadata["passkeys_removed"] = passkeys
    return Event(kind, before.id, ResourceType.USER, changes=changes, metadata=metadata)
