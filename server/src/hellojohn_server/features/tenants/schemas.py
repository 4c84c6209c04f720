"""A tenant as it is stored, as it is shown, and as it is asked for."""

from enum import StrEnum
from typing import Annotated

import msgspec

from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp, format_time

TenantName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S", description="1 to 200 characters, not all blank")
]
SuspensionReason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, description="Shown with the tenant")]


class TenantStatus(StrEnum):
    """Where a tenant is in its life. `creating` and `deleting` last until its store is made or destroyed."""

    ACTIVE = "active"
    CREATING = "creating"
    DELETING = "deleting"
    SUSPENDED = "suspended"


class ShownStatus(StrEnum):
    """A status that a list can be asked for: a tenant being deleted is in none."""

    ACTIVE = "active"
    CREATING = "creating"
    SUSPENDED = "suspended"


class Tenant(msgspec.Struct, frozen=True):
    """A row of tenants. Times in milliseconds."""

    id: str
    name: str
    environment: Environment
    status: TenantStatus
    suspended_reason: str | None
    created_at: int
    updated_at: int
    version: int


class TenantBody(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant."""

    id: str
    name: str
    environment: Environment
    status: TenantStatus
    suspended_reason: str | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class TenantListBody(msgspec.Struct, frozen=True):
    """Tenants, newest first."""

    data: list[TenantBody]
    pagination: Pagination


class CreateTenantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tenant to make. Its environment says which keys it has, sk_live_ or sk_test_, and never changes."""

    name: TenantName
    environment: Environment = Environment.LIVE


class UpdateTenantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a tenant. What is left out stays."""

    name: TenantName | msgspec.UnsetType = msgspec.UNSET


class SuspendTenantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a tenant is suspended."""

    reason: SuspensionReason | None = None


class ListTenantsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which tenants, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    status: ShownStatus | None = None
    environment: Environment | None = None


class DeleteTenantQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tenant's own id again, so that nothing is destroyed by a slip."""

    confirm: str | None = None


def tenant_body(tenant: Tenant) -> TenantBody:
    """Return a tenant as it is shown."""
    return TenantBody(
        id=tenant.id,
        name=tenant.name,
        environment=tenant.environment,
        status=tenant.status,
        suspended_reason=tenant.suspended_reason,
        created_at=format_time(tenant.created_at),
        updated_at=format_time(tenant.updated_at),
        version=tenant.version,
    )
