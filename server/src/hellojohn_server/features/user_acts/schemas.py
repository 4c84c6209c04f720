"""What is known while an act is done, and what an erased user leaves."""

import msgspec

from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.errors import ApiError


class Moment(msgspec.Struct, frozen=True):
    """Whose act it is, by the id of the credential, and when."""

    by: str
    now_ms: int


class Case(msgspec.Struct, frozen=True):
    """One user in an act: as found and, once changed, afterwards; and how many of the user's sessions it has ended."""

    before: User
    after: User
    ended: int
    now_ms: int


class Refused(msgspec.Struct, frozen=True):
    """A user who was left alone, and the error that the act on this user alone has."""

    user_id: str
    error: ApiError


class ClosedAddress(msgspec.Struct, frozen=True):
    """A row of banned_addresses: the keyed hash of an address that nobody takes until `banned_until` (None: ever)."""

    address_hash: str
    banned_until: int | None
    created_at: int
