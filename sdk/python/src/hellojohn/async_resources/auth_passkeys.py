"""`auth.passkeys`, for an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from hellojohn._calls import Call, Repeat
from hellojohn._resource import AsyncResource
from hellojohn._settings import Credential
from hellojohn.options import Options
from hellojohn.types.auth import PasskeySignIn, SignedIn


class AsyncAuthPasskeys(AsyncResource):
    """The methods of `auth.passkeys`."""

    async def options(self, **options: Unpack[Options]) -> PasskeySignIn:
        """Get what the browser needs to sign somebody in with a passkey alone.

        Any passkey that it keeps for the tenant may answer. The challenge is good once, for five minutes.
        """
        call = Call(
            method="POST",
            path="/v1/auth/passkeys/options",
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return await self._transport.fetch(call, PasskeySignIn)

    async def verify(self, *, challenge_id: str, credential: Mapping[str, Any], **options: Unpack[Options]) -> SignedIn:
        """Sign in with a passkey alone.

        The authenticator must have looked who it is, so that it counts as two factors.

        `challenge_id`: the challenge_id of the options.
        """
        call = Call(
            method="POST",
            path="/v1/auth/passkeys/verify",
            body={"challenge_id": challenge_id, "credential": credential},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return await self._transport.fetch(call, SignedIn)
