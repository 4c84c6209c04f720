"""A second factor as it is stored and shown, a code that was found right, and a challenge."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.kit.retention import PENDING_FACTOR_MS
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time
from hellojohn_server.storage.database import Row

MAX_FACTORS: Final = 10
"""How many second factors a user may have, those that wait to be confirmed included."""
CHALLENGE_MS: Final = 600_000
"""How long a sign-in waits for its second step."""
PASSKEY_CHALLENGE_MS: Final = 300_000
"""How long options for a sign-in by passkey alone are good."""
FAILURES: Final = 5
"""So many wrong codes of a user within FAILURE_WINDOW_MS are answered as wrong; then none is looked at."""
FAILURE_WINDOW_MS: Final = 600_000

MfaCode = Annotated[
    str, Meta(min_length=1, max_length=32, description="a code of an authenticator app, or a backup code")
]


class FactorType(StrEnum):
    """What a user proves a second time with."""

    TOTP = "totp"
    WEBAUTHN = "webauthn"


def said_type(kind: FactorType) -> str:
    """Return what a kind of factor is called in a mail."""
    return "authenticator app" if kind is FactorType.TOTP else "passkey"


class Factor(msgspec.Struct, frozen=True):
    """A row of mfa_factors. Times in milliseconds; `confirmed_at` None: begun and not confirmed yet.

    `secret` is sealed: that of an app, or the challenge of a passkey that is not confirmed yet. `last_step` is the time
    step of the last code that was taken. A passkey has an id, a public key and a count.
    """

    id: str
    user_id: str
    type: FactorType
    name: str | None
    confirmed_at: int | None
    created_at: int
    secret: bytes | None = None
    last_step: int | None = None
    last_used_at: int | None = None
    credential_id: str | None = None
    public_key: bytes | None = None
    sign_count: int | None = None


_FIELDS: Final = Factor.__struct_fields__
_TYPE: Final = _FIELDS.index("type")
FACTOR_COLUMNS: Final = ", ".join(_FIELDS)
"""The columns of a factor in the order of Factor."""


def factor_of(row: Row) -> Factor:
    """Return the factor in a row of FACTOR_COLUMNS."""
    values = list(row)
    values[_TYPE] = FactorType(values[_TYPE])
    return Factor(*values)


class FactorRef(msgspec.Struct, frozen=True):
    """A second factor that a sign-in may be finished with."""

    id: str
    type: FactorType
    name: str | None


class FactorBody(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor. `confirmed_at` null: it waits to be confirmed, and protects nothing yet."""

    id: str
    type: FactorType
    name: str | None
    created_at: Timestamp
    confirmed_at: Timestamp | None
    last_used_at: Timestamp | None


class CodeMatch(msgspec.Struct, frozen=True):
    """What was right when it was looked at: of which factor, with time step or count, or which backup code.

    `amr` is how (RFC 8176).
    """

    user_id: str
    factor_id: str | None = None
    step: int | None = None
    sign_count: int | None = None
    backup_hash: str | None = None
    amr: tuple[str, ...] = ("otp",)


class FirstStep(msgspec.Struct, frozen=True):
    """Who took the first step of a sign-in, how (RFC 8176), and what must still be so at the second."""

    user_id: str
    amr: str
    generation: int
    password_hash: str


class Challenge(msgspec.Struct, frozen=True):
    """A row of mfa_challenges: whose sign-in waits, and what must not have changed since. The end in milliseconds.

    `first_step` is how the user began (RFC 8176).
    """

    challenge_hash: bytes
    user_id: str
    generation: int
    password_mark: bytes
    expires_at: int
    first_step: str


def factor_body(factor: Factor) -> FactorBody:
    """Return what is shown of a factor."""
    return FactorBody(
        id=factor.id,
        type=factor.type,
        name=factor.name,
        created_at=format_time(factor.created_at),
        confirmed_at=format_optional_time(factor.confirmed_at),
        last_used_at=format_optional_time(factor.last_used_at),
    )


def refs_of(factors: Sequence[Factor]) -> list[FactorRef]:
    """Return what a sign-in is told of the confirmed ones among a user's factors."""
    return [FactorRef(one.id, one.type, one.name) for one in factors if one.confirmed_at is not None]


def is_alive(factor: Factor, now_ms: int) -> bool:
    """Say whether a factor is confirmed, or can still be."""
    return factor.confirmed_at is not None or factor.created_at + PENDING_FACTOR_MS > now_ms
