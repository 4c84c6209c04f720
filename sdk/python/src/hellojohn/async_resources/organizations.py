"""`organizations`, for an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from msgspec import UNSET, UnsetType

from hellojohn._async_transport import AsyncTransport
from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.async_resources.organizations_invitations import AsyncOrganizationsInvitations
from hellojohn.async_resources.organizations_members import AsyncOrganizationsMembers
from hellojohn.options import ActingChangeOptions, ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.types.organizations import Organization


class AsyncOrganizations(AsyncResource):
    """The methods of `organizations`."""

    def __init__(self, transport: AsyncTransport) -> None:
        super().__init__(transport)
        self.invitations = AsyncOrganizationsInvitations(transport)
        self.members = AsyncOrganizationsMembers(transport)

    async def create(
        self,
        *,
        name: str,
        slug: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Organization:
        """Make an organization.

        It has no members yet. Without a slug it gets one from its name.

        Needs the scope `organizations:write`.

        `name`: a name of 1 to 200 characters.
        `slug`: 1 to 63 of a-z 0-9 and single - between; unique in the tenant.
        `metadata`: an object of at most 16 KiB as JSON.
        """
        call = Call(
            method="POST",
            path="/v1/organizations",
            body={"name": name, "slug": slug, "metadata": metadata},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, Organization)

    async def delete(self, organization_id: str, **options: Unpack[ActingChangeOptions]) -> None:
        """Delete an organization for good, with its memberships. Its users stay.

        Needs the scope `organizations:write`.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/organizations/{segment(organization_id)}",
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        await self._transport.send(call)

    async def get(self, organization_id: str, **options: Unpack[ActingOptions]) -> Organization:
        """Get an organization.

        Needs the scope `organizations:read`.
        """
        call = Call(method="GET", path=f"/v1/organizations/{segment(organization_id)}", options=options)
        return await self._transport.fetch(call, Organization)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        query: str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[Organization]:
        """List organizations by name; with a query, those whose names start so.

        Needs the scope `organizations:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        `query`: the start of the name, without regard to case.
        """
        call = Call(
            method="GET",
            path="/v1/organizations",
            query={"limit": limit, "cursor": cursor, "query": query},
            options=options,
        )
        return self._transport.page(call, Organization)

    async def update(
        self,
        organization_id: str,
        *,
        name: str | UnsetType = UNSET,
        slug: str | UnsetType = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> Organization:
        """Change an organization.

        Fields that are absent stay as they are. Metadata is merged.

        Needs the scope `organizations:write`.

        `name`: a name of 1 to 200 characters.
        `slug`: 1 to 63 of a-z 0-9 and single - between; unique in the tenant.
        `metadata`: an object of at most 16 KiB as JSON.
        """
        call = Call(
            method="PATCH",
            path=f"/v1/organizations/{segment(organization_id)}",
            body={"name": name, "slug": slug, "metadata": metadata},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return await self._transport.fetch(call, Organization)
