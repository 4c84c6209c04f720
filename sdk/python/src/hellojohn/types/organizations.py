"""The types of `organizations`."""

from datetime import datetime
from typing import Any

import msgspec


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of an organization."""

    user_id: str
    email: str
    name: str | None
    role: str
    joined_at: datetime


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """An organization."""

    id: str
    name: str
    slug: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    version: int
