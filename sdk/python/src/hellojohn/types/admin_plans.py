"""The types of `admin.plans`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known
from hellojohn.types.shared import Action, Parameters, SearchFilters, UserStatus

Exclusion: TypeAlias = Literal["already_so", "deleted", "no_such_user", "role_privileged", "too_large"]
"""Why a plan leaves a user out."""


PlanStatus: TypeAlias = Literal["expired", "failed", "preparing", "ready", "used"]
"""What a plan is. It is `expired` a day after it was made, and `used` once a job runs it."""


class ExclusionBody(msgspec.Struct, frozen=True, kw_only=True):
    """How many users a plan leaves out for a reason, and some of them."""

    reason: Known[Exclusion]
    count: int
    samples: list[str]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One of the users of a plan. But for the id all is null to a key without users:read."""

    id: str
    email: str | None
    name: str | None
    role: str | None
    status: Known[UserStatus] | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan. `users` is to how many it would be done, `hash` the SHA-256 of their ids (docs/plans-and-jobs.md).

    Of a plan that is `preparing` the numbers are those of so far. `query`, `filters` and the parameters that can name
    somebody are null once it was run or has expired.
    """

    id: str
    status: Known[PlanStatus]
    action: Known[Action]
    query: str | None
    filters: SearchFilters | None
    parameters: Parameters
    matched: int
    users: int
    hash: str | None
    samples: list[Sample]
    excluded: list[ExclusionBody]
    error: str | None
    job_id: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
