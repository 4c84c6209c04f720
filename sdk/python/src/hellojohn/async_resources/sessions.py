"""`sessions`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingChangeOptions, ActingOptions, ActingWriteOptions
from hellojohn.pages import AsyncPages
from hellojohn.types.sessions import RevokedSession, VerifiedToken
from hellojohn.types.shared import AccessStopped, Session, SessionStatus


class AsyncSessions(AsyncResource):
    """The methods of `sessions`."""

    async def get(self, session_id: str, **options: Unpack[ActingOptions]) -> Session:
        """Get a session, whatever its status.

        Needs the scope `sessions:read`.
        """
        call = Call(method="GET", path=f"/v1/sessions/{segment(session_id)}", options=options)
        return await self._transport.fetch(call, Session)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        user_id: str | UnsetType = UNSET,
        status: SessionStatus | UnsetType = UNSET,
        impersonated: bool | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> AsyncPages[Session]:
        """List sessions, newest first; the active ones unless a status is asked for.

        Needs the scope `sessions:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/sessions",
            query={
                "limit": limit,
                "cursor": cursor,
                "user_id": user_id,
                "status": status,
                "impersonated": impersonated,
            },
            options=options,
        )
        return self._transport.page(call, Session)

    async def revoke(
        self, session_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> RevokedSession:
        """End a session: its tokens are refused from the next request on.

        Needs the scope `sessions:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/sessions/{segment(session_id)}",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, RevokedSession)

    async def revoke_all(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> AccessStopped:
        """End every session of a user.

        The user may sign in again.

        Needs the scope `sessions:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/users/{segment(user_id)}/sessions",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return await self._transport.fetch(call, AccessStopped)

    async def revoke_every(
        self,
        *,
        confirm: str | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> AccessStopped:
        """Sign everybody out: end every session of the tenant.

        Needs `?confirm=<the tenant's id>`, and always admins:manage: administrators are signed out too.

        Needs the scope `sessions:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path="/v1/sessions",
            query={"confirm": confirm},
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, AccessStopped)

    async def verify(self, *, token: str, **options: Unpack[ActingOptions]) -> VerifiedToken:
        """Say whether an access token is good at this moment.

        Always 200. What is asked is more than the signature: whether its session still stands, and its user.

        Needs the scope `sessions:read`.

        `token`: an access token.
        """
        call = Call(method="POST", path="/v1/sessions/verify", body={"token": token}, options=options)
        return await self._transport.fetch(call, VerifiedToken)
