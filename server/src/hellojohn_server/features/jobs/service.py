"""The rules of jobs: who may start, cancel and undo one, and what is shown of it. job_runs works them off."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import msgspec

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.jobs import repository
from hellojohn_server.features.jobs.errors import JobEnded, JobNotEnded, JobNotFound, JobNotUndoable, JobUndone
from hellojohn_server.features.jobs.events import job_cancelled, job_started
from hellojohn_server.features.jobs.schemas import (
    LIVE,
    NOT_UNDOABLE,
    Job,
    JobBody,
    JobStatus,
    ListJobsQuery,
    Origin,
    ReportLine,
    Result,
    ShownJobBody,
    StartJobBody,
    StopReason,
    UndoJobBody,
)
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.password_reset.service import PasswordResetService
from hellojohn_server.features.plans.errors import PlanChanged
from hellojohn_server.features.plans.schemas import MAX_IDS, Plan
from hellojohn_server.features.plans.service import PlanService, kept_parameters
from hellojohn_server.features.selections.schemas import Action, Parameters, Selection, scope_of
from hellojohn_server.features.selections.service import SelectionService, act_of
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.user_acts.service import UserActs
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.retention import JOB_MS
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.times import format_optional_time, format_time
from hellojohn_server.storage.database import Database, Reader, Transaction

_REPORT_ROWS: Final = 1_000

_encode: Final = msgspec.json.Encoder().encode


class JobServices(msgspec.Struct, frozen=True):
    """The services that jobs stand on."""

    audit: AuditLog
    acts: UserActs
    emails: EmailService
    keys: KeyService
    plans: PlanService
    resets: PasswordResetService
    selections: SelectionService
    tenants: TenantService
    cursors: CursorCodec
    bell: Bell


class JobService:
    """Jobs of one tenant at a time, as they are asked for."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: JobServices) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services

    async def start_job(self, context: Context, body: StartJobBody) -> ShownJobBody:
        """Run a plan. The plan of another key needs admins:manage, else InsufficientScope, as without the act's scope.

        PlanChanged when it would be done to others now, unless that is accepted; of a large plan the job itself says
        so. PlanNotFound, PlanNotReady, PlanExpired, PlanUsed: of any number at once, one runs it. MailNotConfigured.
        """
        plan = await self._services.plans.require_plan(context.tenant_id, body.plan_id)
        context.principal.require(scope_of(plan.action))
        if plan.key_id != context.principal.id:
            context.principal.require(Scope.ADMINS_MANAGE)
        if plan.action is Action.PASSWORD_RESET:
            self._services.emails.require_configured()
        is_large = plan.matched > MAX_IDS
        is_checked = body.accept_changes or (not is_large and await self._is_unchanged(context.tenant_id, plan))
        job_id = self._ids.new(IdPrefix.JOB)

        async def command(tx: Transaction) -> Job:
            selection = await self._services.plans.use(tx, plan, job_id)
            if not is_checked and not is_large:
                raise PlanChanged
            now = self._clock.now_ms()
            act_of(plan.action, selection.parameters, now)
            job = Job(
                id=job_id,
                status=JobStatus.RUNNING if is_checked else JobStatus.CHECKING,
                action=plan.action,
                parameters=plan.parameters,
                sealed_request=self._services.plans.seal(tx.tenant_id, job_id, selection),
                plan_id=plan.id,
                key_id=context.principal.id,
                origin=_origin_of(context),
                users=plan.users,
                created_at=now,
                due_at=now,
            )
            await self._insert(tx, context, job, accept_changes=body.accept_changes)
            return job

        job = await self._db.write(context.tenant_id, command, Job, idempotency=context.idempotency)
        return await self._shown(context.tenant_id, job)

    async def undo_job(self, context: Context, job_id: str, body: UndoJobBody) -> ShownJobBody:
        """Have those whom a job changed be as they were, but for who changed since. It is a job itself.

        JobNotFound; JobNotEnded; JobNotUndoable; JobUndone: of any number at once, one undoes it.
        """
        found = await self._require_job(context.tenant_id, job_id)
        context.principal.require(scope_of(found.action))
        new_id = self._ids.new(IdPrefix.JOB)

        async def command(tx: Transaction) -> Job:
            done = await repository.get_job_locked(tx, job_id)
            if done is None:
                raise JobNotFound
            if done.undo_of is not None or done.action in NOT_UNDOABLE:
                raise JobNotUndoable
            if done.status in LIVE:
                raise JobNotEnded
            if await repository.get_undoing(tx, job_id) is not None:
                raise JobUndone
            now = self._clock.now_ms()
            selection = Selection(query=None, filters=None, parameters=Parameters(reason=body.reason))
            job = Job(
                id=new_id,
                status=JobStatus.RUNNING,
                action=done.action,
                parameters="{}",
                sealed_request=self._services.plans.seal(tx.tenant_id, new_id, selection),
                undo_of=job_id,
                key_id=context.principal.id,
                origin=_origin_of(context),
                users=done.changed,
                created_at=now,
                due_at=now,
            )
            await repository.update_kept(tx, job_id, now + JOB_MS)
            await self._insert(tx, context, job)
            return job

        job = await self._db.write(context.tenant_id, command, Job, idempotency=context.idempotency)
        return await self._shown(context.tenant_id, job)

    async def cancel_job(self, context: Context, job_id: str) -> ShownJobBody:
        """End a job after the step that it is in. Cancelled already: nothing changes. JobNotFound; JobEnded."""
        found = await self._require_job(context.tenant_id, job_id)
        context.principal.require(scope_of(found.action))

        async def command(tx: Transaction) -> Job:
            job = await repository.get_job_locked(tx, job_id)
            if job is None:
                raise JobNotFound
            if job.status is JobStatus.CANCELLED:
                return job
            if job.status not in LIVE:
                raise JobEnded
            now = self._clock.now_ms()
            cancelled = ended(job, JobStatus.CANCELLED, now)
            await repository.update_cancelled(tx, job_id, now, now + JOB_MS)
            await self._services.audit.record(tx, context, job_cancelled(cancelled))
            await close_plan(tx, self._services.plans, cancelled)
            return cancelled

        job = await self._db.write(context.tenant_id, command, Job, idempotency=context.idempotency)
        return await self._shown(context.tenant_id, job)

    async def get_job(self, tenant_id: str, job_id: str) -> ShownJobBody:
        """Return a job as it is now; JobNotFound."""
        return await self._shown(tenant_id, await self._require_job(tenant_id, job_id))

    async def list_jobs(self, tenant_id: str, query: ListJobsQuery) -> Page[JobBody]:
        """Return a page of jobs, newest first. InvalidCursor."""
        bound = ("jobs", query.status)
        after = None
        if query.cursor is not None:
            after = str(self._services.cursors.decode(tenant_id, bound, query.cursor)[0])

        async def read(reader: Reader) -> Page[JobBody]:
            total, found = await repository.list_jobs(reader, query.status, query.limit + 1, after)
            rows = [JobBody(**self._values_of(tenant_id, job)) for job in found[: query.limit]]
            more = len(found) > query.limit
            following = self._services.cursors.encode(tenant_id, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def report_job(self, tenant_id: str, job_id: str) -> AsyncGenerator[bytes, None]:
        """Return the lines of what became of each user so far, by id, some at a time; JobNotFound."""
        await self._require_job(tenant_id, job_id)
        return self._lines(tenant_id, job_id)

    async def _lines(self, tenant_id: str, job_id: str) -> AsyncGenerator[bytes, None]:
        after = ""
        while True:

            async def query(reader: Reader, after: str = after) -> list[Result]:
                return await repository.list_results(reader, job_id, after, _REPORT_ROWS)

            results = await self._db.read(tenant_id, query)
            if not results:
                return
            yield b"".join(_encode(_line_of(result)) + b"\n" for result in results)
            after = results[-1].user_id

    async def _is_unchanged(self, tenant_id: str, plan: Plan) -> bool:
        selection = self._services.plans.get_selection(tenant_id, plan)
        return selection is not None and await self._services.plans.is_unchanged(tenant_id, plan, selection, _no_beat)

    async def _insert(self, tx: Transaction, context: Context, job: Job, **told: bool) -> None:
        await repository.insert_job(tx, job)
        await self._services.audit.record(tx, context, job_started(job, **told))
        tenant_id = context.tenant_id
        tx.mark_due(job.created_at)
        tx.after_commit(lambda: self._services.bell.ring(tenant_id))

    async def _require_job(self, tenant_id: str, job_id: str) -> Job:
        if not is_id(job_id, IdPrefix.JOB):
            raise JobNotFound

        async def query(reader: Reader) -> Job | None:
            return await repository.get_job(reader, job_id)

        job = await self._db.read(tenant_id, query)
        if job is None:
            raise JobNotFound
        return job

    async def _shown(self, tenant_id: str, job: Job) -> ShownJobBody:
        async def query(reader: Reader) -> list[Result]:
            return await repository.list_failures(reader, job.id)

        failures = [_line_of(result) for result in await self._db.read(tenant_id, query)]
        return ShownJobBody(**self._values_of(tenant_id, job), failures=failures)

    def _values_of(self, tenant_id: str, job: Job) -> dict[str, Any]:
        parameters = kept_parameters(job.parameters)
        if job.sealed_request is not None:
            parameters = self._services.plans.open(tenant_id, job.id, job.sealed_request).parameters
        shown = {name: getattr(job, name) for name in JobBody.__struct_fields__ if name in Job.__struct_fields__}
        return {
            **shown,
            "parameters": parameters,
            "done": job.done,
            "gone": job.users - job.done if job.status is JobStatus.COMPLETED else 0,
            "created_by": job.key_id,
            "created_at": format_time(job.created_at),
            "started_at": format_optional_time(job.started_at),
            "ended_at": format_optional_time(job.ended_at),
        }


async def close_plan(tx: Transaction, plans: PlanService, job: Job) -> None:
    """Throw away what a job that has ended needed of its plan; one whose job did nothing may be run again."""
    tx.mark_due(job.purge_at or 0)
    if job.plan_id is None:
        return
    if job.stop_reason is StopReason.PLAN_CHANGED:
        await plans.set_free(tx, job.plan_id, job.id)
    else:
        await plans.set_over(tx, job.plan_id)


def ended(job: Job, status: JobStatus, now_ms: int) -> Job:
    """Return a job as it is when it has ended, without what could name somebody."""
    return msgspec.structs.replace(
        job, status=status, ended_at=now_ms, due_at=None, purge_at=now_ms + JOB_MS, sealed_request=None
    )


def _line_of(result: Result) -> ReportLine:
    return ReportLine(result.user_id, result.outcome, result.code)


def _origin_of(context: Context) -> str:
    origin = Origin(context.request_id, context.ip_address, context.user_agent, context.asserted)
    return _encode(origin).decode()


async def _no_beat() -> None:
    """Do nothing after a step."""
