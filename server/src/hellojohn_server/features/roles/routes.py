"""Roles: /v1/roles."""

from hellojohn_server.features.roles.errors import (
    RoleAlreadyExists,
    RoleBuiltIn,
    RoleInUse,
    RoleLimitReached,
    RoleNotFound,
)
from hellojohn_server.features.roles.schemas import (
    CreateRoleBody,
    ListRolesQuery,
    RoleBody,
    RoleListBody,
    UpdateRoleBody,
)
from hellojohn_server.features.roles.service import RoleCatalog
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class RoleRoutes:
    """Roles."""

    def __init__(self, roles: RoleCatalog) -> None:
        self._roles = roles

    @route(Method.GET, "/v1/roles", scope=Scope.ROLES_READ, errors=(InvalidCursor,))
    async def list_roles(self, context: Context, query: ListRolesQuery) -> Answer[RoleListBody]:
        """List roles: the built-in ones first, then the tenant's own by name."""
        page = await self._roles.list_roles(context.tenant_id, query)
        return Answer(RoleListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/roles",
        scope=Scope.ROLES_WRITE,
        status=201,
        errors=(RoleAlreadyExists, RoleLimitReached),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def create_role(self, context: Context, body: CreateRoleBody) -> Answer[RoleBody]:
        """Make a role of the tenant's own.

        It describes users, or with scope organization members of organizations, to your application. A privileged one
        needs admins:manage.
        """
        role = await self._roles.create_role(context, body)
        return Answer(role, version=role.version, location=f"/v1/roles/{role.id}")

    @route(Method.GET, "/v1/roles/{role_id}", scope=Scope.ROLES_READ, errors=(RoleNotFound,))
    async def get_role(self, context: Context, role_id: str) -> Answer[RoleBody]:
        """Get a role."""
        role = await self._roles.get_role(context.tenant_id, role_id)
        return Answer(role, version=role.version)

    @route(
        Method.PATCH,
        "/v1/roles/{role_id}",
        scope=Scope.ROLES_WRITE,
        errors=(RoleBuiltIn, RoleNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def update_role(self, context: Context, role_id: str, body: UpdateRoleBody) -> Answer[RoleBody]:
        """Change a role of the tenant's own.

        Its name and scope never change. A role that is privileged, or is made so, needs admins:manage.
        """
        role = await self._roles.update_role(context, role_id, body)
        return Answer(role, version=role.version)

    @route(
        Method.DELETE,
        "/v1/roles/{role_id}",
        scope=Scope.ROLES_WRITE,
        status=204,
        errors=(RoleBuiltIn, RoleInUse, RoleNotFound),
        if_match=True,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def delete_role(self, context: Context, role_id: str) -> Answer[None]:
        """Delete a role of the tenant's own that nobody has."""
        await self._roles.delete_role(context, role_id)
        return Answer(None)
