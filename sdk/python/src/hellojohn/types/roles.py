"""The types of `roles`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known

RoleScope: TypeAlias = Literal["organization", "tenant"]
"""Whom a role describes: a user in the tenant, or a member in one organization."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role. One that is built in has no times, and an id that is the same in every tenant."""

    id: str
    name: str
    display_name: str | None
    description: str | None
    scope: Known[RoleScope]
    permissions: list[str]
    privileged: bool
    built_in: bool
    created_at: datetime | None
    updated_at: datetime | None
    version: int
