"""The types of `sessions`."""

from datetime import datetime

import msgspec

from hellojohn._known import Known
from hellojohn.types.shared import AccessStopped, ErrorCode, OwnUser, Session, SessionImpersonation, SessionStatus


class RevokedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session after it was ended; with `access_stopped` when it was this call that ended it."""

    id: str
    user_id: str
    status: Known[SessionStatus]
    amr: list[str]
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_refreshed_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    revoked_by: str | None
    organization_id: str | None
    impersonated: bool
    impersonation: SessionImpersonation | None
    access_stopped: AccessStopped | None = None


class VerifiedToken(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an access token is good at this moment. `reason` is there when it is not, the others when it is.

    `user` is what the user sees: a key that may read sessions only is shown nothing that is for users:read.
    `permissions` are those of the user's role.
    """

    valid: bool
    reason: Known[ErrorCode] | None = None
    user: OwnUser | None = None
    permissions: list[str] | None = None
    session: Session | None = None
