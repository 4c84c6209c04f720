"""A revocation as it is stored."""

from enum import StrEnum
from typing import Final

import msgspec

LONGEST_TOKEN_MS: Final = 86_400_000
"""The longest that a token passes: an impersonation's."""


class RevocationType(StrEnum):
    """What a verifier refuses: the tokens of a session, those signed with a key, a tenant's, a user's older ones."""

    SESSION = "session"
    SIGNING_KEY = "signing_key"
    TENANT = "tenant"
    USER = "user"


class Revocation(msgspec.Struct, frozen=True):
    """What is refused: of a session, key, tenant or user, by its id. Times in milliseconds.

    Of a session it is every token, from `revoked_at` on, which may be yet to come; of a user those whose `gen` is below
    `gen_below`, of a tenant those issued by `revoked_at`. After `forget_at` none of them can be valid.
    """

    type: RevocationType
    subject_id: str
    revoked_at: int
    forget_at: int
    gen_below: int | None = None
