"""`auth.password`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from hellojohn._calls import Call, Repeat
from hellojohn._resource import AsyncResource
from hellojohn._settings import Credential
from hellojohn.options import Options
from hellojohn.types.auth import Accepted
from hellojohn.types.shared import AccessStopped


class AsyncAuthPassword(AsyncResource):
    """The methods of `auth.password`."""

    async def change(self, *, current_password: str, new_password: str, **options: Unpack[Options]) -> AccessStopped:
        """Change one's own password, and end every other session.

        The session of the access token goes on. A wrong current password counts as a failed sign-in does.

        `current_password`: the password.
        `new_password`: 8 characters or more, at most 1024 bytes.
        """
        call = Call(
            method="POST",
            path="/v1/auth/password/change",
            body={"current_password": current_password, "new_password": new_password},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return await self._transport.fetch(call, AccessStopped)

    async def forgot(self, *, email: str, **options: Unpack[Options]) -> Accepted:
        """Ask for a link to choose a new password.

        The answer is the same, and takes as long, whether or not anybody has the address. The link is good once, for an
        hour, until a newer one is asked for.

        `email`: the e-mail address; case does not matter.
        """
        call = Call(
            method="POST",
            path="/v1/auth/password/forgot",
            body={"email": email},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return await self._transport.fetch(call, Accepted)

    async def reset(self, *, token: str, password: str, **options: Unpack[Options]) -> None:
        """Set a new password with the secret of a link.

        Ends every session of the user and a lock, and verifies the address; a ban and a disable stay. It does not sign
        in: signing in asks for what else the account needs.

        `token`: the secret of the link, act_....
        `password`: 8 characters or more, at most 1024 bytes.
        """
        call = Call(
            method="POST",
            path="/v1/auth/password/reset",
            body={"token": token, "password": password},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        await self._transport.send(call)
