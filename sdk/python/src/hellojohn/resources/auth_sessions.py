"""`auth.sessions`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn._settings import Credential
from hellojohn.options import Options, WriteOptions
from hellojohn.pages import Page
from hellojohn.types.auth import OwnSession


class AuthSessions(Resource):
    """The methods of `auth.sessions`."""

    def list(
        self, *, limit: int | UnsetType = UNSET, cursor: str | UnsetType = UNSET, **options: Unpack[Options]
    ) -> Page[OwnSession]:
        """List one's own active sessions, newest first.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/auth/sessions",
            query={"limit": limit, "cursor": cursor},
            options=options,
            credential=Credential.ACCESS_TOKEN,
        )
        return self._transport.page(call, OwnSession)

    def revoke(self, session_id: str, **options: Unpack[WriteOptions]) -> None:
        """End a session of one's own."""
        call = Call(
            method="DELETE",
            path=f"/v1/auth/sessions/{segment(session_id)}",
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.ACCESS_TOKEN,
        )
        self._transport.send(call)
