"""`organizations.members`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import Page
from hellojohn.types.organizations import Member


class OrganizationsMembers(Resource):
    """The methods of `organizations.members`."""

    def add(
        self,
        organization_id: str,
        *,
        user_id: str,
        role: str | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Member:
        """Make a user a member of an organization.

        Needs the scope `organizations:write`.

        `user_id`: the id of a user.
        `role`: owner, admin, member, or a role with scope organization; "member" unless told otherwise.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/organizations/{segment(organization_id)}/members",
            body={"user_id": user_id, "role": role, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, Member)

    def list(
        self,
        organization_id: str,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Member]:
        """List the members of an organization, without those in the recycle bin.

        Needs the scope `organizations:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        `role`: owner, admin, member, or a role with scope organization.
        """
        call = Call(
            method="GET",
            path=f"/v1/organizations/{segment(organization_id)}/members",
            query={"limit": limit, "cursor": cursor, "role": role},
            options=options,
        )
        return self._transport.page(call, Member)

    def remove(
        self,
        organization_id: str,
        user_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> None:
        """End a user's membership. The last owner stays.

        Needs the scope `organizations:write`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/organizations/{segment(organization_id)}/members/{segment(user_id)}",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        self._transport.send(call)

    def update(
        self,
        organization_id: str,
        user_id: str,
        *,
        role: str,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Member:
        """Give a member another role. The last owner keeps it.

        Needs the scope `organizations:write`.

        `role`: owner, admin, member, or a role with scope organization.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="PATCH",
            path=f"/v1/organizations/{segment(organization_id)}/members/{segment(user_id)}",
            body={"role": role, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, Member)
