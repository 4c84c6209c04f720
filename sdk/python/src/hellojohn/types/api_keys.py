"""The types of `api_keys`."""

from datetime import datetime

import msgspec

from hellojohn._known import Known
from hellojohn.types.shared import KeyStatus, KeyType


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key. `hint` is its prefix and its last four characters; `scopes` is empty for a publishable key.

    `allowed_ips` are the addresses and networks that it may be used from; empty: any. `last_used_at` is when it last
    said who calls, give or take a minute. `replaced_by` is the key that a rotation made in its place.
    """

    id: str
    type: Known[KeyType]
    name: str
    hint: str
    scopes: list[str]
    allowed_ips: list[str]
    status: Known[KeyStatus]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str | None
    replaced_by: str | None
    last_used_at: datetime | None
