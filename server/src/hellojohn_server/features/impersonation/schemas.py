"""What beginning an impersonation takes and answers."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.features.tenant_settings.schemas import ImpersonationDuration
from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.times import SecondTimestamp, format_seconds
from hellojohn_server.kit.tokens import AccessClaims

DEFAULT_SECONDS: Final = 3600
"""How long an impersonation lasts that does not say: an hour, or the longest that the tenant allows if that is less."""

UserId = Annotated[str, Meta(description="the id of a user")]


class ImpersonateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom, why, for how long (an hour if it is not said), and whether only to look."""

    user_id: UserId
    reason: Reason
    expires_in: ImpersonationDuration | None = None
    read_only: bool = False


class ImpersonationBody(msgspec.Struct, frozen=True, kw_only=True):
    """An impersonation that has begun."""

    access_token: str
    session_id: str
    impersonated_user_id: str
    expires_at: SecondTimestamp


def impersonation_body(claims: AccessClaims, access_token: str) -> ImpersonationBody:
    """Return what is shown of an impersonation."""
    return ImpersonationBody(
        access_token=access_token,
        session_id=claims.sid,
        impersonated_user_id=claims.sub,
        expires_at=format_seconds(claims.exp),
    )
