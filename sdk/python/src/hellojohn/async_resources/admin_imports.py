"""`admin.imports`, for an event loop."""

from __future__ import annotations

from typing import Literal, Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions
from hellojohn.pages import AsyncPages
from hellojohn.streams import AsyncStream
from hellojohn.types.admin_imports import Import, RefusedRow, UserFormat
from hellojohn.uploads import AsyncFile, ContentType, content_type_of


class AsyncAdminImports(AsyncResource):
    """The methods of `admin.imports`."""

    async def create(
        self,
        file: AsyncFile,
        *,
        content_type: ContentType | UnsetType = UNSET,
        firebase_signer_key: str | UnsetType = UNSET,
        firebase_salt_separator: str | UnsetType = UNSET,
        firebase_rounds: int | UnsetType = UNSET,
        firebase_memory_cost: int | UnsetType = UNSET,
        format: UserFormat | UnsetType = UNSET,
        dry_run: bool | UnsetType = UNSET,
        on_conflict: Literal["skip"] | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Import:
        """Import users from a file.

        The body is the file, of any length. Rows are applied in batches while they come in, and the answer comes when
        the file has ended. A row that is wrong, or whose address, username, id or external id is taken, is left out and
        listed in the report. A file that breaks off leaves the import interrupted: it can go on.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `firebase_signer_key`: base64_signer_key of the project's hash_config.
        `firebase_salt_separator`: its base64_salt_separator; "Bw==" unless told otherwise.
        `firebase_rounds`: its rounds; 8 unless told otherwise.
        `firebase_memory_cost`: its mem_cost; 14 unless told otherwise.
        `format`: whose file it is; "hellojohn" unless told otherwise.
        `dry_run`: say what would happen, and write no user.
        `on_conflict`: what becomes of a row that is taken already; "skip" unless told otherwise.
        """
        call = Call(
            method="POST",
            path="/v1/admin/imports",
            query={
                "firebase_signer_key": firebase_signer_key,
                "firebase_salt_separator": firebase_salt_separator,
                "firebase_rounds": firebase_rounds,
                "firebase_memory_cost": firebase_memory_cost,
                "format": format,
                "dry_run": dry_run,
                "on_conflict": on_conflict,
            },
            options=options,
            repeat=Repeat.NEVER,
        )
        return await self._transport.upload(call, file, content_type_of(file, content_type), Import)

    async def get(self, import_id: str, **options: Unpack[ActingOptions]) -> Import:
        """Get an import: how far it is, and what came of it.

        Needs the scope `users:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/imports/{segment(import_id)}", options=options)
        return await self._transport.fetch(call, Import)

    def list(
        self, *, limit: int | UnsetType = UNSET, cursor: str | UnsetType = UNSET, **options: Unpack[ActingOptions]
    ) -> AsyncPages[Import]:
        """List the imports of the last thirty days, newest first.

        Needs the scope `users:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(method="GET", path="/v1/admin/imports", query={"limit": limit, "cursor": cursor}, options=options)
        return self._transport.page(call, Import)

    def report(self, import_id: str, **options: Unpack[ActingOptions]) -> AsyncStream[RefusedRow]:
        """List the rows of an import that made no user, each on a line: its number, its line in the file, and why.

        Needs the scope `users:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/imports/{segment(import_id)}/report", options=options)
        return self._transport.stream(call, RefusedRow)

    async def resume(
        self,
        import_id: str,
        file: AsyncFile,
        *,
        content_type: ContentType | UnsetType = UNSET,
        firebase_signer_key: str | UnsetType = UNSET,
        firebase_salt_separator: str | UnsetType = UNSET,
        firebase_rounds: int | UnsetType = UNSET,
        firebase_memory_cost: int | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Import:
        """Go on with an interrupted import.

        The body is the same file from its beginning: what was applied is passed over, and must be as it was. Whoever
        still reads it elsewhere is stopped.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `firebase_signer_key`: base64_signer_key of the project's hash_config.
        `firebase_salt_separator`: its base64_salt_separator; "Bw==" unless told otherwise.
        `firebase_rounds`: its rounds; 8 unless told otherwise.
        `firebase_memory_cost`: its mem_cost; 14 unless told otherwise.
        """
        call = Call(
            method="POST",
            path=f"/v1/admin/imports/{segment(import_id)}/resume",
            query={
                "firebase_signer_key": firebase_signer_key,
                "firebase_salt_separator": firebase_salt_separator,
                "firebase_rounds": firebase_rounds,
                "firebase_memory_cost": firebase_memory_cost,
            },
            options=options,
            repeat=Repeat.NEVER,
        )
        return await self._transport.upload(call, file, content_type_of(file, content_type), Import)
