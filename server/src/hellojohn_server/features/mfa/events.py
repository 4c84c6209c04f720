"""What the second step of a sign-in says of itself in the audit log. docs/audit.md lists it."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditResult, AuditType, ResourceType
from hellojohn_server.kit.error_codes import ErrorCode


def user_mfa_challenged(user_id: str) -> Event:
    """Return the entry of a right password after which a second factor was asked for."""
    return Event(AuditType.USER_MFA_CHALLENGED, user_id, ResourceType.USER)


def user_mfa_failed(user_id: str, code: ErrorCode) -> Event:
    """Return the entry of a second factor that was refused; `code` is that of the error."""
    return Event(
        AuditType.USER_MFA_FAILED, user_id, ResourceType.USER, result=AuditResult.FAILURE, metadata={"code": code.value}
    )


def passkey_refused(user_id: str, code: ErrorCode) -> Event:
    """Return the entry of a sign-in by passkey alone that was refused; `code` is that of the error."""
    return Event(
        AuditType.USER_SIGN_IN_FAILED,
        user_id,
        ResourceType.USER,
        result=AuditResult.FAILURE,
        metadata={"code": code.value},
    )
