"""The rows of the audit walk for plans and jobs. What a job does to its users is recorded when it does it."""

from typing import Final

from tests.walk.rows import Entry, Row

PLAN: Final = "<plan>"
JOB: Final = "<job>"
_NOTHING_YET: Final = {"users": 1, "changed": 0, "unchanged": 0, "skipped": 0, "failed": 0}

JOB_TABLE: Final[dict[str, Row]] = {
    "create_plan": Row(201, [Entry(type="plan.created", resource=("plan", "made"), metadata={"action": "disable"})]),
    "start_job": Row(
        201,
        [
            Entry(
                type="job.started",
                resource=("job", "made"),
                metadata={"action": "disable", "plan_id": PLAN, "users": 1, "accept_changes": False},
            )
        ],
    ),
    "cancel_job": Row(
        200,
        [
            Entry(
                type="job.cancelled",
                resource=("job", "job"),
                metadata={"action": "disable", "plan_id": PLAN, **_NOTHING_YET},
            )
        ],
    ),
    "undo_job": Row(
        201,
        [
            Entry(
                type="job.started",
                resource=("job", "made"),
                metadata={"action": "disable", "undo_of": JOB, "users": 1},
            )
        ],
    ),
}
