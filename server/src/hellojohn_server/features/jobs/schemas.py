"""What is asked of jobs, a job as it is stored, and as it is shown."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.features.selections.schemas import Action, Parameters
from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp
from hellojohn_server.storage.database import Row

DEFAULT_LIMIT: Final = 20
FAILURES: Final = 100
"""How many of the users at whom it failed a job itself shows; the report has all."""
NOT_UNDOABLE: Final = frozenset({Action.PASSWORD_RESET, Action.REVOKE_SESSIONS})


class JobStatus(StrEnum):
    """What a job is. It is `checking` while a large plan is compared with how things are now."""

    CANCELLED = "cancelled"
    CHECKING = "checking"
    COMPLETED = "completed"
    RUNNING = "running"
    STOPPED = "stopped"


LIVE: Final = frozenset({JobStatus.CHECKING, JobStatus.RUNNING})


class StopReason(StrEnum):
    """Why a job was stopped."""

    ERROR = "error"
    KEY_EXPIRED = "key_expired"
    KEY_REVOKED = "key_revoked"
    MAIL_NOT_CONFIGURED = ErrorCode.MAIL_NOT_CONFIGURED.value
    PLAN_CHANGED = ErrorCode.PLAN_CHANGED.value
    TENANT_SUSPENDED = ErrorCode.TENANT_SUSPENDED.value


class Outcome(StrEnum):
    """What became of a user. `unchanged`: it was so already. `skipped` and `failed` come with a code."""

    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCHANGED = "unchanged"


CHANGED_SINCE: Final = "changed_since"
NO_LONGER_FOUND: Final = "no_longer_found"


class Origin(msgspec.Struct, frozen=True):
    """The request that started a job: what its audit entries say of where they come from."""

    request_id: str
    ip_address: str | None
    user_agent: str | None
    asserted: str | None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A row of jobs. `users` is how many it is for, `place` the last one it came to. Times in milliseconds.

    `undo_of` is the job that it undoes; without, it runs the plan `plan_id`.
    """

    id: str
    status: JobStatus
    stop_reason: StopReason | None = None
    action: Action
    parameters: str
    sealed_request: bytes | None
    plan_id: str | None = None
    undo_of: str | None = None
    key_id: str
    origin: str
    users: int
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    sessions_revoked: int = 0
    place: str = ""
    attempts: int = 0
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    due_at: int | None = None
    holder: str | None = None
    purge_at: int | None = None

    @property
    def done(self) -> int:
        """How many users it has come to."""
        return self.changed + self.unchanged + self.skipped + self.failed

    def counts(self) -> dict[str, int]:
        """Return what an audit entry says of how it went."""
        return {name: getattr(self, name) for name in ("users", "changed", "unchanged", "skipped", "failed")}


JOB_COLUMNS: Final = ", ".join(Job.__struct_fields__)
"""The columns of a job in the order of Job."""


def job_of(row: Row) -> Job:
    """Return the job in a row of JOB_COLUMNS."""
    values = dict(zip(Job.__struct_fields__, row, strict=True))
    values["status"], values["action"] = JobStatus(values["status"]), Action(values["action"])
    values["stop_reason"] = None if values["stop_reason"] is None else StopReason(values["stop_reason"])
    return Job(**values)


class Result(msgspec.Struct, frozen=True):
    """A row of job_users."""

    user_id: str
    outcome: Outcome
    code: str | None = None
    version: int | None = None
    was: str | None = None


class StartJobBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which plan to run. With `accept_changes` those of its users who still match, whoever else does by now."""

    plan_id: Annotated[str, Meta(max_length=100, description="the id of a plan")]
    accept_changes: bool = False


class UndoJobBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it is undone."""

    reason: Reason | None = None


class ListJobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of GET /v1/admin/jobs."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None
    status: JobStatus | None = None


class ReportLine(msgspec.Struct, frozen=True):
    """What became of one user. `code` says why, for those who were skipped and those at whom it failed."""

    user_id: str
    outcome: Outcome
    code: str | None


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job. It has come to `done` of its `users`; at the end `gone` were found no more, as they were erased meanwhile.

    Parameters that can name somebody are null once it has ended.
    """

    id: str
    status: JobStatus
    stop_reason: StopReason | None
    action: Action
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
    created_at: Timestamp
    started_at: Timestamp | None
    ended_at: Timestamp | None


class ShownJobBody(JobBody, frozen=True, kw_only=True):
    """A job with the first of the users at whom it failed."""

    failures: list[ReportLine]


class JobListBody(msgspec.Struct, frozen=True):
    """A page of jobs."""

    data: list[JobBody]
    pagination: Pagination
