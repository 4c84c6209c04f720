"""`tenants`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn._settings import Credential
from hellojohn.options import ActingChangeOptions, ActingOptions, ActingWriteOptions
from hellojohn.pages import Page
from hellojohn.types.shared import MadeKey, TenantKeyType
from hellojohn.types.tenants import Environment, ShownStatus, Tenant


class Tenants(Resource):
    """The methods of `tenants`."""

    def create(
        self, *, name: str, environment: Environment | UnsetType = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> Tenant:
        """Make a tenant.

        `name`: 1 to 200 characters, not all blank.
        """
        call = Call(
            method="POST",
            path="/v1/tenants",
            body={"name": name, "environment": environment},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
        )
        return self._transport.fetch(call, Tenant)

    def create_api_key(
        self,
        tenant_id: str,
        *,
        name: str,
        type: TenantKeyType | UnsetType = UNSET,
        scopes: Sequence[str] | UnsetType | None = UNSET,
        expires_in: str | UnsetType | None = UNSET,
        allowed_ips: Sequence[str] | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> MadeKey:
        """Make a key of a tenant, with any scope.

        The key itself is in this answer and never again. The tenant's audit log names the master key as the actor.

        `name`: 1 to 200 characters, not all blank.
        `expires_in`: a whole number and a unit: s m h d w y (365 days), as in 1h.
        """
        call = Call(
            method="POST",
            path=f"/v1/tenants/{segment(tenant_id)}/api-keys",
            body={"name": name, "type": type, "scopes": scopes, "expires_in": expires_in, "allowed_ips": allowed_ips},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
        )
        return self._transport.fetch(call, MadeKey)

    def delete(
        self, tenant_id: str, *, confirm: str | UnsetType = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> None:
        """Destroy a tenant and everything in it.

        Needs `?confirm=<the tenant's id>`. There is no way back.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/tenants/{segment(tenant_id)}",
            query={"confirm": confirm},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
        )
        self._transport.send(call)

    def get(self, tenant_id: str, **options: Unpack[ActingOptions]) -> Tenant:
        """Get a tenant."""
        call = Call(
            method="GET", path=f"/v1/tenants/{segment(tenant_id)}", options=options, credential=Credential.MASTER_KEY
        )
        return self._transport.fetch(call, Tenant)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        status: ShownStatus | UnsetType = UNSET,
        environment: Environment | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Tenant]:
        """List tenants, newest first.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/tenants",
            query={"limit": limit, "cursor": cursor, "status": status, "environment": environment},
            options=options,
            credential=Credential.MASTER_KEY,
        )
        return self._transport.page(call, Tenant)

    def resume(self, tenant_id: str, **options: Unpack[ActingWriteOptions]) -> Tenant:
        """Resume a suspended tenant."""
        call = Call(
            method="POST",
            path=f"/v1/tenants/{segment(tenant_id)}/resume",
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
        )
        return self._transport.fetch(call, Tenant)

    def suspend(
        self, tenant_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> Tenant:
        """Suspend a tenant: every key and token of it is refused from the next request on.

        `reason`: shown with the tenant.
        """
        call = Call(
            method="POST",
            path=f"/v1/tenants/{segment(tenant_id)}/suspend",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
        )
        return self._transport.fetch(call, Tenant)

    def update(
        self, tenant_id: str, *, name: str | UnsetType = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> Tenant:
        """Change a tenant's name.

        `name`: 1 to 200 characters, not all blank.
        """
        call = Call(
            method="PATCH",
            path=f"/v1/tenants/{segment(tenant_id)}",
            body={"name": name},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.MASTER_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, Tenant)
