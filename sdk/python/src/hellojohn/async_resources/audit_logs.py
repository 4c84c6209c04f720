"""`audit_logs`, for an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Unpack, overload

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.streams import AsyncStream
from hellojohn.types.shared import ActorType, AuditEntry, AuditResult, ExportFormat


class AsyncAuditLogs(AsyncResource):
    """The methods of `audit_logs`."""

    async def create(
        self,
        *,
        action: str,
        actor: str | UnsetType | None = UNSET,
        resource_id: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> AuditEntry:
        """Record an entry of your own.

        The recorded actor is always the credential; `actor` is kept as `metadata.claimed_actor`.

        Needs the scope `audit:write`.

        `action`: words of a-z 0-9 _ - separated by dots, as in invoice.sent; not the name of a built-in type.
        `metadata`: at most 16 KiB of JSON.
        """
        call = Call(
            method="POST",
            path="/v1/audit-logs",
            body={"action": action, "actor": actor, "resource_id": resource_id, "metadata": metadata},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, AuditEntry)

    @overload
    def export(
        self,
        *,
        format: Literal["ndjson"] | UnsetType = UNSET,
        actor_id: str | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        actor_type: ActorType | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        result: AuditResult | UnsetType = UNSET,
        ip_address: str | UnsetType = UNSET,
        resource_id: str | UnsetType = UNSET,
        resource_type: str | UnsetType = UNSET,
        from_: datetime | str | UnsetType = UNSET,
        to: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncStream[AuditEntry]: ...
    @overload
    def export(
        self,
        *,
        format: Literal["csv"],
        actor_id: str | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        actor_type: ActorType | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        result: AuditResult | UnsetType = UNSET,
        ip_address: str | UnsetType = UNSET,
        resource_id: str | UnsetType = UNSET,
        resource_type: str | UnsetType = UNSET,
        from_: datetime | str | UnsetType = UNSET,
        to: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncStream[dict[str, str]]: ...
    def export(
        self,
        *,
        format: ExportFormat | UnsetType = UNSET,
        actor_id: str | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        actor_type: ActorType | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        result: AuditResult | UnsetType = UNSET,
        ip_address: str | UnsetType = UNSET,
        resource_id: str | UnsetType = UNSET,
        resource_type: str | UnsetType = UNSET,
        from_: datetime | str | UnsetType = UNSET,
        to: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncStream[AuditEntry] | AsyncStream[dict[str, str]]:
        """Export audit entries.

        Every entry that the filters of the list select, newest first, as lines of JSON or of CSV. It is made while it
        goes out: what there was when it began is in it, and once. An answer that breaks off is not complete: its last
        chunk is missing.

        Needs the scope `audit:read`.

        `type`: a type such as user.disabled, or every type that starts alike: user.*.
        """
        call = Call(
            method="GET",
            path="/v1/audit-logs/export",
            query={
                "format": format,
                "actor_id": actor_id,
                "user_id": user_id,
                "actor_type": actor_type,
                "type": type,
                "result": result,
                "ip_address": ip_address,
                "resource_id": resource_id,
                "resource_type": resource_type,
                "from": from_,
                "to": to,
            },
            options=options,
        )
        return self._transport.rows(call) if format == "csv" else self._transport.stream(call, AuditEntry)

    async def get(self, entry_id: str, **options: Unpack[ActingOptions]) -> AuditEntry:
        """Get an audit entry.

        Needs the scope `audit:read`.
        """
        call = Call(method="GET", path=f"/v1/audit-logs/{segment(entry_id)}", options=options)
        return await self._transport.fetch(call, AuditEntry)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        actor_id: str | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        actor_type: ActorType | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        result: AuditResult | UnsetType = UNSET,
        ip_address: str | UnsetType = UNSET,
        resource_id: str | UnsetType = UNSET,
        resource_type: str | UnsetType = UNSET,
        from_: datetime | str | UnsetType = UNSET,
        to: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[AuditEntry]:
        """List audit entries, newest first.

        Needs the scope `audit:read`.

        `limit`: entries per page; 50 unless told otherwise.
        `cursor`: next_cursor of the page before.
        `type`: a type such as user.disabled, or every type that starts alike: user.*.
        """
        call = Call(
            method="GET",
            path="/v1/audit-logs",
            query={
                "limit": limit,
                "cursor": cursor,
                "actor_id": actor_id,
                "user_id": user_id,
                "actor_type": actor_type,
                "type": type,
                "result": result,
                "ip_address": ip_address,
                "resource_id": resource_id,
                "resource_type": resource_type,
                "from": from_,
                "to": to,
            },
            options=options,
        )
        return self._transport.page(call, AuditEntry)
