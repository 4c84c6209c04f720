"""What acts on many users take and answer."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.password_reset.schemas import ForceResetBody
from hellojohn_server.features.user_access.schemas import BanUserBody
from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.error_codes import ErrorCode

MAX_USERS: Final = 1000
MAX_BODY_BYTES: Final = 262_144

UserId = Annotated[str, Meta(description="the id of a user; any other text is of no user")]
UserIds = Annotated[
    list[UserId],
    Meta(min_length=1, max_length=MAX_USERS, description=f"1 to {MAX_USERS} ids; repeated ones count once"),
]


class BulkActBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """To whom, and why."""

    user_ids: UserIds
    reason: Reason | None = None


class BulkDisableBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to disable, whether their sessions end for good, and why."""

    user_ids: UserIds
    revoke_sessions: bool = True
    reason: Reason | None = None


class BulkBanBody(BanUserBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to ban, why, and until when: `expires_in` and `expires_at` exclude each other."""

    user_ids: UserIds


class BulkForceResetBody(ForceResetBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is to choose another password, whether sessions end, whether the old one is good no more, and why."""

    user_ids: UserIds


class Refusal(msgspec.Struct, frozen=True):
    """A user who was left alone, and the code of the error that the act on this user alone would have had."""

    id: str
    code: ErrorCode


class LeftAlone(msgspec.Struct, frozen=True, kw_only=True):
    """To whom nothing was done, each field only when it holds something.

    `unchanged` is for how many it was so already; `not_found` the ids of no user, malformed ones included.
    """

    unchanged: int | UnsetType = UNSET
    not_found: list[str] | UnsetType = UNSET
    refused: list[Refusal] | UnsetType = UNSET


class BulkDisabledBody(LeftAlone, frozen=True, kw_only=True):
    """How many users were disabled, and how many sessions ended."""

    disabled: int
    sessions_revoked: int


class BulkEnabledBody(LeftAlone, frozen=True, kw_only=True):
    """How many users were enabled."""

    enabled: int


class BulkBannedBody(LeftAlone, frozen=True, kw_only=True):
    """How many users were banned, or had their ban changed, and how many sessions ended."""

    banned: int
    sessions_revoked: int


class BulkUnbannedBody(LeftAlone, frozen=True, kw_only=True):
    """How many bans were lifted."""

    unbanned: int


class BulkDeletedBody(LeftAlone, frozen=True, kw_only=True):
    """How many users were moved to the recycle bin, and how many sessions ended."""

    deleted: int
    sessions_revoked: int


class BulkRestoredBody(LeftAlone, frozen=True, kw_only=True):
    """How many users were restored."""

    restored: int


class BulkResetsForcedBody(LeftAlone, frozen=True, kw_only=True):
    """To how many users a link is on its way, and how many sessions ended."""

    emails_queued: int
    sessions_revoked: int


class BulkSessionsRevokedBody(LeftAlone, frozen=True, kw_only=True):
    """How many sessions ended. `unchanged` counts the users who had none."""

    sessions_revoked: int
