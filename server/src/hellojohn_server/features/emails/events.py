"""What mail says of itself in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.emails.schemas import EmailRow
from hellojohn_server.kit.audit_types import AuditResult, AuditType, ResourceType


def email_resent(email: EmailRow) -> Event:
    """Return the entry of a mail that somebody has sent again."""
    metadata = {"template": email.template.value, "user_id": email.user_id}
    return Event(AuditType.EMAIL_RESENT, email.id, ResourceType.EMAIL, metadata=metadata)


def email_undeliverable(email: EmailRow, reason: str) -> Event:
    """Return the entry of a mail that was given up. It names the user, and never the address."""
    metadata = {"template": email.template.value, "user_id": email.user_id, "attempts": email.attempts}
    return Event(
        AuditType.EMAIL_UNDELIVERABLE,
        email.id,
        ResourceType.EMAIL,
        result=AuditResult.FAILURE,
        reason=reason,
        metadata=metadata,
    )
