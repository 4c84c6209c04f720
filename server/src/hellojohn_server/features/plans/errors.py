"""What keeps a plan from being shown or run."""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class PlanNotFound(NotFound):
    code = ErrorCode.PLAN_NOT_FOUND
    message = "There is no such plan. Plans are kept for a day, those that were run for as long as their job."


class PlanNotReady(Conflict):
    code = ErrorCode.PLAN_NOT_READY
    message = "The plan is still being prepared, or could not be: GET it to see its status."


class PlanExpired(Conflict):
    code = ErrorCode.PLAN_EXPIRED
    message = "The plan is older than a day. Make a new one."


class PlanUsed(Conflict):
    code = ErrorCode.PLAN_USED
    message = "The plan was run already: `job_id` of the plan says by which job. Make a new one."


class PlanChanged(Conflict):
    code = ErrorCode.PLAN_CHANGED
    message = (
        "It would be done to others now than the plan says. Make a new plan, or send accept_changes: true to run this "
        "one for those of its users who still match."
    )
