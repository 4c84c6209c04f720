"""The rules of plans: whom an act would be done to, frozen, and whether it would be the same ones now.

A plan that finds more than MAX_IDS users is prepared by the worker, some thousands at a time: short reads, and a short
write for each with the place that was come to, so that whoever is killed over it is followed by somebody else.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.plans import repository
from hellojohn_server.features.plans.errors import PlanExpired, PlanNotFound, PlanNotReady, PlanUsed
from hellojohn_server.features.plans.events import plan_created
from hellojohn_server.features.plans.schemas import (
    MAX_IDS,
    SAMPLES,
    CreatePlanBody,
    ExclusionBody,
    Plan,
    PlanBody,
    PlanStatus,
    SampleBody,
)
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.search.schemas import Place
from hellojohn_server.features.selections.schemas import (
    NAMES_NOBODY,
    Action,
    Exclusion,
    Judged,
    Parameters,
    Selection,
    Target,
    scope_of,
)
from hellojohn_server.features.selections.service import CHUNK, SelectionService, act_of
from hellojohn_server.features.users.schemas import User, status_of
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import ErrorCode, FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, Unavailable
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.principal import Context, Principal
from hellojohn_server.kit.retention import JOB_MS, PLAN_MS
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.secrets import Sealer
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

HOLD_MS: Final = 5_000
"""For how long who works on a plan or a job holds it; each step takes as long anew."""
_AT_A_TIME: Final = 500
_WALKED: Final = '"walked"'
"""The place of a plan that has found everybody."""
_PURGE_ROWS: Final = 1_000

_log: Final = structlog.get_logger()


class Digest(Protocol):
    """What a hash is computed with."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class PlanServices(msgspec.Struct, frozen=True):
    """The services that plans stand on."""

    audit: AuditLog
    emails: EmailService
    roles: RoleService
    selections: SelectionService
    sealer: Sealer
    bell: Bell


class PlanService:
    """Plans of one tenant at a time."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: PlanServices) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services

    async def create_plan(self, context: Context, body: CreatePlanBody) -> PlanBody:
        """Make a plan: ready at once if it finds at most MAX_IDS users, else prepared by the worker.

        InsufficientScope without the scope of the act, and for a privileged role without admins:manage; Invalid;
        MailNotConfigured.
        """
        context.principal.require(scope_of(body.action))
        await self._require_sound(context, body)
        selection = Selection(query=body.query, filters=body.filters, parameters=body.parameters)
        target = Target(body.action, selection, context.principal.may(Scope.ADMINS_MANAGE))
        found = await self._try(context.tenant_id, target, body.user_ids)
        plan_id = self._ids.new(IdPrefix.PLAN)

        async def command(tx: Transaction) -> Plan:
            now = self._clock.now_ms()
            plan = Plan(
                id=plan_id,
                status=PlanStatus.PREPARING,
                action=body.action,
                parameters=_encoded({name: getattr(body.parameters, name) for name in NAMES_NOBODY}),
                sealed_request=self.seal(tx.tenant_id, plan_id, selection),
                key_id=context.principal.id,
                manages=target.manages,
                created_at=now,
                expires_at=now + PLAN_MS,
                due_at=now,
                purge_at=now + PLAN_MS,
            )
            if found is not None:
                plan = await self._complete(tx, plan, found)
            await repository.insert_plan(tx, plan)
            await self._services.audit.record(tx, context, plan_created(plan_id, body.action))
            tx.mark_due(now if found is None else now + PLAN_MS)
            if found is None:
                tx.after_commit(lambda: self._services.bell.ring(context.tenant_id))
            return plan

        plan = await self._db.write(context.tenant_id, command, Plan, idempotency=context.idempotency)
        return await self._shown(context, plan)

    async def get_plan(self, context: Context, plan_id: str) -> PlanBody:
        """Return a plan as it is now; PlanNotFound."""
        return await self._shown(context, await self.require_plan(context.tenant_id, plan_id))

    async def require_plan(self, tenant_id: str, plan_id: str) -> Plan:
        """Return a plan; PlanNotFound when the tenant has none of that id."""
        if not is_id(plan_id, IdPrefix.PLAN):
            raise PlanNotFound

        async def query(reader: Reader) -> Plan | None:
            return await repository.get_plan(reader, plan_id)

        plan = await self._db.read(tenant_id, query)
        if plan is None:
            raise PlanNotFound
        return plan

    def get_selection(self, tenant_id: str, plan: Plan) -> Selection | None:
        """Return what a plan was asked with, or None when it cannot be run."""
        is_runnable = self._status_of(plan) is PlanStatus.READY and plan.sealed_request is not None
        return self.open(tenant_id, plan.id, plan.sealed_request or b"") if is_runnable else None

    async def use(self, tx: Transaction, plan: Plan, job_id: str) -> Selection:
        """Have a job run a plan: of any number at once, one. Return what it was asked with.

        PlanUsed, PlanExpired or PlanNotReady when it cannot be run.
        """
        now = self._clock.now_ms()
        is_taken = await repository.consume_plan(tx, plan.id, job_id, now)
        found = await repository.get_plan(tx, plan.id)
        if is_taken and found is not None and found.sealed_request is not None:
            return self.open(tx.tenant_id, found.id, found.sealed_request)
        status = PlanStatus.EXPIRED if found is None else self._status_of(found)
        if status is PlanStatus.USED:
            raise PlanUsed
        raise PlanExpired if status is PlanStatus.EXPIRED else PlanNotReady

    async def set_free(self, tx: Transaction, plan_id: str, job_id: str) -> None:
        """Have a plan be run by another job, as this one did nothing."""
        await repository.update_free(tx, plan_id, job_id)

    async def set_over(self, tx: Transaction, plan_id: str) -> None:
        """Note that the job of a plan has ended: its users are thrown away, and with what it was asked."""
        now = self._clock.now_ms()
        await repository.update_over(tx, plan_id, now)
        tx.mark_due(now)

    async def list_next_users(self, reader: Reader, plan_id: str, after: str, rows: int) -> list[str]:
        """Return up to `rows` of the users to whom it would be done, by id, beyond `after`."""
        return await repository.list_next_users(reader, plan_id, after, rows)

    async def is_unchanged(
        self, tenant_id: str, plan: Plan, selection: Selection, beat: Callable[[], Awaitable[None]]
    ) -> bool:
        """Say whether it would be done to the same users now. `beat` is called after each of many steps."""
        found = 0
        async for judged in self._judgements(tenant_id, plan, selection):

            async def count(reader: Reader, chosen: Sequence[str] = judged.chosen) -> int:
                return await repository.count_among(reader, plan.id, chosen)

            known = await self._db.read(tenant_id, count, long=True)
            if known != len(judged.chosen):
                return False
            found += known
            await beat()
        return found == plan.users

    async def prepare_some(self, tenant_id: str, holder: str, until: Callable[[], bool]) -> None:
        """Go on preparing a plan that waits, if one does, until it is ready or `until` says so."""
        now = self._clock.now_ms()

        async def due(reader: Reader) -> int | None:
            return await repository.get_next_due(reader)

        if await self._db.read(tenant_id, due) is None:
            return

        async def claim(tx: Transaction) -> list[Plan]:
            tx.mark_due(now + HOLD_MS)
            return await repository.claim_plans(tx, holder, now, now + HOLD_MS)

        for plan in await self._db.write(tenant_id, claim, list[Plan], exempt=Exempt.OUTBOX_CLAIM):
            try:
                await self._prepare(tenant_id, plan, until)
            except Unavailable:
                raise
            except Exception:  # noqa: BLE001 - the plan says so; the log has the cause
                _log.exception("preparing a plan failed", tenant_id=tenant_id, plan_id=plan.id)
                error = ErrorCode.INTERNAL_ERROR.value
                failed = msgspec.structs.replace(plan, status=PlanStatus.FAILED, error=error, due_at=None)
                await self._step(tenant_id, plan, failed, Judged())

    async def get_next_due(self, reader: Reader) -> int | None:
        """Return when a plan is to be prepared."""
        return await repository.get_next_due(reader)

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when something of a plan is to be thrown away."""
        return await repository.get_next_purge(reader)

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Throw away what is over: the users of plans that were run or have expired, then the plans."""

        async def purge_some(tx: Transaction) -> bool:
            plan = await repository.get_overdue(tx, now_ms)
            if plan is None:
                return False
            if await repository.delete_plan_users(tx, plan.id, _PURGE_ROWS) == _PURGE_ROWS:
                return True
            if plan.job_id is None or plan.sealed_request is None:
                await repository.delete_plan(tx, plan.id)
            else:
                await repository.update_emptied(tx, plan.id, now_ms + JOB_MS)
            return True

        async def first(reader: Reader) -> int | None:
            return await repository.get_next_purge(reader, now_ms)

        while await self._db.read(tenant_id, first) is not None:
            await self._db.write(tenant_id, purge_some, bool, exempt=Exempt.HOUSEKEEPING)

    def seal(self, tenant_id: str, row_id: str, selection: Selection) -> bytes:
        """Return what a plan or job was asked with, sealed for its row."""
        return self._services.sealer.seal(msgspec.json.encode(selection), tenant_id, "plans", row_id, "sealed_request")

    def open(self, tenant_id: str, row_id: str, sealed: bytes) -> Selection:
        """Return what a plan or job was asked with."""
        opened = self._services.sealer.open(sealed, tenant_id, "plans", row_id, "sealed_request")
        return msgspec.json.decode(opened, type=Selection)

    def _status_of(self, plan: Plan) -> PlanStatus:
        if plan.job_id is not None:
            return PlanStatus.USED
        return PlanStatus.EXPIRED if plan.expires_at <= self._clock.now_ms() else plan.status

    async def _require_sound(self, context: Context, body: CreatePlanBody) -> None:
        faults = faults_together(body)
        role = body.parameters.role
        if role is not None:

            async def query(reader: Reader) -> dict[str, bool]:
                return await self._services.roles.list_privileges(reader, [role])

            privileges = await self._db.read(context.tenant_id, query)
            if role not in privileges:
                faults.append(FieldError("parameters.role", FieldCode.UNKNOWN, "There is no such role."))
            elif privileges[role]:
                context.principal.require(Scope.ADMINS_MANAGE)
        if faults:
            raise Invalid(details=faults)
        act_of(body.action, body.parameters, self._clock.now_ms())
        if body.action is Action.PASSWORD_RESET:
            self._services.emails.require_configured()

    async def _try(self, tenant_id: str, target: Target, named: Sequence[str] | None) -> Judged | None:
        """Return everybody whom a plan finds; None when they are more than MAX_IDS."""
        if named is not None:
            return await self._services.selections.judge_ids(tenant_id, target, list(dict.fromkeys(named)))
        whole = Judged()
        async for judged, _ in self._services.selections.walk(tenant_id, target, None):
            whole.add(judged)
            if whole.matched > MAX_IDS:
                return None
        return whole

    async def _judgements(self, tenant_id: str, plan: Plan, selection: Selection) -> AsyncGenerator[Judged, None]:
        """Yield what is found now, some at a time: by the query, or of the plan's users if they were named."""
        target = Target(plan.action, selection, plan.manages)
        if not selection.is_by_ids:
            async for judged, _ in self._services.selections.walk(tenant_id, target, None):
                yield judged
            return
        async for user_ids in self._chunks(tenant_id, plan.id):
            yield await self._services.selections.judge_ids(tenant_id, target, user_ids)

    async def _chunks(self, tenant_id: str, plan_id: str) -> AsyncGenerator[list[str], None]:
        """Yield the users to whom it would be done, by id, some at a time."""
        after = ""
        while True:

            async def query(reader: Reader, after: str = after) -> list[str]:
                return await repository.list_next_users(reader, plan_id, after, CHUNK)

            user_ids = await self._db.read(tenant_id, query, long=True)
            if user_ids:
                yield user_ids
            if len(user_ids) < CHUNK:
                return
            after = user_ids[-1]

    async def _prepare(self, tenant_id: str, plan: Plan, until: Callable[[], bool]) -> None:
        if plan.place != _WALKED:
            selection = self.open(tenant_id, plan.id, plan.sealed_request or b"")
            start = None if plan.place is None else msgspec.json.decode(plan.place, type=Place)
            target = Target(plan.action, selection, plan.manages)
            async for judged, place in self._services.selections.walk(tenant_id, target, start):
                after = _advanced(plan, judged, _WALKED if place is None else _encoded(place))
                after = msgspec.structs.replace(after, due_at=self._clock.now_ms() + HOLD_MS)
                if not await self._step(tenant_id, plan, after, judged):
                    return
                plan = after
                if until():
                    return
        hashed = await self._hash(tenant_id, plan)
        ready = msgspec.structs.replace(plan, status=PlanStatus.READY, hash=hashed, due_at=None)
        await self._step(tenant_id, plan, ready, Judged())

    async def _step(self, tenant_id: str, before: Plan, after: Plan, judged: Judged) -> bool:
        async def command(tx: Transaction) -> bool:
            if not await repository.update_step(tx, before, after):
                return False
            await _insert(tx, before, judged)
            if after.due_at is not None:
                tx.mark_due(after.due_at)
            return True

        return await self._db.write(tenant_id, command, bool, exempt=Exempt.OUTBOX_CLAIM)

    async def _complete(self, tx: Transaction, plan: Plan, found: Judged) -> Plan:
        """Write the users of a plan that found all of them, and return it as it is then."""
        await _insert(tx, plan, found)
        digest = hashlib.sha256()
        _add(digest, sorted(found.chosen))
        ready = _advanced(plan, found, _WALKED)
        return msgspec.structs.replace(ready, status=PlanStatus.READY, hash=digest.hexdigest(), due_at=None)

    async def _hash(self, tenant_id: str, plan: Plan) -> str:
        digest = hashlib.sha256()
        async for user_ids in self._chunks(tenant_id, plan.id):
            _add(digest, user_ids)
        return digest.hexdigest()

    async def _shown(self, context: Context, plan: Plan) -> PlanBody:
        async def query(reader: Reader) -> tuple[list[User], list[tuple[Exclusion, str]]]:
            return await repository.list_samples(reader, plan.id), await repository.list_excluded(reader, plan.id)

        users, left_out = await self._db.read(context.tenant_id, query)
        selection = self._selection_of(context.tenant_id, plan)
        counts = msgspec.json.decode(plan.excluded, type=dict[Exclusion, int])
        now = self._clock.now_ms()
        return PlanBody(
            id=plan.id,
            status=self._status_of(plan),
            action=plan.action,
            query=selection.query,
            filters=selection.filters,
            parameters=selection.parameters,
            matched=plan.matched,
            users=plan.users,
            hash=plan.hash,
            samples=[_sample_of(user, context.principal, now) for user in users],
            excluded=[
                ExclusionBody(reason, count, [user_id for why, user_id in left_out if why is reason])
                for reason, count in sorted(counts.items())
            ],
            error=plan.error,
            job_id=plan.job_id,
            created_by=plan.key_id,
            created_at=format_time(plan.created_at),
            expires_at=format_time(plan.expires_at),
        )

    def _selection_of(self, tenant_id: str, plan: Plan) -> Selection:
        """Return what a plan was asked with, or what is left of it."""
        if plan.sealed_request is None or self._status_of(plan) is PlanStatus.EXPIRED:
            return Selection(query=None, filters=None, parameters=kept_parameters(plan.parameters))
        return self.open(tenant_id, plan.id, plan.sealed_request)


def kept_parameters(parameters: str) -> Parameters:
    """Return the parameters that are kept when what can name somebody is destroyed."""
    return msgspec.json.decode(parameters, type=Parameters)


def _add(digest: Digest, user_ids: Sequence[str]) -> None:
    """Add ids, which come in order, to the hash of a plan."""
    digest.update("".join(f"{user_id}\n" for user_id in user_ids).encode())


async def _insert(tx: Transaction, plan: Plan, judged: Judged) -> None:
    """Insert what is new of a plan's users: of those left out, up to SAMPLES for each reason."""
    counts = msgspec.json.decode(plan.excluded, type=dict[str, int])
    for start in range(0, len(judged.chosen), _AT_A_TIME):
        await repository.insert_plan_users(tx, plan.id, judged.chosen[start : start + _AT_A_TIME])
        await tx.slice()
    for reason, user_ids in judged.excluded.items():
        wellformed = [user_id for user_id in user_ids if is_id(user_id, IdPrefix.USER)]
        room = max(SAMPLES - counts.get(reason, 0), 0)
        await repository.insert_plan_users(tx, plan.id, wellformed[:room], reason)


def _advanced(plan: Plan, judged: Judged, place: str) -> Plan:
    """Return a plan with what came of further users."""
    counts = Counter(msgspec.json.decode(plan.excluded, type=dict[str, int]))
    counts.update({reason.value: len(user_ids) for reason, user_ids in judged.excluded.items()})
    return msgspec.structs.replace(
        plan,
        matched=plan.matched + judged.matched,
        users=plan.users + len(judged.chosen),
        excluded=_encoded(counts),
        place=place,
    )


def _sample_of(user: User, principal: Principal, now_ms: int) -> SampleBody:
    if not principal.may(Scope.USERS_READ):
        return SampleBody(user.id, None, None, None, None)
    return SampleBody(user.id, user.email, user.name, user.role, status_of(user, now_ms))


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
