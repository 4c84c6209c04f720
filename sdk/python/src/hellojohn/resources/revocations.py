"""`revocations`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call
from hellojohn._resource import Resource
from hellojohn.options import ActingOptions
from hellojohn.types.revocations import RevocationList


class Revocations(Resource):
    """The methods of `revocations`."""

    def list(
        self, *, since: str | UnsetType = UNSET, limit: int | UnsetType = UNSET, **options: Unpack[ActingOptions]
    ) -> RevocationList:
        """List what verifiers are to refuse.

        Without `since` all that cannot be forgotten yet, else what came after that cursor. An entry may come twice;
        none is ever left out, in whatever order changes are committed. With `Accept: text/event-stream` the same as
        Server-Sent Events, which go on: `revocation` for each entry, and a `heartbeat` every second. `Last-Event-ID` is
        `since` then.

        Needs the scope `revocations:read`.

        `since`: next_cursor of the answer before.
        `limit`: entries per answer; 1000 unless told otherwise.
        """
        call = Call(method="GET", path="/v1/revocations", query={"since": since, "limit": limit}, options=options)
        return self._transport.fetch(call, RevocationList)
