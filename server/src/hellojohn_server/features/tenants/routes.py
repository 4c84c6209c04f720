"""The control plane: /v1/tenants, for a master key only."""

from hellojohn_server.features.tenants.errors import TenantNotFound
from hellojohn_server.features.tenants.schemas import (
    CreateTenantBody,
    DeleteTenantQuery,
    ListTenantsQuery,
    SuspendTenantBody,
    TenantBody,
    TenantListBody,
    UpdateTenantBody,
    tenant_body,
)
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.errors import VersionMismatch
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import MASTER_KEY, Answer, Method, route


class TenantRoutes:
    """Tenants, by master key."""

    def __init__(self, tenants: TenantService) -> None:
        self._tenants = tenants

    @route(Method.GET, "/v1/tenants", credentials=MASTER_KEY, errors=(InvalidCursor,))
    async def list_tenants(self, query: ListTenantsQuery) -> Answer[TenantListBody]:
        """List tenants, newest first."""
        page = await self._tenants.list_tenants(query)
        return Answer(TenantListBody([tenant_body(tenant) for tenant in page.rows], page.pagination))

    @route(Method.POST, "/v1/tenants", credentials=MASTER_KEY, status=201)
    async def create_tenant(self, context: Context, body: CreateTenantBody) -> Answer[TenantBody]:
        """Make a tenant."""
        tenant = await self._tenants.create_tenant(context, body)
        return Answer(tenant_body(tenant), version=tenant.version, location=f"/v1/tenants/{tenant.id}")

    @route(Method.GET, "/v1/tenants/{tenant_id}", credentials=MASTER_KEY, errors=(TenantNotFound,))
    async def get_tenant(self, tenant_id: str) -> Answer[TenantBody]:
        """Get a tenant."""
        tenant = await self._tenants.require_tenant(tenant_id)
        return Answer(tenant_body(tenant), version=tenant.version)

    @route(
        Method.PATCH,
        "/v1/tenants/{tenant_id}",
        credentials=MASTER_KEY,
        errors=(TenantNotFound, VersionMismatch),
        if_match=True,
    )
    async def update_tenant(self, context: Context, tenant_id: str, body: UpdateTenantBody) -> Answer[TenantBody]:
        """Change a tenant's name."""
        tenant = await self._tenants.update_tenant(context, tenant_id, body)
        return Answer(tenant_body(tenant), version=tenant.version)

    @route(
        Method.DELETE,
        "/v1/tenants/{tenant_id}",
        credentials=MASTER_KEY,
        status=204,
        errors=(TenantNotFound,),
    )
    async def delete_tenant(self, context: Context, tenant_id: str, query: DeleteTenantQuery) -> Answer[None]:
        """Destroy a tenant and everything in it.

        Needs `?confirm=<the tenant's id>`. There is no way back.
        """
        await self._tenants.delete_tenant(context, tenant_id, query.confirm)
        return Answer(None)

    @route(Method.POST, "/v1/tenants/{tenant_id}/suspend", credentials=MASTER_KEY, errors=(TenantNotFound,))
    async def suspend_tenant(self, context: Context, tenant_id: str, body: SuspendTenantBody) -> Answer[TenantBody]:
        """Suspend a tenant: every key and token of it is refused from the next request on."""
        tenant = await self._tenants.suspend_tenant(context, tenant_id, body.reason)
        return Answer(tenant_body(tenant), version=tenant.version)

    @route(Method.POST, "/v1/tenants/{tenant_id}/resume", credentials=MASTER_KEY, errors=(TenantNotFound,))
    async def resume_tenant(self, context: Context, tenant_id: str) -> Answer[TenantBody]:
        """Resume a suspended tenant."""
        tenant = await self._tenants.resume_tenant(context, tenant_id)
        return Answer(tenant_body(tenant), version=tenant.version)
