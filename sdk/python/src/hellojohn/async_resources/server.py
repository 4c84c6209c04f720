"""`server`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from hellojohn._calls import Call
from hellojohn._resource import AsyncResource
from hellojohn._settings import Credential
from hellojohn.options import Options
from hellojohn.types.server import Health, JsonWebKeySet, Ready


class AsyncServer(AsyncResource):
    """The methods of `server`."""

    async def health(self, **options: Unpack[Options]) -> Health:
        """Say that the process lives.

        Answers 200 as long as requests are served at all, whatever the store does. For a supervisor that restarts.
        """
        call = Call(method="GET", path="/health", options=options, credential=Credential.NONE)
        return await self._transport.fetch(call, Health)

    async def key_set(self, **options: Unpack[Options]) -> JsonWebKeySet:
        """Get the keys that access tokens are verified with.

        A JSON Web Key Set (RFC 7517). Keep it for up to an hour, and fetch it anew when a token names another key.
        """
        call = Call(method="GET", path="/.well-known/jwks.json", options=options, credential=Credential.NONE)
        return await self._transport.fetch(call, JsonWebKeySet)

    async def ready(self, **options: Unpack[Options]) -> Ready:
        """Say whether requests can be served.

        Asks the control store. For a load balancer that sends requests elsewhere meanwhile.
        """
        call = Call(method="GET", path="/ready", options=options, credential=Credential.NONE)
        return await self._transport.fetch(call, Ready)
