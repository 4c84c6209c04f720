"""The rules of a tenant's settings: who may change which, and what a change answers."""

from msgspec import UNSET

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.tenant_settings import repository
from hellojohn_server.features.tenant_settings.events import config_updated
from hellojohn_server.features.tenant_settings.schemas import (
    ConfigBody,
    StoredConfig,
    TenantConfig,
    UpdateConfigBody,
    changed_config,
    config_body,
)
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.errors import NotAvailable, VersionMismatch
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Reader, Transaction


class TenantSettingsService:
    """The settings of one tenant at a time. They are read from the store each time, so a change holds at once."""

    def __init__(self, db: Database, clock: Clock, audit: AuditLog) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit

    async def get_settings(self, reader: Reader) -> TenantConfig:
        """Return the settings of the reader's tenant, for a rule of another feature."""
        return (await repository.get_config(reader)).config

    async def lock_settings(self, tx: Transaction) -> None:
        """Have `tx` wait for whoever holds the tenant's settings, and hold them: for what is counted in a tenant."""
        await repository.get_config_locked(tx)

    async def get_config(self, tenant_id: str) -> ConfigBody:
        """Return what is shown of a tenant's settings."""
        return config_body(await self._db.read(tenant_id, repository.get_config))

    async def get_allowed_origins(self, tenant_id: str) -> list[str]:
        """Return the origins whose pages may call with what belongs to the tenant's visitors."""
        return (await self._db.read(tenant_id, repository.get_config)).config.cors.allowed_origins

    async def update_config(self, context: Context, change: UpdateConfigBody) -> ConfigBody:
        """Change settings. All of them so far say whom to trust: that needs admins:manage, else InsufficientScope.

        What is so already changes nothing: no new version, no entry. NotAvailable; VersionMismatch. Changes at once run
        one after another.
        """
        if any(section is not UNSET for section in (change.impersonation, change.urls, change.cors)):
            context.principal.require(Scope.ADMINS_MANAGE)
        faults = faults_together(change)
        if faults:
            raise NotAvailable(details=faults)

        async def command(tx: Transaction) -> StoredConfig:
            before = await repository.get_config_locked(tx)
            if context.if_match is not None and context.if_match != before.version:
                raise VersionMismatch
            config = changed_config(before.config, change)
            if config == before.config:
                return before
            after = StoredConfig(config, self._clock.now_ms(), before.version + 1)
            await repository.update_config(tx, after)
            await self._audit.record(tx, context, config_updated(tx.tenant_id, before.config, config))
            return after

        stored = await self._db.write(context.tenant_id, command, StoredConfig, idempotency=context.idempotency)
        return config_body(stored)
