"""What acts on users take, and what is known while one is done."""

from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from hellojohn_server.features.users.schemas import Password, PasswordHash, Reason, one_password_fault
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import checked_by, checked_together
from hellojohn_server.kit.times import Duration, Moment, parse_duration

LONGEST_BAN_SECONDS: Final = 100 * 365 * 86_400
"""The longest ban that ends: a hundred years. One that is meant to last has no end."""


def ban_duration_fault(expires_in: str) -> str | None:
    """Say why a ban cannot last this long."""
    seconds = parse_duration(expires_in)
    if seconds is None or seconds > LONGEST_BAN_SECONDS:
        return "Must be a whole number and a unit, such as 30d, and at most a hundred years."
    return None


def one_end_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that a ban is given two ends."""
    if given["expires_in"] is None or given["expires_at"] is None:
        return None
    return FieldError("expires_at", FieldCode.INVALID, "Send expires_in or expires_at, not both.")


def some_password_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that there is neither a password nor a hash of one."""
    if given["password"] is not None or given["password_hash"] is not None:
        return None
    return FieldError("password", FieldCode.REQUIRED, "Send a password, or its hash in password_hash.")


BanDuration: TypeAlias = Annotated[Duration, Meta(extra=checked_by(ban_duration_fault))]


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why."""

    reason: Reason | None = None


class DeleteUserQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether the user is erased for good, and not moved to the recycle bin."""

    permanent: bool = False


class DisableUserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why, and whether the user's sessions end for good. With false they rest until the user is enabled again."""

    reason: Reason | None = None
    revoke_sessions: bool = True


@checked_together(one_end_fault)
class BanUserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why, and until when: `expires_in` and `expires_at` exclude each other, without either the ban has no end."""

    reason: Reason | None = None
    expires_in: BanDuration | None = None
    expires_at: Moment | None = None


@checked_together(some_password_fault, one_password_fault)
class SetPasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A password or a hash of one, whether the user's sessions end, and why."""

    password: Password | None = None
    password_hash: PasswordHash | None = None
    revoke_sessions: bool = False
    reason: Reason | None = None
