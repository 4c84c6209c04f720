"""Jobs: /v1/admin/jobs."""

from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.jobs.errors import JobEnded, JobNotEnded, JobNotFound, JobNotUndoable, JobUndone
from hellojohn_server.features.jobs.schemas import (
    JobListBody,
    ListJobsQuery,
    ReportLine,
    ShownJobBody,
    StartJobBody,
    UndoJobBody,
)
from hellojohn_server.features.jobs.service import JobService
from hellojohn_server.features.plans.errors import PlanChanged, PlanExpired, PlanNotFound, PlanNotReady, PlanUsed
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Content, Method, Parts, route
from hellojohn_server.kit.scopes import Scope


class JobRoutes:
    """Jobs that run plans, and that undo what jobs did."""

    def __init__(self, jobs: JobService) -> None:
        self._jobs = jobs

    @route(Method.GET, "/v1/admin/jobs", scope=Scope.JOBS_READ, errors=(InvalidCursor,))
    async def list_jobs(self, context: Context, query: ListJobsQuery) -> Answer[JobListBody]:
        """List jobs, the newest first."""
        page = await self._jobs.list_jobs(context.tenant_id, query)
        return Answer(JobListBody(page.rows, page.pagination))

    @route(
        Method.POST,
        "/v1/admin/jobs",
        scope=Scope.JOBS_WRITE,
        status=201,
        errors=(PlanNotFound, PlanNotReady, PlanExpired, PlanUsed, PlanChanged, MailNotConfigured),
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE, Scope.SESSIONS_WRITE, Scope.USERS_WRITE),
    )
    async def start_job(self, context: Context, body: StartJobBody) -> Answer[ShownJobBody]:
        """Run a plan.

        It is done beside the server, in steps. If it would be done to others by now than the plan says, it is refused,
        unless accept_changes is true.
        """
        job = await self._jobs.start_job(context, body)
        return Answer(job, location=f"/v1/admin/jobs/{job.id}")

    @route(Method.GET, "/v1/admin/jobs/{job_id}", scope=Scope.JOBS_READ, errors=(JobNotFound,))
    async def get_job(self, context: Context, job_id: str) -> Answer[ShownJobBody]:
        """Get a job: how far it has come, and the first of the users at whom it failed."""
        return Answer(await self._jobs.get_job(context.tenant_id, job_id))

    @route(
        Method.GET,
        "/v1/admin/jobs/{job_id}/report",
        scope=Scope.JOBS_READ,
        errors=(JobNotFound,),
        contents=(Content.NDJSON,),
    )
    async def report_job(self, context: Context, job_id: str) -> Answer[ReportLine]:
        """Get what became of each user that a job has come to, a line for each."""
        lines = await self._jobs.report_job(context.tenant_id, job_id)
        return Answer(Parts(lines, Content.NDJSON))

    @route(
        Method.POST,
        "/v1/admin/jobs/{job_id}/cancel",
        scope=Scope.JOBS_WRITE,
        errors=(JobNotFound, JobEnded),
        limit=Limit.BULK,
        conditional_scopes=(Scope.SESSIONS_WRITE, Scope.USERS_WRITE),
    )
    async def cancel_job(self, context: Context, job_id: str) -> Answer[ShownJobBody]:
        """Cancel a job. What it did already stays done."""
        return Answer(await self._jobs.cancel_job(context, job_id))

    @route(
        Method.POST,
        "/v1/admin/jobs/{job_id}/undo",
        scope=Scope.JOBS_WRITE,
        status=201,
        errors=(JobNotFound, JobNotEnded, JobNotUndoable, JobUndone),
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE, Scope.USERS_WRITE),
    )
    async def undo_job(self, context: Context, job_id: str, body: UndoJobBody) -> Answer[ShownJobBody]:
        """Undo a job: a job itself, which has each user whom it changed be as before.

        Users who changed since are skipped. Sessions that ended stay ended.
        """
        job = await self._jobs.undo_job(context, job_id, body)
        return Answer(job, location=f"/v1/admin/jobs/{job.id}")
