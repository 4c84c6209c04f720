"""What resets take and answer."""

from typing import Literal

import msgspec

from hellojohn_server.features.action_tokens.schemas import LinkToken
from hellojohn_server.features.auth.schemas import GivenAddress
from hellojohn_server.features.users.schemas import Password, Reason


class ForceResetBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether the user's sessions end, whether the old password is good no more, and why."""

    revoke_sessions: bool = False
    require: bool = True
    reason: Reason | None = None


class ResetForcedBody(msgspec.Struct, frozen=True):
    """A link is on its way, and so many sessions ended."""

    email_queued: bool
    sessions_revoked: int


class ForgotPasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The address of whoever forgot the password."""

    email: GivenAddress


class AcceptedBody(msgspec.Struct, frozen=True):
    """The request was taken. It says nothing of whether anybody has the address."""

    accepted: Literal[True] = True


class ResetPasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of the link, and the new password."""

    token: LinkToken
    password: Password
