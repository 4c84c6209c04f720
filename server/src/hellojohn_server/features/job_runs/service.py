"""How jobs are worked off, beside the server.

A step is one transaction: users are changed, each with the entry that the act alone has, what became of each is written
down, and the job says how far it has come. It is guarded by how far it had come before, so that of any number of
workers one does it, and whoever is killed over it is followed by somebody else who does it whole.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.job_runs import repository
from hellojohn_server.features.job_runs.events import job_completed, job_stopped
from hellojohn_server.features.jobs.schemas import (
    CHANGED_SINCE,
    LIVE,
    NO_LONGER_FOUND,
    Job,
    JobStatus,
    Origin,
    Outcome,
    Result,
    StopReason,
)
from hellojohn_server.features.jobs.service import JobServices, close_plan, ended
from hellojohn_server.features.keys.errors import ApiKeyExpired, InvalidApiKey
from hellojohn_server.features.password_reset.schemas import ForceResetBody
from hellojohn_server.features.plans.errors import PlanChanged
from hellojohn_server.features.plans.service import HOLD_MS
from hellojohn_server.features.selections.schemas import Selection
from hellojohn_server.features.selections.service import act_of
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.user_acts.service import Act
from hellojohn_server.features.user_acts.service import Outcome as Done
from hellojohn_server.features.user_changes.schemas import Mark
from hellojohn_server.features.user_changes.service import remembering, undo_of
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.errors import Unavailable, VersionMismatch
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context, system_context
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

_STEP_SECONDS: Final = 0.0025
"""How long a step is to take: others wait for it. At 20 ms the slowest hundredth of them took eight times as long."""
_FEWEST: Final = 20
_MOST: Final = 1_000
_FIRST: Final = 50
_TRIES: Final = 5
_RETRY_MS: Final = 10_000
_PURGE_ROWS: Final = 1_000

_log: Final = structlog.get_logger()
_encode: Final = msgspec.json.Encoder().encode


class _Lost(Exception):
    """Somebody else goes on with the job, or it has ended."""


class JobRunner:
    """Works jobs off, in any number of processes. `holder` names this one."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: JobServices) -> None:
        self._db = db
        self._clock = clock
        self._services = services
        self._ids = ids
        self.holder = ids.new(IdPrefix.JOB)
        self._size, self._sized_for = _FIRST, ""

    async def work(self, tenant_id: str, until: Callable[[], bool]) -> int | None:
        """Go on with what waits in a tenant until `until` says so; return when there is more, None when there is none.

        Plans that are being prepared, then jobs.
        """
        await self._services.plans.prepare_some(tenant_id, self.holder, until)
        now = self._clock.now_ms()

        async def claim(tx: Transaction) -> list[Job]:
            tx.mark_due(now + HOLD_MS)
            return await repository.claim_jobs(tx, self.holder, now, now + HOLD_MS)

        if await self._db.read(tenant_id, repository.get_next_due) is not None:
            for job in await self._db.write(tenant_id, claim, list[Job], exempt=Exempt.OUTBOX_CLAIM):
                await self._try(tenant_id, job, until)
        return await self._db.read(tenant_id, self._next_at)

    async def ring_if_due(self, tenant_id: str, now_ms: int) -> None:
        """Wake who works jobs off, if there are any in the tenant; also those that another process left."""
        del now_ms
        if await self._db.read(tenant_id, self.get_next_due) is not None:
            self._services.bell.ring(tenant_id)

    async def get_next_due(self, reader: Reader) -> int | None:
        """Return when the next plan or job can be gone on with."""
        due = (await repository.get_next_due(reader), await self._services.plans.get_next_due(reader))
        return min((at for at in due if at is not None), default=None)

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the next job is to be thrown away."""
        return await repository.get_next_purge(reader)

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Throw away the jobs whose time is over, with their reports."""

        async def purge_some(tx: Transaction) -> bool:
            job_id = await repository.get_overdue(tx, now_ms)
            if job_id is not None and await repository.delete_results(tx, job_id, _PURGE_ROWS) < _PURGE_ROWS:
                await repository.delete_job(tx, job_id)
            return True

        async def first(reader: Reader) -> int | None:
            return await repository.get_next_purge(reader, now_ms)

        while await self._db.read(tenant_id, first) is not None:
            await self._db.write(tenant_id, purge_some, bool, exempt=Exempt.HOUSEKEEPING)

    async def _next_at(self, reader: Reader) -> int | None:
        if await repository.get_held(reader, self.holder) is not None:
            return self._clock.now_ms()
        return await self.get_next_due(reader)

    async def _try(self, tenant_id: str, job: Job, until: Callable[[], bool]) -> None:
        """Go on with a job; what it meets ends it, or has it tried again later."""
        try:
            await self._advance(tenant_id, job, until)
        except (_Lost, TenantNotFound):
            return
        except (InvalidApiKey, ApiKeyExpired, TenantSuspended, MailNotConfigured, PlanChanged) as reason:
            await self._stop(tenant_id, job.id, _STOPPED_BY[type(reason)])
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - other jobs go on whatever one meets; the log has the cause
            _log.exception("a job failed", tenant_id=tenant_id, job_id=job.id)
            await self._stop(tenant_id, job.id, StopReason.ERROR, tries=_TRIES)

    async def _advance(self, tenant_id: str, job: Job, until: Callable[[], bool]) -> None:
        if job.id != self._sized_for:  # what a user costs differs by act
            self._size, self._sized_for = _FIRST, job.id
        await self._services.tenants.require_open(tenant_id)
        principal = await self._services.keys.require_acting(tenant_id, job.key_id)
        origin = msgspec.json.decode(job.origin, type=Origin)
        context = Context(principal, origin.request_id, origin.ip_address, origin.user_agent, origin.asserted)
        selection = self._services.plans.open(tenant_id, job.id, job.sealed_request or b"")
        if job.status is JobStatus.CHECKING:
            job = await self._check(tenant_id, job, selection)
        while True:
            following = await self._step(tenant_id, context, job, selection)
            if following is None or until():
                return
            job = following
            await self._services.tenants.require_open(tenant_id)

    async def _check(self, tenant_id: str, job: Job, selection: Selection) -> Job:
        """Compare a large plan with how things are now; PlanChanged."""
        plan = await self._services.plans.require_plan(tenant_id, job.plan_id or "")

        async def beat() -> None:
            await self._write(tenant_id, job, msgspec.structs.replace(job, due_at=self._clock.now_ms() + HOLD_MS))

        if not await self._services.plans.is_unchanged(tenant_id, plan, selection, beat):
            raise PlanChanged
        return await self._write(tenant_id, job, msgspec.structs.replace(job, status=JobStatus.RUNNING))

    async def _write(self, tenant_id: str, before: Job, after: Job) -> Job:
        async def command(tx: Transaction) -> Job:
            if not await repository.update_step(tx, before, after):
                raise _Lost
            if after.due_at is not None:
                tx.mark_due(after.due_at)
            return after

        return await self._db.write(tenant_id, command, Job, exempt=Exempt.OUTBOX_CLAIM)

    async def _step(self, tenant_id: str, context: Context, job: Job, selection: Selection) -> Job | None:
        """Do it to the next users; None when it has come to the end."""
        user_ids, act = await self._next(tenant_id, context, job, selection)
        if not user_ids:
            await self._complete(tenant_id, context, job)
            return None
        took = 0.0

        async def command(tx: Transaction) -> Job:
            nonlocal took
            started = time.perf_counter()
            found = await self._services.selections.list_still_found(tx, selection, user_ids)
            done = await self._services.acts.perform(tx, context, act, [one for one in user_ids if one in found])
            results = _results_of(act, done, [one for one in user_ids if one not in found])
            await self._services.keys.require_alive(tx, job.key_id)
            after = self._stepped(job, done, results, user_ids[-1])
            if not await repository.update_step(tx, job, after):
                raise _Lost
            await repository.insert_results(tx, job.id, results)
            tx.mark_due(after.due_at or 0)
            took = time.perf_counter() - started
            return after

        after = await self._db.write(tenant_id, command, Job, exempt=Exempt.OUTBOX_CLAIM)
        self._size = _next_size(len(user_ids), took)
        return after

    async def _next(self, tenant_id: str, context: Context, job: Job, selection: Selection) -> tuple[list[str], Act]:
        """Return the next users, and the act for them."""

        async def next_users(reader: Reader) -> list[str]:
            return await self._services.plans.list_next_users(reader, job.plan_id or "", job.place, self._size)

        async def next_marks(reader: Reader) -> list[Mark]:
            return await repository.list_changed(reader, job.undo_of or "", job.place, self._size)

        parameters = selection.parameters
        if job.undo_of is not None:
            marks = await self._db.read(tenant_id, next_marks)
            return [mark.user_id for mark in marks], undo_of(job.action.value, parameters.reason, marks)
        user_ids = await self._db.read(tenant_id, next_users)
        act = act_of(job.action, parameters, job.created_at)
        if act is None:
            body = ForceResetBody(
                reason=parameters.reason,
                require=parameters.require is not False,
                revoke_sessions=parameters.revoke_sessions is True,
            )
            act = await self._services.resets.forcing(context, user_ids, body)
        return user_ids, act

    def _stepped(self, job: Job, done: Done, results: Sequence[Result], place: str) -> Job:
        now = self._clock.now_ms()
        outcomes = [result.outcome for result in results]
        return msgspec.structs.replace(
            job,
            changed=job.changed + outcomes.count(Outcome.CHANGED),
            unchanged=job.unchanged + outcomes.count(Outcome.UNCHANGED),
            skipped=job.skipped + outcomes.count(Outcome.SKIPPED),
            failed=job.failed + outcomes.count(Outcome.FAILED),
            sessions_revoked=job.sessions_revoked + done.revocation.sessions_revoked,
            place=place,
            attempts=0,
            started_at=job.started_at or now,
            due_at=now + HOLD_MS,
        )

    async def _complete(self, tenant_id: str, context: Context, job: Job) -> None:
        async def command(tx: Transaction) -> None:
            completed = ended(job, JobStatus.COMPLETED, self._clock.now_ms())
            if not await repository.update_step(tx, job, completed):
                raise _Lost
            await self._services.audit.record(tx, context, job_completed(completed))
            await close_plan(tx, self._services.plans, completed)

        await self._db.write(tenant_id, command, type(None))

    async def _stop(self, tenant_id: str, job_id: str, reason: StopReason, tries: int = 1) -> None:
        """Stop a job at its `tries`th failure without a step between; before, have it tried again later."""
        context = system_context(self._ids.new(IdPrefix.REQUEST), tenant_id)

        async def command(tx: Transaction) -> None:
            job = await repository.get_job_locked(tx, job_id)
            if job is None or job.status not in LIVE:
                return
            now = self._clock.now_ms()
            if job.attempts + 1 < tries:
                later = msgspec.structs.replace(job, attempts=job.attempts + 1, due_at=now + _RETRY_MS)
                await repository.update_step(tx, job, later)
                tx.mark_due(now + _RETRY_MS)
                return
            stopped = msgspec.structs.replace(ended(job, JobStatus.STOPPED, now), stop_reason=reason)
            await repository.update_step(tx, job, stopped)
            await self._services.audit.record(tx, context, job_stopped(stopped))
            await close_plan(tx, self._services.plans, stopped)

        await self._db.write(tenant_id, command, type(None), exempt=Exempt.OUTBOX_CLAIM)


_STOPPED_BY: Final = {
    ApiKeyExpired: StopReason.KEY_EXPIRED,
    InvalidApiKey: StopReason.KEY_REVOKED,
    MailNotConfigured: StopReason.MAIL_NOT_CONFIGURED,
    PlanChanged: StopReason.PLAN_CHANGED,
    TenantSuspended: StopReason.TENANT_SUSPENDED,
}


def _results_of(act: Act, done: Done, not_found: Sequence[str]) -> list[Result]:
    """Return what became of each user who is there still."""
    results = [Result(user_id, Outcome.SKIPPED, NO_LONGER_FOUND) for user_id in not_found]
    for refused in done.refused:
        if isinstance(refused.error, VersionMismatch):
            results.append(Result(refused.user_id, Outcome.SKIPPED, CHANGED_SINCE))
        else:
            results.append(Result(refused.user_id, Outcome.FAILED, refused.error.code.value))
    remember = remembering(act)
    for case in done.cases:
        user_id = case.before.id
        if user_id in done.changed:
            was = None if remember is None else _encode(remember(case)).decode()
            results.append(Result(user_id, Outcome.CHANGED, None, case.after.version, was))
        else:
            results.append(Result(user_id, Outcome.UNCHANGED))
    return results


def _next_size(size: int, took: float) -> int:
    """Return for how many users the next step is, when one of `size` took so many seconds."""
    factor = min(max(_STEP_SECONDS / max(took, 0.000_1), 0.5), 2)
    return min(max(round(size * factor), _FEWEST), _MOST)
