"""What acts on many users take and answer."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.error_codes import ErrorCode

MAX_USERS: Final = 1000
MAX_BODY_BYTES: Final = 262_144

UserId = Annotated[str, Meta(description="the id of a user; any other text is of no user")]
UserIds = Annotated[
    list[UserId],
    Meta(min_length=1, max_length=MAX_USERS, description=f"1 to {MAX_USERS} ids; repeated ones count once"),
]


class BulkDisableBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to disable, whether their sessions end for good, and why."""

    user_ids: UserIds
    revoke_sessions: bool = True
    reason: Reason | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A user who was left alone, and the code of the error that the act on this user alone would have had."""

    id: str
    code: ErrorCode


class BulkDisabledBody(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. The last three are there only when they hold something.

    `unchanged` is how many were disabled already; `not_found` the ids of no user, malformed ones included.
    """

    disabled: int
    sessions_revoked: int
    unchanged: int | UnsetType = UNSET
    not_found: list[str] | UnsetType = UNSET
    refused: list[Refusal] | UnsetType = UNSET
