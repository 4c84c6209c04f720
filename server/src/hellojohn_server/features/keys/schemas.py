"""A key as it is stored, as it is shown, and as it is asked for. The key itself is in one answer only."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from hellojohn_server.kit.addresses import parse_network
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.routing import checked_by, checked_together
from hellojohn_server.kit.scopes import ALL_SCOPES, FAMILIES, Scope
from hellojohn_server.kit.times import Duration, Timestamp, format_optional_time, format_time, parse_duration

LONGEST_SECONDS: Final = 10 * 365 * 86_400
"""The longest `expires_in`: ten years. A key without one lasts until it is revoked."""

LONGEST_OVERLAP_SECONDS: Final = 30 * 86_400
"""The longest that a rotated key works on: thirty days."""

NOT_A_NETWORK: Final = (
    "Must be an IP address, or a network with nothing set beyond its prefix, such as 203.0.113.7, 203.0.113.0/24 or "
    "2001:db8::/32."
)

_GRANTS: Final = [ALL_SCOPES, *(f"{family}:*" for family in sorted(FAMILIES)), *(scope.value for scope in Scope)]


def lifetime_fault(expires_in: str) -> str | None:
    """Return why a key cannot last this long, or None."""
    seconds = parse_duration(expires_in)
    if seconds is None or seconds > LONGEST_SECONDS:
        return "Must be a whole number and a unit, such as 90d, and at most ten years."
    return None


def overlap_fault(overlap: str) -> str | None:
    """Return why a rotated key cannot work on for this long, or None."""
    seconds = parse_duration(overlap)
    if seconds is None or seconds > LONGEST_OVERLAP_SECONDS:
        return "Must be a whole number and a unit, such as 24h, and at most 30d."
    return None


def network_fault(text: str) -> str | None:
    """Return why this is no address or network that a key can be tied to, or None."""
    return NOT_A_NETWORK if parse_network(text) is None else None


KeyName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S", description="1 to 200 characters, not all blank")
]
RevocationReason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, description="Shown with the key")]
Lifetime = Annotated[Duration, msgspec.Meta(extra=checked_by(lifetime_fault))]
Overlap = Annotated[Duration, msgspec.Meta(extra=checked_by(overlap_fault))]
Grant = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^({'|'.join(re.escape(grant) for grant in _GRANTS)})$(?!\n)",
        description="a scope such as users:read, a family such as users:*, or * (docs/scopes.md)",
    ),
]
Grants = Annotated[list[Grant], msgspec.Meta(min_length=1, max_length=100)]
AllowedIp = Annotated[
    str,
    msgspec.Meta(
        max_length=50, extra=checked_by(network_fault), description="an IP address, or a network such as 203.0.113.0/24"
    ),
]
AllowedIps = Annotated[list[AllowedIp], msgspec.Meta(min_length=1, max_length=100)]


class KeyType(StrEnum):
    """What a key is for."""

    MASTER = "master"
    PUBLISHABLE = "publishable"
    SECRET = "secret"


class TenantKeyType(StrEnum):
    """A type of key that a tenant has. Master keys are made on the host only."""

    PUBLISHABLE = "publishable"
    SECRET = "secret"


class KeyStatus(StrEnum):
    """Whether a key works, judged at the moment of the answer."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiKey(msgspec.Struct, frozen=True):
    """A row of api_keys, without the key's hash. Times in milliseconds; `created_by` is the id of who made it.

    `allowed_ips` are networks in their one text; empty: any address. `replaced_by` is the key that a rotation made.
    """

    id: str
    type: KeyType
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: int
    created_by: str
    expires_at: int | None
    revoked_at: int | None
    revoked_reason: str | None
    last_used_at: int | None = None
    allowed_ips: tuple[str, ...] = ()
    replaced_by: str | None = None


class MadeKey(msgspec.Struct, frozen=True):
    """A key just made, with the key itself: the only time it is known."""

    api_key: ApiKey
    key: str


class ApiKeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """A key. `hint` is its prefix and its last four characters; `scopes` is empty for a publishable key.

    `allowed_ips` are the addresses and networks that it may be used from; empty: any. `last_used_at` is when it last
    said who calls, give or take a minute. `replaced_by` is the key that a rotation made in its place.
    """

    id: str
    type: KeyType
    name: str
    hint: str
    scopes: list[str]
    allowed_ips: list[str]
    status: KeyStatus
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    revoked_reason: str | None
    replaced_by: str | None
    last_used_at: Timestamp | None


class MadeKeyBody(ApiKeyBody, frozen=True, kw_only=True):
    """A key just made. `key` is the key itself; it is shown here and never again."""

    key: str


class ApiKeyListBody(msgspec.Struct, frozen=True):
    """Keys, newest first, revoked and expired ones included."""

    data: list[ApiKeyBody]
    pagination: Pagination


def publishable_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that a publishable key has no scopes."""
    if given["type"] != TenantKeyType.PUBLISHABLE or given["scopes"] is None:
        return None
    message = "A publishable key has no scopes: it opens the public operations only."
    return FieldError("scopes", FieldCode.INVALID, message)


def publishable_addresses_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that a publishable key is used from any address."""
    if given["type"] != TenantKeyType.PUBLISHABLE or given["allowed_ips"] is None:
        return None
    message = "A publishable key has no allowed addresses: it is used wherever your users are."
    return FieldError("allowed_ips", FieldCode.INVALID, message)


@checked_together(publishable_fault, publishable_addresses_fault)
class CreateKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to make. `scopes` and `allowed_ips` are for secret keys; without `scopes` a key has `*`.

    Without `expires_in` it lasts as its maker does, and without `allowed_ips` it is used from where its maker is.
    """

    name: KeyName
    type: TenantKeyType = TenantKeyType.SECRET
    scopes: Grants | None = None
    expires_in: Lifetime | None = None
    allowed_ips: AllowedIps | None = None


class RevokeKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a key is revoked."""

    reason: RevocationReason | None = None


class RotateKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long the old key works on (30 days at most; null: not at all), and why it is rotated."""

    overlap: Overlap | None = "24h"
    reason: RevocationReason | None = None


class ListKeysQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which keys, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    type: TenantKeyType | None = None


def status_of(key: ApiKey, now_ms: int) -> KeyStatus:
    """Return whether the key works at `now_ms`."""
    if key.revoked_at is not None:
        return KeyStatus.REVOKED
    if key.expires_at is not None and key.expires_at <= now_ms:
        return KeyStatus.EXPIRED
    return KeyStatus.ACTIVE


def key_body(key: ApiKey, now_ms: int) -> ApiKeyBody:
    """Return what is shown of a key at `now_ms`."""
    return ApiKeyBody(
        id=key.id,
        type=key.type,
        name=key.name,
        hint=key.hint,
        scopes=list(key.scopes),
        allowed_ips=list(key.allowed_ips),
        status=status_of(key, now_ms),
        created_at=format_time(key.created_at),
        created_by=key.created_by,
        expires_at=format_optional_time(key.expires_at),
        revoked_at=format_optional_time(key.revoked_at),
        revoked_reason=key.revoked_reason,
        replaced_by=key.replaced_by,
        last_used_at=format_optional_time(key.last_used_at),
    )


def made_key_body(made: MadeKey) -> MadeKeyBody:
    """Return what is shown of a key when it is made; a replay of the answer shows the same."""
    shown = key_body(made.api_key, made.api_key.created_at)
    return MadeKeyBody(**msgspec.structs.asdict(shown), key=made.key)
