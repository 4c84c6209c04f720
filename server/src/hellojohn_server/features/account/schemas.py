"""What users ask for about themselves, and what they see."""

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn_server.features.auth.schemas import GivenPassword
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.users.schemas import AvatarUrl, Name, Password, Phone, Username
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time


class UpdateMeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of one's own profile; what is absent stays, null clears."""

    name: Name | UnsetType | None = UNSET
    username: Username | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET


class ChangePasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The password that holds, and the one to take its place."""

    current_password: GivenPassword
    new_password: Password


class OwnSessionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its user sees it. `current` is the one that asks."""

    id: str
    current: bool
    ip_address: str | None
    user_agent: str | None
    created_at: Timestamp
    last_refreshed_at: Timestamp | None
    expires_at: Timestamp


class OwnSessionListBody(msgspec.Struct, frozen=True):
    """One's own active sessions, newest first."""

    data: list[OwnSessionBody]
    pagination: Pagination


class ListOwnSessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None


def own_session_body(session: Session, current_id: str) -> OwnSessionBody:
    """Return what its user sees of a session."""
    return OwnSessionBody(
        id=session.id,
        current=session.id == current_id,
        ip_address=session.ip_address,
        user_agent=session.user_agent,
        created_at=format_time(session.created_at),
        last_refreshed_at=format_optional_time(session.last_refreshed_at),
        expires_at=format_time(session.expires_at),
    )
