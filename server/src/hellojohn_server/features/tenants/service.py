"""The rules of tenants.

A tenant spans two stores, the control store's row and its own store, and no transaction spans both. So making and
deleting one are states that a crash leaves standing and that anybody can finish: the row says `creating` until the
store exists, `deleting` until it is gone.
"""

from msgspec import UNSET
from msgspec.structs import replace

from hellojohn_server.features.audit.events import Changes, Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.revocation_log.schemas import LONGEST_TOKEN_MS, Revocation, RevocationType
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.tenants import repository
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.tenants.schemas import (
    CreateTenantBody,
    ListTenantsQuery,
    Tenant,
    TenantStatus,
    UpdateTenantBody,
)
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

_RESUMED_AT_ONCE = 1_000


class TenantService:
    """Tenants. Everything is written and audited in the control store."""

    def __init__(  # noqa: PLR0913 - what it takes
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        cursors: CursorCodec,
        *,
        revocations: RevocationLog,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._cursors = cursors
        self._revocations = revocations

    async def get_tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant as the control store has it now, in whatever status, or None."""
        if not is_id(tenant_id, IdPrefix.TENANT):
            return None

        async def query(reader: Reader) -> Tenant | None:
            return await repository.get_tenant(reader, tenant_id)

        return await self._db.read(CONTROL_TENANT_ID, query)

    async def require_tenant(self, tenant_id: str) -> Tenant:
        """Return a tenant that is not being deleted; TenantNotFound otherwise."""
        tenant = await self.get_tenant(tenant_id)
        if tenant is None or tenant.status is TenantStatus.DELETING:
            raise TenantNotFound
        return tenant

    async def require_open(self, tenant_id: str, environment: Environment | None = None) -> Tenant:
        """Return a tenant that may be worked in, read from the store each time.

        TenantNotFound when there is none, when it is still being made or already being deleted, and when it is not of
        `environment`; TenantSuspended while it is suspended.
        """
        tenant = await self.get_tenant(tenant_id)
        if tenant is None or environment not in {None, tenant.environment}:
            raise TenantNotFound
        if tenant.status is TenantStatus.SUSPENDED:
            raise TenantSuspended
        if tenant.status is not TenantStatus.ACTIVE:
            raise TenantNotFound
        return tenant

    async def list_tenants(self, query: ListTenantsQuery) -> Page[Tenant]:
        """Return a page of tenants, newest first. Those being deleted are not in it."""
        bound = ("tenants", query.status, query.environment)
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(CONTROL_TENANT_ID, bound, query.cursor)[0])
        status = None if query.status is None else TenantStatus(query.status.value)

        async def read(reader: Reader) -> Page[Tenant]:
            total, found = await repository.list_tenants(reader, query.limit + 1, status, query.environment, after)
            rows = list(found[: query.limit])
            more = len(found) > query.limit
            following = self._cursors.encode(CONTROL_TENANT_ID, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(CONTROL_TENANT_ID, read)

    async def create_tenant(self, context: Context, body: CreateTenantBody) -> Tenant:
        """Make a tenant and its store, and return it open.

        A crash between the two is finished by a retry under the same Idempotency-Key, or by `resume_creating`.
        """
        now = self._clock.now_ms()
        tenant = Tenant(
            id=self._ids.new(IdPrefix.TENANT),
            name=body.name,
            environment=body.environment,
            status=TenantStatus.CREATING,
            suspended_reason=None,
            created_at=now,
            updated_at=now,
            version=1,
        )
        changes = {"name": (None, tenant.name), "environment": (None, tenant.environment.value)}

        async def command(tx: Transaction) -> Tenant:
            await repository.insert_tenant(tx, tenant)
            await self._audit.record(tx, context, _event(AuditType.TENANT_CREATED, tenant.id, changes=changes))
            return tenant

        made = await self._db.write(CONTROL_TENANT_ID, command, Tenant, idempotency=context.idempotency)
        await self._settle(made.id)
        return replace(made, status=TenantStatus.ACTIVE)

    async def update_tenant(self, context: Context, tenant_id: str, body: UpdateTenantBody) -> Tenant:
        """Change what the body names. TenantNotFound; VersionMismatch when If-Match names another version."""
        _require_form(tenant_id)

        async def command(tx: Transaction) -> Tenant:
            tenant = await self._require_locked(tx, tenant_id)
            if context.if_match is not None and context.if_match != tenant.version:
                raise VersionMismatch
            if body.name is UNSET or body.name == tenant.name:
                return tenant
            changes = {"name": (tenant.name, body.name)}
            changed = await repository.update_tenant(tx, replace(tenant, name=body.name), self._clock.now_ms())
            await self._audit.record(tx, context, _event(AuditType.TENANT_UPDATED, tenant_id, changes=changes))
            return changed

        return await self._db.write(CONTROL_TENANT_ID, command, Tenant, idempotency=context.idempotency)

    async def suspend_tenant(self, context: Context, tenant_id: str, reason: str | None) -> Tenant:
        """Close a tenant to every credential of it, from the next request on. Already so: nothing changes."""
        _require_form(tenant_id)
        await self._settle(tenant_id)
        return await self._switch(context, tenant_id, TenantStatus.SUSPENDED, AuditType.TENANT_SUSPENDED, reason)

    async def resume_tenant(self, context: Context, tenant_id: str) -> Tenant:
        """Open a suspended tenant again. Already open: nothing changes."""
        _require_form(tenant_id)
        await self._settle(tenant_id)
        return await self._switch(context, tenant_id, TenantStatus.ACTIVE, AuditType.TENANT_RESUMED, None)

    async def delete_tenant(self, context: Context, tenant_id: str, confirm: str | None) -> None:
        """Destroy a tenant and everything in it, for good. Invalid unless `confirm` is the tenant's id.

        Returns when its store is gone. A crash on the way is finished by another call or at start; its audit entry is
        in the control store and stays.
        """
        if confirm != tenant_id:
            code = FieldCode.REQUIRED if confirm is None else FieldCode.INVALID
            message = "This destroys everything in the tenant. Send ?confirm=<the tenant's id> to say that it is meant."
            raise Invalid(details=[FieldError("confirm", code, message)])
        _require_form(tenant_id)

        async def command(tx: Transaction) -> None:
            tenant = await repository.get_tenant_locked(tx, tenant_id)
            if tenant is None:
                raise TenantNotFound
            if tenant.status is TenantStatus.DELETING:
                return
            deleting = replace(tenant, status=TenantStatus.DELETING)
            await repository.update_tenant(tx, deleting, self._clock.now_ms())
            await self._refuse_tokens(tx, tenant_id)
            changes = {"name": (tenant.name, None), "environment": (tenant.environment.value, None)}
            await self._audit.record(tx, context, _event(AuditType.TENANT_DELETED, tenant_id, changes=changes))

        await self._db.write(CONTROL_TENANT_ID, command, type(None), idempotency=context.idempotency)
        await self._settle(tenant_id)

    async def resume_creating(self) -> int:
        """Finish the tenants that a crash left without their store; return how many. Again is harmless."""
        return await self._settle_all(TenantStatus.CREATING)

    async def resume_deleting(self) -> int:
        """Finish the deletions that a crash left half done; return how many. Again is harmless."""
        return await self._settle_all(TenantStatus.DELETING)

    async def _switch(
        self, context: Context, tenant_id: str, status: TenantStatus, audit_type: AuditType, reason: str | None
    ) -> Tenant:
        async def command(tx: Transaction) -> Tenant:
            tenant = await self._require_locked(tx, tenant_id)
            if tenant.status is status:
                return tenant
            changed = replace(tenant, status=status, suspended_reason=reason)
            switched = await repository.update_tenant(tx, changed, self._clock.now_ms())
            if status is TenantStatus.SUSPENDED:
                await self._refuse_tokens(tx, tenant_id)
            changes = {"status": (tenant.status.value, status.value)}
            await self._audit.record(tx, context, _event(audit_type, tenant_id, changes=changes, reason=reason))
            return switched

        return await self._db.write(CONTROL_TENANT_ID, command, Tenant, idempotency=context.idempotency)

    async def _refuse_tokens(self, tx: Transaction, tenant_id: str) -> None:
        """Have verifiers refuse every token of a tenant that is out."""
        now = self._clock.now_ms()
        revoked = Revocation(RevocationType.TENANT, tenant_id, now, now + LONGEST_TOKEN_MS)
        await self._revocations.record(tx, [revoked])

    async def _require_locked(self, tx: Transaction, tenant_id: str) -> Tenant:
        tenant = await repository.get_tenant_locked(tx, tenant_id)
        if tenant is None or tenant.status is TenantStatus.DELETING:
            raise TenantNotFound
        return tenant

    async def _settle_all(self, status: TenantStatus) -> int:
        async def query(reader: Reader) -> list[str]:
            return list(await repository.list_ids_in_status(reader, status, _RESUMED_AT_ONCE))

        settled = 0
        while unfinished := await self._db.read(CONTROL_TENANT_ID, query):
            for tenant_id in unfinished:
                await self._settle(tenant_id)
            settled += len(unfinished)
        return settled

    async def _settle(self, tenant_id: str) -> None:
        """Finish what the row says is under way, if anything."""
        tenant = await self.get_tenant(tenant_id)
        if tenant is not None and tenant.status is TenantStatus.CREATING:
            await self._finish_creating(tenant_id)
        elif tenant is not None and tenant.status is TenantStatus.DELETING:
            await self._finish_deleting(tenant_id)

    async def _finish_creating(self, tenant_id: str) -> None:
        await self._db.create_tenant(tenant_id)

        async def activate(tx: Transaction) -> bool:
            return await repository.update_status(tx, tenant_id, TenantStatus.CREATING, TenantStatus.ACTIVE)

        if await self._db.write(CONTROL_TENANT_ID, activate, bool, exempt=Exempt.TENANT_STATE):
            return
        tenant = await self.get_tenant(tenant_id)
        if tenant is None or tenant.status is TenantStatus.DELETING:
            # Somebody else finished it and deleted it meanwhile: the store made here again is nobody's.
            await self._db.drop_tenant(tenant_id)

    async def _finish_deleting(self, tenant_id: str) -> None:
        await self._db.drop_tenant(tenant_id)

        async def remove(tx: Transaction) -> bool:
            return await repository.delete_tenant(tx, tenant_id)

        await self._db.write(CONTROL_TENANT_ID, remove, bool, exempt=Exempt.TENANT_STATE)


def _require_form(tenant_id: str) -> None:
    if not is_id(tenant_id, IdPrefix.TENANT):
        raise TenantNotFound


def _event(audit_type: AuditType, tenant_id: str, *, changes: Changes, reason: str | None = None) -> Event:
    return Event(audit_type, resource_id=tenant_id, resource_type=ResourceType.TENANT, changes=changes, reason=reason)
