"""`admin.plans`, for an event loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.types.admin_plans import Plan
from hellojohn.types.shared import Action, ParametersInput, SearchFiltersInput


class AsyncAdminPlans(AsyncResource):
    """The methods of `admin.plans`."""

    async def create(
        self,
        *,
        action: Action,
        query: str | UnsetType | None = UNSET,
        filters: SearchFiltersInput | UnsetType | None = UNSET,
        user_ids: Sequence[str] | UnsetType | None = UNSET,
        parameters: ParametersInput | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> Plan:
        """Make a plan of an act on many users, without doing anything.

        It says to how many users it would be done, shows some of them, and says whom it leaves out and why. One that
        finds more than 5,000 is preparing at first: get it again until it is ready. A job runs it within a day.

        Needs the scope `jobs:write`. In some cases also `admins:manage`, `sessions:write`, `users:write`.

        `query`: words that must all occur in name, e-mail, username, phone or id, without regard to case and accents:
          one of three characters and more anywhere, a shorter one at the start of a word.
        `user_ids`: 1 to 5000 ids; repeated ones count once.
        """
        call = Call(
            method="POST",
            path="/v1/admin/plans",
            body={"action": action, "query": query, "filters": filters, "user_ids": user_ids, "parameters": parameters},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return await self._transport.fetch(call, Plan)

    async def get(self, plan_id: str, **options: Unpack[ActingOptions]) -> Plan:
        """Get a plan.

        Needs the scope `jobs:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/plans/{segment(plan_id)}", options=options)
        return await self._transport.fetch(call, Plan)
