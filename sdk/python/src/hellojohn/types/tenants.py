"""The types of `tenants`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known

Environment: TypeAlias = Literal["live", "test"]
"""What a tenant is for. A test key opens only a test tenant, a live key only a live one."""


ShownStatus: TypeAlias = Literal["active", "creating", "suspended"]
"""A status that a list can be asked for: a tenant being deleted is in none."""


TenantStatus: TypeAlias = Literal["active", "creating", "deleting", "suspended"]
"""Where a tenant is in its life. `creating` and `deleting` last until its store is made or destroyed."""


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant."""

    id: str
    name: str
    environment: Known[Environment]
    status: Known[TenantStatus]
    suspended_reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int
