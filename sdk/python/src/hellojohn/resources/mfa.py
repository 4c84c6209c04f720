"""`mfa`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.types.mfa import EnrollableType
from hellojohn.types.shared import BackupCodes, ConfirmedFactor, Enrollment, FactorList


class Mfa(Resource):
    """The methods of `mfa`."""

    def confirm(
        self, user_id: str, factor_id: str, *, code: str, **options: Unpack[ActingWriteOptions]
    ) -> ConfirmedFactor:
        """Confirm a second factor of a user with the code that it shows.

        With the first one come ten backup codes, shown once.

        Needs the scope `users:credentials`. In some cases also `admins:manage`.

        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/mfa/factors/{segment(factor_id)}/confirm",
            body={"code": code},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, ConfirmedFactor)

    def enroll(
        self,
        user_id: str,
        *,
        type: EnrollableType,
        name: str | UnsetType | None = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Enrollment:
        """Begin a second factor for a user.

        The answer has what the user's authenticator app needs. It protects nothing until it is confirmed.

        Needs the scope `users:credentials`. In some cases also `admins:manage`.

        `name`: how the user tells it from others.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/mfa/factors",
            body={"type": type, "name": name, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, Enrollment)

    def generate_backup_codes(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BackupCodes:
        """Make ten new backup codes for a user, shown once.

        Those from before are good no more.

        Needs the scope `users:credentials`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/mfa/backup-codes/generate",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BackupCodes)

    def list(self, user_id: str, **options: Unpack[ActingOptions]) -> FactorList:
        """List a user's second factors, the oldest first.

        Needs the scope `mfa:read`.
        """
        call = Call(method="GET", path=f"/v1/users/{segment(user_id)}/mfa/factors", options=options)
        return self._transport.fetch(call, FactorList)

    def remove(
        self,
        user_id: str,
        factor_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> None:
        """Remove a second factor of a user who has lost it.

        With the last one the backup codes go as well, and sign-in asks for the password alone.

        Needs the scope `mfa:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/users/{segment(user_id)}/mfa/factors/{segment(factor_id)}",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        self._transport.send(call)
