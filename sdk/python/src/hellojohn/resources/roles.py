"""`roles`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn.options import ActingChangeOptions, ActingOptions, ActingWriteOptions
from hellojohn.pages import Page
from hellojohn.types.roles import Role, RoleScope


class Roles(Resource):
    """The methods of `roles`."""

    def create(
        self,
        *,
        name: str,
        display_name: str | UnsetType | None = UNSET,
        description: str | UnsetType | None = UNSET,
        scope: RoleScope | UnsetType = UNSET,
        permissions: Sequence[str] | UnsetType = UNSET,
        privileged: bool | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Role:
        """Make a role of the tenant's own.

        It describes users, or with scope organization members of organizations, to your application. A privileged one
        needs admins:manage.

        Needs the scope `roles:write`. In some cases also `admins:manage`.

        `name`: 1 to 64 of a-z 0-9 _ - with a letter first; it never changes.
        `display_name`: 1 to 200 characters, not all blank.
        `description`: 1 to 500 characters, not all blank.
        `permissions`: for your application; one that comes twice counts once.
        """
        call = Call(
            method="POST",
            path="/v1/roles",
            body={
                "name": name,
                "display_name": display_name,
                "description": description,
                "scope": scope,
                "permissions": permissions,
                "privileged": privileged,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, Role)

    def delete(self, role_id: str, **options: Unpack[ActingChangeOptions]) -> None:
        """Delete a role of the tenant's own that nobody has.

        Needs the scope `roles:write`. In some cases also `admins:manage`.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/roles/{segment(role_id)}",
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        self._transport.send(call)

    def get(self, role_id: str, **options: Unpack[ActingOptions]) -> Role:
        """Get a role.

        Needs the scope `roles:read`.
        """
        call = Call(method="GET", path=f"/v1/roles/{segment(role_id)}", options=options)
        return self._transport.fetch(call, Role)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        scope: RoleScope | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Role]:
        """List roles: the built-in ones first, then the tenant's own by name.

        Needs the scope `roles:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET", path="/v1/roles", query={"limit": limit, "cursor": cursor, "scope": scope}, options=options
        )
        return self._transport.page(call, Role)

    def update(
        self,
        role_id: str,
        *,
        display_name: str | UnsetType | None = UNSET,
        description: str | UnsetType | None = UNSET,
        permissions: Sequence[str] | UnsetType = UNSET,
        privileged: bool | UnsetType = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> Role:
        """Change a role of the tenant's own.

        Its name and scope never change. A role that is privileged, or is made so, needs admins:manage.

        Needs the scope `roles:write`. In some cases also `admins:manage`.

        `display_name`: 1 to 200 characters, not all blank.
        `description`: 1 to 500 characters, not all blank.
        `permissions`: for your application; one that comes twice counts once.
        """
        call = Call(
            method="PATCH",
            path=f"/v1/roles/{segment(role_id)}",
            body={
                "display_name": display_name,
                "description": description,
                "permissions": permissions,
                "privileged": privileged,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, Role)
