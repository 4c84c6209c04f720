"""What signing in and out says of itself in the audit log. docs/audit.md lists it."""

from collections.abc import Mapping
from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditResult, AuditType, ResourceType
from hellojohn_server.kit.times import format_time


def user_signed_in(user_id: str, session_id: str, amr: tuple[str, ...], details: Mapping[str, Any]) -> Event:
    """Return the entry of a sign-in."""
    metadata = {"session_id": session_id, "amr": list(amr), **details}
    return Event(AuditType.USER_SIGNED_IN, user_id, ResourceType.USER, metadata=metadata)


def user_sign_in_failed(user_id: str, code: str) -> Event:
    """Return the entry of a sign-in that was refused; `code` is that of the error."""
    return Event(
        AuditType.USER_SIGN_IN_FAILED,
        user_id,
        ResourceType.USER,
        result=AuditResult.FAILURE,
        metadata={"code": code},
    )


def user_locked(user_id: str, until: int) -> Event:
    """Return the entry of a lock."""
    changes = {"locked_until": (None, format_time(until))}
    return Event(AuditType.USER_LOCKED, user_id, ResourceType.USER, changes=changes)


def user_signed_out(user_id: str, session_id: str) -> Event:
    """Return the entry of a sign-out."""
    return Event(AuditType.USER_SIGNED_OUT, user_id, ResourceType.USER, metadata={"session_id": session_id})


def refresh_token_reused(user_id: str, session_id: str) -> Event:
    """Return the entry of a session that ended because a refresh token came a second time."""
    return Event(
        AuditType.SESSION_REFRESH_REUSED,
        user_id,
        ResourceType.USER,
        result=AuditResult.FAILURE,
        metadata={"session_id": session_id},
    )
