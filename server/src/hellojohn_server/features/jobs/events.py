"""What jobs say of themselves in the audit log. The reason, which may name somebody, is in their users' entries."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.jobs.schemas import Job
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def _event(kind: AuditType, job: Job, **told: Any) -> Event:
    source = {"plan_id": job.plan_id} if job.undo_of is None else {"undo_of": job.undo_of}
    return Event(kind, job.id, ResourceType.JOB, metadata={"action": job.action.value, **source, **told})


def job_started(job: Job, **told: Any) -> Event:
    """Return the entry of a job that was asked for."""
    return _event(AuditType.JOB_STARTED, job, users=job.users, **told)


def job_cancelled(job: Job) -> Event:
    """Return the entry of a job that somebody ended."""
    return _event(AuditType.JOB_CANCELLED, job, **job.counts())
