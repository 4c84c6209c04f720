"""What is asked of a plan, a plan as it is stored, and as it is shown."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.features.search.schemas import QueryText, SearchFilters
from hellojohn_server.features.selections.schemas import Action, Exclusion, Parameters, parameters_fault
from hellojohn_server.features.users.schemas import UserStatus
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import checked_together
from hellojohn_server.kit.times import Timestamp

MAX_IDS: Final = 5_000
"""How many users a plan can name, and how many it may find to be ready in its first answer."""
MAX_BODY_BYTES: Final = 524_288
SAMPLES: Final = 20
"""How many users a plan shows, and how many of those that it leaves out for each reason."""


def selection_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that users are both named and looked for, or neither."""
    looked_for = given["query"] is not None or given["filters"] is not None
    if given["user_ids"] is not None and looked_for:
        return FieldError("user_ids", FieldCode.INVALID, "Send user_ids, or query and filters, not both.")
    if given["user_ids"] is None and not looked_for:
        message = "Say whom: user_ids, or a query, filters or both. Empty filters ({}) are everybody."
        return FieldError("filters", FieldCode.REQUIRED, message)
    return None


UserIds = Annotated[
    list[Annotated[str, Meta(max_length=100, description="the id of a user; any other text is of no user")]],
    Meta(min_length=1, max_length=MAX_IDS, description=f"1 to {MAX_IDS} ids; repeated ones count once"),
]


@checked_together(parameters_fault, selection_fault)
class CreatePlanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be done, to whom (those found by query and filters, or those named), and how."""

    action: Action
    query: QueryText | None = None
    filters: SearchFilters | None = None
    user_ids: UserIds | None = None
    parameters: Parameters = Parameters()


class PlanStatus(StrEnum):
    """What a plan is. It is `expired` a day after it was made, and `used` once a job runs it."""

    EXPIRED = "expired"
    FAILED = "failed"
    PREPARING = "preparing"
    READY = "ready"
    USED = "used"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A row of plans. `matched` are all that were found, `users` those to whom it would be done. Times in milliseconds.

    `excluded` is JSON: how many for each reason. `place` is JSON of how far its preparation has come.
    """

    id: str
    status: PlanStatus
    action: Action
    parameters: str
    sealed_request: bytes | None
    key_id: str
    manages: bool
    matched: int = 0
    users: int = 0
    excluded: str = "{}"
    hash: str | None = None
    place: str | None = None
    error: str | None = None
    job_id: str | None = None
    created_at: int
    expires_at: int
    due_at: int | None = None
    holder: str | None = None
    purge_at: int | None = None


class SampleBody(msgspec.Struct, frozen=True):
    """One of the users of a plan. But for the id all is null to a key without users:read."""

    id: str
    email: str | None
    name: str | None
    role: str | None
    status: UserStatus | None


class ExclusionBody(msgspec.Struct, frozen=True):
    """How many users a plan leaves out for a reason, and some of them."""

    reason: Exclusion
    count: int
    samples: list[str]


class PlanBody(msgspec.Struct, frozen=True, kw_only=True):
    """A plan. `users` is to how many it would be done, `hash` the SHA-256 of their ids (docs/plans-and-jobs.md).

    Of a plan that is `preparing` the numbers are those of so far. `query`, `filters` and the parameters that can name
    somebody are null once it was run or has expired.
    """

    id: str
    status: PlanStatus
    action: Action
    query: str | None
    filters: SearchFilters | None
    parameters: Parameters
    matched: int
    users: int
    hash: str | None
    samples: list[SampleBody]
    excluded: list[ExclusionBody]
    error: str | None
    job_id: str | None
    created_by: str
    created_at: Timestamp
    expires_at: Timestamp
