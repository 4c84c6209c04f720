"""What jobs say of their end in the audit log."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.jobs.schemas import Job
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def _event(kind: AuditType, job: Job, **told: Any) -> Event:
    source = {"plan_id": job.plan_id} if job.undo_of is None else {"undo_of": job.undo_of}
    return Event(kind, job.id, ResourceType.JOB, metadata={"action": job.action.value, **source, **told})


def job_completed(job: Job) -> Event:
    """Return the entry of a job that came to its end."""
    return _event(AuditType.JOB_COMPLETED, job, **job.counts())


def job_stopped(job: Job) -> Event:
    """Return the entry of a job that could not go on."""
    return _event(AuditType.JOB_STOPPED, job, stop_reason=job.stop_reason, **job.counts())
