"""What is asked of sessions by administrators, and what they answer."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.auth.schemas import OwnUserBody
from hellojohn_server.features.sessions.schemas import AccessStopped, SessionBody, SessionStatus
from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.pagination import Cursor, Limit
from hellojohn_server.kit.tokens import MAX_TOKEN_LENGTH

TokenText = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_LENGTH, description="an access token")]


class RevokeSessionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why."""

    reason: Reason | None = None


class RevokedSessionBody(SessionBody, frozen=True, kw_only=True):
    """A session after it was ended; with `access_stopped` when it was this call that ended it."""

    access_stopped: AccessStopped | UnsetType = UNSET


class ListUserSessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which sessions of a user, and which page of them. Without a status: the active ones."""

    limit: Limit = 20
    cursor: Cursor | None = None
    status: SessionStatus = SessionStatus.ACTIVE
    impersonated: bool | None = None


class RevokeEverySessionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tenant's own id, so that nobody is signed out by a slip."""

    confirm: str | None = None


class VerifyTokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The access token to verify."""

    token: TokenText


class VerifiedTokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an access token is good at this moment. `reason` is there when it is not, the others when it is.

    `user` is what the user sees: a key that may read sessions only is shown nothing that is for users:read.
    `permissions` are those of the user's role.
    """

    valid: bool
    reason: ErrorCode | UnsetType = UNSET
    user: OwnUserBody | UnsetType = UNSET
    permissions: list[str] | UnsetType = UNSET
    session: SessionBody | UnsetType = UNSET
