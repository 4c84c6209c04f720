"""`admin.emails`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.types.shared import Email, EmailStatus, EmailTemplate


class AsyncAdminEmails(AsyncResource):
    """The methods of `admin.emails`."""

    async def get(self, email_id: str, **options: Unpack[ActingOptions]) -> Email:
        """Get a mail, without its text.

        Needs the scope `audit:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/emails/{segment(email_id)}", options=options)
        return await self._transport.fetch(call, Email)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        status: EmailStatus | UnsetType = UNSET,
        template: EmailTemplate | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[Email]:
        """List the mails of the last thirty days, newest first: to whom, of what kind, and what became of each.

        Never their text, which holds secrets.

        Needs the scope `audit:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/admin/emails",
            query={"limit": limit, "cursor": cursor, "status": status, "template": template, "user_id": user_id},
            options=options,
        )
        return self._transport.page(call, Email)

    async def resend(self, email_id: str, **options: Unpack[ActingWriteOptions]) -> Email:
        """Send a mail now that failed or was given up, to the address that it was for.

        One that waits already stays as it is.

        Needs the scope `users:write`.
        """
        call = Call(
            method="POST", path=f"/v1/admin/emails/{segment(email_id)}/resend", options=options, repeat=Repeat.WITH_KEY
        )
        return await self._transport.fetch(call, Email)
