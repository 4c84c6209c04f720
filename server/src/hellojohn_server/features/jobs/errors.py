"""What keeps a job from being shown, cancelled or undone."""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class JobNotFound(NotFound):
    code = ErrorCode.JOB_NOT_FOUND
    message = "There is no such job. Jobs are kept for thirty days after their end."


class JobEnded(Conflict):
    code = ErrorCode.JOB_ENDED
    message = "The job has ended. What it did can be undone by POST /v1/admin/jobs/{id}/undo."


class JobNotEnded(Conflict):
    code = ErrorCode.JOB_NOT_ENDED
    message = "The job is not over. Cancel it, or wait for its end."


class JobNotUndoable(Conflict):
    code = ErrorCode.JOB_NOT_UNDOABLE
    message = "Sessions that were revoked, forced resets and undoing itself cannot be undone."


class JobUndone(Conflict):
    code = ErrorCode.JOB_UNDONE
    message = "The job was undone already, or is just being undone."
