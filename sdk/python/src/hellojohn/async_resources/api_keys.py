"""`api_keys`, for an event loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.types.api_keys import ApiKey
from hellojohn.types.shared import MadeKey, TenantKeyType


class AsyncApiKeys(AsyncResource):
    """The methods of `api_keys`."""

    async def create(
        self,
        *,
        name: str,
        type: TenantKeyType | UnsetType = UNSET,
        scopes: Sequence[str] | UnsetType | None = UNSET,
        expires_in: str | UnsetType | None = UNSET,
        allowed_ips: Sequence[str] | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> MadeKey:
        """Make a key.

        The key itself is in this answer and never again. The maker must hold every scope of the new key.

        Needs the scope `keys:write`. In some cases also `admins:manage`.

        `name`: 1 to 200 characters, not all blank.
        `expires_in`: a whole number and a unit: s m h d w y (365 days), as in 1h.
        """
        call = Call(
            method="POST",
            path="/v1/api-keys",
            body={"name": name, "type": type, "scopes": scopes, "expires_in": expires_in, "allowed_ips": allowed_ips},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, MadeKey)

    async def current(self, **options: Unpack[ActingOptions]) -> ApiKey:
        """Get the key that asks, without the key itself.

        Any secret key may ask about itself.
        """
        call = Call(method="GET", path="/v1/api-keys/current", options=options)
        return await self._transport.fetch(call, ApiKey)

    async def get(self, key_id: str, **options: Unpack[ActingOptions]) -> ApiKey:
        """Get a key, without the key itself.

        Needs the scope `keys:read`.
        """
        call = Call(method="GET", path=f"/v1/api-keys/{segment(key_id)}", options=options)
        return await self._transport.fetch(call, ApiKey)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        type: TenantKeyType | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[ApiKey]:
        """List the tenant's keys, newest first.

        Needs the scope `keys:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET", path="/v1/api-keys", query={"limit": limit, "cursor": cursor, "type": type}, options=options
        )
        return self._transport.page(call, ApiKey)

    async def revoke(
        self, key_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> None:
        """Revoke a key: it is refused everywhere from the next request on.

        Needs the scope `keys:write`. In some cases also `admins:manage`.

        `reason`: shown with the key.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/api-keys/{segment(key_id)}",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        await self._transport.send(call)

    async def rotate(
        self,
        key_id: str,
        *,
        overlap: str | UnsetType | None = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> MadeKey:
        """Make a key in the place of another.

        The new key is in this answer and never again. The old one works on for the overlap.

        Needs the scope `keys:write`. In some cases also `admins:manage`.

        `overlap`: a whole number and a unit: s m h d w y (365 days), as in 1h; "24h" unless told otherwise.
        `reason`: shown with the key.
        """
        call = Call(
            method="POST",
            path=f"/v1/api-keys/{segment(key_id)}/rotate",
            body={"overlap": overlap, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, MadeKey)
