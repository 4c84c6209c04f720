"""What acts on users' access say of themselves in the audit log. docs/audit.md lists them."""

from collections.abc import Mapping
from typing import Any

from hellojohn_server.features.audit.events import Changes, Event
from hellojohn_server.features.users.schemas import AccessReasonCode, PasswordOrigin, User, is_banned
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_optional_time


def _event(
    kind: AuditType, user: User, reason: str | None, changes: Changes, metadata: Mapping[str, Any] | None = None
) -> Event:
    return Event(kind, user.id, ResourceType.USER, reason=reason, changes=changes, metadata=metadata or {})


def _revoked(sessions: int) -> dict[str, int]:
    return {"sessions_revoked": sessions}


def user_disabled(before: User, reason: str | None, sessions: int) -> Event:
    """Return the entry of a disable; for one who was disabled already, of the end of the sessions left to rest."""
    changes = {} if before.disabled else {"disabled": (False, True)}
    return _event(AuditType.USER_DISABLED, before, reason, changes, _revoked(sessions))


def user_enabled(before: User, reason: str | None) -> Event:
    """Return the entry of an enable."""
    return _event(AuditType.USER_ENABLED, before, reason, {"disabled": (True, False)})


def user_banned(before: User, after: User, reason: str | None, sessions: int, now_ms: int) -> Event:
    """Return the entry of a ban; for one who was banned already, of what changed of the ban."""
    held = is_banned(before, now_ms)
    changes: dict[str, tuple[Any, Any]] = {} if held else {"banned": (False, True)}
    ends = tuple(format_optional_time(user.banned_until) for user in (before, after))
    until = (ends[0] if held else None, ends[1])
    if until[0] != until[1]:
        changes["banned_until"] = until
    if held and before.ban_reason != after.ban_reason:
        changes["ban_reason"] = (before.ban_reason, after.ban_reason)
    return _event(AuditType.USER_BANNED, before, reason, changes, _revoked(sessions))


def user_unbanned(before: User, reason: str | None) -> Event:
    """Return the entry of a ban that was lifted."""
    changes: dict[str, tuple[Any, Any]] = {"banned": (True, False)}
    if before.banned_until is not None:
        changes["banned_until"] = (format_optional_time(before.banned_until), None)
    return _event(AuditType.USER_UNBANNED, before, reason, changes)


def user_unlocked(before: User, reason: str | None) -> Event:
    """Return the entry of a lock that was lifted."""
    changes = {"locked_until": (format_optional_time(before.locked_until), None)}
    return _event(AuditType.USER_UNLOCKED, before, reason, changes)


def user_deleted(before: User, reason: str | None, sessions: int) -> Event:
    """Return the entry of a user who was moved to the recycle bin."""
    changes = {} if before.deleted_at is not None else {"deleted": (False, True)}
    return _event(AuditType.USER_DELETED, before, reason, changes, _revoked(sessions))


def user_restored(before: User, reason: str | None) -> Event:
    """Return the entry of a user who came back from the recycle bin."""
    return _event(AuditType.USER_RESTORED, before, reason, {"deleted": (True, False)})


def user_sessions_revoked(user: User, reason: str | None, sessions: int) -> Event:
    """Return the entry of the end of all sessions of a user."""
    return _event(AuditType.USER_SESSIONS_REVOKED, user, reason, {}, _revoked(sessions))


def user_password_set(before: User, reason: str | None, origin: PasswordOrigin, sessions: int) -> Event:
    """Return the entry of a password that was set by an administrator. It is in no entry."""
    changes = {AccessReasonCode.PASSWORD_RESET_REQUIRED.value: (True, False)} if before.password_reset_required else {}
    return _event(AuditType.USER_PASSWORD_SET, before, reason, changes, {"password": origin, **_revoked(sessions)})


def user_erased(user: User, sessions: int) -> Event:
    """Return the entry of a user who was erased. It holds nothing of the person but the id."""
    return _event(AuditType.USER_ERASED, user, None, {}, _revoked(sessions))
