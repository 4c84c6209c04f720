"""Organizations and their members: /v1/organizations, and those of one user."""

from hellojohn_server.features.organizations.errors import (
    AlreadyMember,
    LastOwner,
    MemberNotFound,
    OrganizationNotFound,
    SlugAlreadyExists,
)
from hellojohn_server.features.organizations.schemas import (
    AddMemberBody,
    BelongingListBody,
    CreateOrganizationBody,
    ListBelongingsQuery,
    ListMembersQuery,
    ListOrganizationsQuery,
    MemberBody,
    MemberListBody,
    OrganizationBody,
    OrganizationListBody,
    RemoveMemberBody,
    UpdateMemberBody,
    UpdateOrganizationBody,
)
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class OrganizationRoutes:
    """Organizations."""

    def __init__(self, organizations: OrganizationService) -> None:
        self._organizations = organizations

    @route(Method.GET, "/v1/organizations", scope=Scope.ORGANIZATIONS_READ, errors=(InvalidCursor,))
    async def list_organizations(self, context: Context, query: ListOrganizationsQuery) -> Answer[OrganizationListBody]:
        """List organizations by name; with a query, those whose names start so."""
        page = await self._organizations.list_organizations(context.tenant_id, query)
        return Answer(OrganizationListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/organizations",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=201,
        errors=(SlugAlreadyExists,),
    )
    async def create_organization(self, context: Context, body: CreateOrganizationBody) -> Answer[OrganizationBody]:
        """Make an organization.

        It has no members yet. Without a slug it gets one from its name.
        """
        made = await self._organizations.create_organization(context, body)
        return Answer(made, version=made.version, location=f"/v1/organizations/{made.id}")

    @route(
        Method.GET,
        "/v1/organizations/{organization_id}",
        scope=Scope.ORGANIZATIONS_READ,
        errors=(OrganizationNotFound,),
    )
    async def get_organization(self, context: Context, organization_id: str) -> Answer[OrganizationBody]:
        """Get an organization."""
        found = await self._organizations.get_organization(context.tenant_id, organization_id)
        return Answer(found, version=found.version)

    @route(
        Method.PATCH,
        "/v1/organizations/{organization_id}",
        scope=Scope.ORGANIZATIONS_WRITE,
        errors=(OrganizationNotFound, SlugAlreadyExists),
        if_match=True,
    )
    async def update_organization(
        self, context: Context, organization_id: str, body: UpdateOrganizationBody
    ) -> Answer[OrganizationBody]:
        """Change an organization.

        Fields that are absent stay as they are. Metadata is merged.
        """
        changed = await self._organizations.update_organization(context, organization_id, body)
        return Answer(changed, version=changed.version)

    @route(
        Method.DELETE,
        "/v1/organizations/{organization_id}",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=204,
        errors=(OrganizationNotFound,),
        if_match=True,
    )
    async def delete_organization(self, context: Context, organization_id: str) -> Answer[None]:
        """Delete an organization for good, with its memberships. Its users stay."""
        await self._organizations.delete_organization(context, organization_id)
        return Answer(None)

    @route(
        Method.GET,
        "/v1/organizations/{organization_id}/members",
        scope=Scope.ORGANIZATIONS_READ,
        errors=(OrganizationNotFound, InvalidCursor),
    )
    async def list_members(
        self, context: Context, organization_id: str, query: ListMembersQuery
    ) -> Answer[MemberListBody]:
        """List the members of an organization, without those in the recycle bin."""
        page = await self._organizations.list_members(context.tenant_id, organization_id, query)
        return Answer(MemberListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/organizations/{organization_id}/members",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=201,
        errors=(AlreadyMember, OrganizationNotFound, UserDeleted, UserNotFound),
    )
    async def add_member(self, context: Context, organization_id: str, body: AddMemberBody) -> Answer[MemberBody]:
        """Make a user a member of an organization."""
        return Answer(await self._organizations.add_member(context, organization_id, body))

    @route(
        Method.PATCH,
        "/v1/organizations/{organization_id}/members/{user_id}",
        scope=Scope.ORGANIZATIONS_WRITE,
        errors=(LastOwner, MemberNotFound, OrganizationNotFound),
    )
    async def update_member(
        self, context: Context, organization_id: str, user_id: str, body: UpdateMemberBody
    ) -> Answer[MemberBody]:
        """Give a member another role. The last owner keeps it."""
        return Answer(await self._organizations.update_member(context, organization_id, user_id, body))

    @route(
        Method.DELETE,
        "/v1/organizations/{organization_id}/members/{user_id}",
        scope=Scope.ORGANIZATIONS_WRITE,
        status=204,
        errors=(LastOwner, MemberNotFound, OrganizationNotFound),
    )
    async def remove_member(
        self, context: Context, organization_id: str, user_id: str, body: RemoveMemberBody
    ) -> Answer[None]:
        """End a user's membership. The last owner stays."""
        await self._organizations.remove_member(context, organization_id, user_id, body.reason)
        return Answer(None)

    @route(
        Method.GET,
        "/v1/users/{user_id}/organizations",
        scope=Scope.USERS_READ,
        errors=(UserNotFound, InvalidCursor),
    )
    async def list_user_organizations(
        self, context: Context, user_id: str, query: ListBelongingsQuery
    ) -> Answer[BelongingListBody]:
        """List the organizations that a user is a member of, and as what."""
        page = await self._organizations.list_user_organizations(context.tenant_id, user_id, query)
        return Answer(BelongingListBody(page.rows, page.pagination))
