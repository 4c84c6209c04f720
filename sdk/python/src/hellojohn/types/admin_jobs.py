"""The types of `admin.jobs`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known
from hellojohn.types.shared import Action, Parameters

JobStatus: TypeAlias = Literal["cancelled", "checking", "completed", "running", "stopped"]
"""What a job is. It is `checking` while a large plan is compared with how things are now."""


Outcome: TypeAlias = Literal["changed", "failed", "skipped", "unchanged"]
"""What became of a user. `unchanged`: it was so already. `skipped` and `failed` come with a code."""


StopReason: TypeAlias = Literal[
    "error", "key_expired", "key_revoked", "mail_not_configured", "plan_changed", "tenant_suspended"
]
"""Why a job was stopped."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job. It has come to `done` of its `users`.

    At the end `gone` were found no more, as they were erased meanwhile.

    Parameters that can name somebody are null once it has ended.
    """

    id: str
    status: Known[JobStatus]
    stop_reason: Known[StopReason] | None
    action: Known[Action]
    parameters: Parameters
    plan_id: str | None
    undo_of: str | None
    users: int
    done: int
    changed: int
    unchanged: int
    skipped: int
    failed: int
    gone: int
    sessions_revoked: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one user. `code` says why, for those who were skipped and those at whom it failed."""

    user_id: str
    outcome: Known[Outcome]
    code: str | None


class ShownJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job with the first of the users at whom it failed."""

    id: str
    status: Known[JobStatus]
    stop_reason: Known[StopReason] | None
    action: Known[Action]
    parameters: Parameters
    plan_id: str | None
    undo_of: str | None
    users: int
    done: int
    changed: int
    unchanged: int
    skipped: int
    failed: int
    gone: int
    sessions_revoked: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    failures: list[ReportLine]
