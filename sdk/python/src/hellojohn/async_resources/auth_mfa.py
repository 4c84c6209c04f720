"""`auth.mfa`, for an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn._settings import Credential
from hellojohn.options import Options
from hellojohn.types.auth import PasskeyProofInput
from hellojohn.types.shared import BackupCodes, ConfirmedFactor, Enrollment, FactorList, FactorType


class AsyncAuthMfa(AsyncResource):
    """The methods of `auth.mfa`."""

    async def confirm(
        self,
        factor_id: str,
        *,
        code: str | UnsetType | None = UNSET,
        credential: Mapping[str, Any] | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> ConfirmedFactor:
        """Confirm a second factor with the code that it shows, or the passkey that the browser made.

        With the first one come ten backup codes, shown once. Access tokens from before are stale: refresh.

        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="POST",
            path=f"/v1/auth/mfa/factors/{segment(factor_id)}/confirm",
            body={"code": code, "credential": credential},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return await self._transport.fetch(call, ConfirmedFactor)

    async def enroll(
        self,
        *,
        type: FactorType,
        name: str | UnsetType | None = UNSET,
        password: str | UnsetType | None = UNSET,
        code: str | UnsetType | None = UNSET,
        passkey: PasskeyProofInput | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> Enrollment:
        """Begin a second factor.

        The answer has what an authenticator app needs, shown once. It protects nothing until it is confirmed. Who has a
        second factor already sends the password, a code or a passkey with it.

        `name`: how the user tells it from others.
        `password`: the password.
        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="POST",
            path="/v1/auth/mfa/factors",
            body={"type": type, "name": name, "password": password, "code": code, "passkey": passkey},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return await self._transport.fetch(call, Enrollment)

    async def generate_backup_codes(
        self,
        *,
        password: str | UnsetType | None = UNSET,
        code: str | UnsetType | None = UNSET,
        passkey: PasskeyProofInput | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> BackupCodes:
        """Make ten new backup codes, shown once.

        Needs the password or a code. Those from before are good no more.

        `password`: the password.
        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="POST",
            path="/v1/auth/mfa/backup-codes/generate",
            body={"password": password, "code": code, "passkey": passkey},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return await self._transport.fetch(call, BackupCodes)

    async def list(self, **options: Unpack[Options]) -> FactorList:
        """List one's own second factors, the oldest first."""
        call = Call(method="GET", path="/v1/auth/mfa/factors", options=options, credential=Credential.ACCESS_TOKEN)
        return await self._transport.fetch(call, FactorList)

    async def remove(
        self,
        factor_id: str,
        *,
        password: str | UnsetType | None = UNSET,
        code: str | UnsetType | None = UNSET,
        passkey: PasskeyProofInput | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> None:
        """Remove a second factor.

        Needs the password, a code or a passkey. With the last one the backup codes go as well. Access tokens from
        before are stale.

        `password`: the password.
        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/auth/mfa/factors/{segment(factor_id)}",
            body={"password": password, "code": code, "passkey": passkey},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        await self._transport.send(call)
