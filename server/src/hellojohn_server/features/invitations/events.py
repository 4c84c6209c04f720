"""What acts on invitations say of themselves in the audit log.

No address is in them: whoever is invited need not be a user, whose erasing would destroy it.
"""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.invitations.schemas import Invitation
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def invitation_created(invitation: Invitation, reason: str | None) -> Event:
    """Return the entry of a new invitation."""
    return _event(AuditType.ORGANIZATION_INVITATION_CREATED, invitation, reason)


def invitation_resent(invitation: Invitation, reason: str | None) -> Event:
    """Return the entry of an invitation that was mailed again, with a new link."""
    return _event(AuditType.ORGANIZATION_INVITATION_RESENT, invitation, reason)


def invitation_revoked(invitation: Invitation, reason: str | None) -> Event:
    """Return the entry of an invitation that is good no more."""
    return _event(AuditType.ORGANIZATION_INVITATION_REVOKED, invitation, reason)


def _event(kind: AuditType, invitation: Invitation, reason: str | None) -> Event:
    return Event(
        kind,
        invitation.id,
        ResourceType.INVITATION,
        organization_id=invitation.organization_id,
        reason=reason,
        metadata={"role": invitation.role},
    )
