"""`organizations.invitations`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.types.shared import Invitation


class AsyncOrganizationsInvitations(AsyncResource):
    """The methods of `organizations.invitations`."""

    async def create(
        self,
        organization_id: str,
        *,
        email: str,
        role: str | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Invitation:
        """Invite somebody into an organization by mail.

        The link is good once, for seven days. The answer is the same whether or not anybody has the address.

        Needs the scope `organizations:write`.

        `email`: an e-mail address; unique in the tenant, compared without case.
        `role`: owner, admin, member, or a role with scope organization; "member" unless told otherwise.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/organizations/{segment(organization_id)}/invitations",
            body={"email": email, "role": role, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, Invitation)

    def list(
        self,
        organization_id: str,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[Invitation]:
        """List the open invitations to an organization, the oldest first.

        Needs the scope `organizations:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path=f"/v1/organizations/{segment(organization_id)}/invitations",
            query={"limit": limit, "cursor": cursor},
            options=options,
        )
        return self._transport.page(call, Invitation)

    async def resend(
        self,
        organization_id: str,
        invitation_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Invitation:
        """Mail an invitation again.

        The new link is good for seven days, the one before no more.

        Needs the scope `organizations:write`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/organizations/{segment(organization_id)}/invitations/{segment(invitation_id)}/resend",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, Invitation)

    async def revoke(
        self,
        organization_id: str,
        invitation_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> None:
        """Revoke an invitation: its link is good no more.

        Needs the scope `organizations:write`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/organizations/{segment(organization_id)}/invitations/{segment(invitation_id)}",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        await self._transport.send(call)
