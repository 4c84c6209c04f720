"""A factor as it is stored."""

from enum import StrEnum

import msgspec


class FactorType(StrEnum):
    """What a user proves a second time with."""

    PASSKEY = "passkey"
    TOTP = "totp"


class Factor(msgspec.Struct, frozen=True):
    """A row of mfa_factors. Times in milliseconds; `confirmed_at` None: begun and never confirmed."""

    id: str
    user_id: str
    type: FactorType
    name: str | None
    confirmed_at: int | None
    created_at: int
