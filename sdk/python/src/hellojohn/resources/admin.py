"""`admin`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat
from hellojohn._resource import Resource
from hellojohn._transport import Transport
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.resources.admin_config import AdminConfig
from hellojohn.resources.admin_emails import AdminEmails
from hellojohn.resources.admin_imports import AdminImports
from hellojohn.resources.admin_jobs import AdminJobs
from hellojohn.resources.admin_plans import AdminPlans
from hellojohn.types.admin import Impersonation, Stats


class Admin(Resource):
    """The methods of `admin`."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.config = AdminConfig(transport)
        self.emails = AdminEmails(transport)
        self.imports = AdminImports(transport)
        self.jobs = AdminJobs(transport)
        self.plans = AdminPlans(transport)

    def impersonate(
        self,
        *,
        user_id: str,
        reason: str,
        expires_in: str | UnsetType | None = UNSET,
        read_only: bool | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Impersonation:
        """Act in a user's place.

        The answer has an access token of the user's, marked as an impersonation, for an hour if expires_in does not say
        otherwise. It opens few operations, cannot be refreshed, and ends with the key that made it.

        Needs the scope `users:impersonate`. In some cases also `admins:manage`.

        `user_id`: the id of a user.
        `reason`: why, for the audit log; at most 500 characters.
        `expires_in`: a whole number and a unit: s m h d w y (365 days), as in 1h.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/impersonate",
            body={"user_id": user_id, "reason": reason, "expires_in": expires_in, "read_only": read_only},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, Impersonation)

    def stats(self, **options: Unpack[ActingOptions]) -> Stats:
        """Get the tenant's figures: users, second factors, sessions, organizations, sign-ins.

        From counters that are kept with every change. Days are those of UTC, today included.

        Needs the scope `users:read`.
        """
        call = Call(method="GET", path="/v1/admin/stats", options=options)
        return self._transport.fetch(call, Stats)
