"""The types of `admin`."""

from datetime import datetime

import msgspec


class Impersonation(msgspec.Struct, frozen=True, kw_only=True):
    """An impersonation that has begun."""

    access_token: str
    session_id: str
    impersonated_user_id: str
    expires_at: datetime


class MfaStats(msgspec.Struct, frozen=True, kw_only=True):
    """How many users have a second factor."""

    enrolled: int


class OrganizationStats(msgspec.Struct, frozen=True, kw_only=True):
    """Organizations; from 10,000 on that is the number, and `total_is_exact` false."""

    total: int
    total_is_exact: bool


class SessionStats(msgspec.Struct, frozen=True, kw_only=True):
    """Active sessions; from 10,000 on that is the number, and `active_is_exact` false."""

    active: int
    active_is_exact: bool


class WindowStats(msgspec.Struct, frozen=True, kw_only=True):
    """A number over the last days in UTC, today and what it has had so far included."""

    last_7_days: int
    last_30_days: int


class SignInStats(msgspec.Struct, frozen=True, kw_only=True):
    """Sign-ins, sign-ups included, and those that were refused, also for addresses that nobody has."""

    succeeded: WindowStats
    failed: WindowStats


class UserStats(msgspec.Struct, frozen=True, kw_only=True):
    """Users who are not in the recycle bin. `by_role` leaves out roles that nobody has.

    `new` are those who were made in the days, `active` those who were last active in them.
    """

    total: int
    disabled: int
    email_verified: int
    by_role: dict[str, int]
    new: WindowStats
    active: WindowStats


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's figures."""

    as_of: datetime
    users: UserStats
    mfa: MfaStats
    sessions: SessionStats
    organizations: OrganizationStats
    sign_ins: SignInStats
