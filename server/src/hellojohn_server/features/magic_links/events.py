"""What links to sign in say of themselves in the audit log. That one signed in is in the entry of the sign-in."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def magic_link_requested(user_id: str) -> Event:
    """Return the entry of a link to sign in that was mailed to somebody who asked for it."""
    return Event(AuditType.USER_MAGIC_LINK_REQUESTED, user_id, ResourceType.USER)


def address_proved(user_id: str, *, had_password: bool, sessions: int, passkeys: int) -> Event:
    """Return the entry of a link that verified an address, and of what it took from whoever had the account before."""
    metadata = {"password_removed": had_password, "sessions_revoked": sessions, "passkeys_removed": passkeys}
    changes = {"email_verified": (False, True)}
    return Event(AuditType.USER_EMAIL_VERIFIED, user_id, ResourceType.USER, changes=changes, metadata=metadata)
