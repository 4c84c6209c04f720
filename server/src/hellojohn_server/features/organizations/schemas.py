"""An organization and a membership as they are stored."""

import msgspec


class Organization(msgspec.Struct, frozen=True):
    """A row of organizations. Times in milliseconds."""

    id: str
    name: str
    created_at: int
    updated_at: int
    version: int


class Membership(msgspec.Struct, frozen=True):
    """A row of memberships: a user in an organization, at most once."""

    organization_id: str
    user_id: str
    role: str
    created_at: int
