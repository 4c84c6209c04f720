"""`auth.me`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat
from hellojohn._resource import AsyncResource
from hellojohn._settings import Credential
from hellojohn.options import ChangeOptions, Options
from hellojohn.types.auth import EmailChange
from hellojohn.types.shared import OwnUser


class AsyncAuthMe(AsyncResource):
    """The methods of `auth.me`."""

    async def change_email(self, *, email: str, current_password: str, **options: Unpack[Options]) -> EmailChange:
        """Ask for another e-mail address.

        The address changes when the link that is mailed to the new one is used, within 24 hours. The answer is the same
        whether or not somebody has it. A wrong current password counts as a failed sign-in does.

        `email`: an e-mail address; unique in the tenant, compared without case.
        `current_password`: the password.
        """
        call = Call(
            method="POST",
            path="/v1/auth/me/email",
            body={"email": email, "current_password": current_password},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return await self._transport.fetch(call, EmailChange)

    async def get(self, **options: Unpack[Options]) -> OwnUser:
        """Get the user of the access token."""
        call = Call(method="GET", path="/v1/auth/me", options=options, credential=Credential.ACCESS_TOKEN)
        return await self._transport.fetch(call, OwnUser)

    async def update(
        self,
        *,
        name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        avatar_url: str | UnsetType | None = UNSET,
        **options: Unpack[ChangeOptions],
    ) -> OwnUser:
        """Change one's own profile.

        Fields that are absent stay as they are; null clears one.

        `name`: a name of 1 to 200 characters.
        `username`: 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case.
        `phone`: a phone number in E.164 form, such as +14155552671.
        `avatar_url`: an http or https URL.
        """
        call = Call(
            method="PATCH",
            path="/v1/auth/me",
            body={"name": name, "username": username, "phone": phone, "avatar_url": avatar_url},
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.ACCESS_TOKEN,
            is_versioned=True,
        )
        return await self._transport.fetch(call, OwnUser)
