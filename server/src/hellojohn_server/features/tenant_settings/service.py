"""The rules of a tenant's settings: who may change which, and what a change answers."""

import asyncio

import msgspec
from msgspec import UNSET

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.tenant_settings import repository
from hellojohn_server.features.tenant_settings.events import config_updated
from hellojohn_server.features.tenant_settings.schemas import (
    ConfigBody,
    MfaChange,
    MfaRequirement,
    StoredConfig,
    TenantConfig,
    UpdateConfigBody,
    changed_config,
    changed_templates,
    config_body,
)
from hellojohn_server.kit.builtin_roles import BUILTIN_NAMES
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.mail_settings import OwnTexts
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
        return config_body(await self._db.read(tenant_id, repository.get_whole_config))

    async def get_own_texts(self, reader: Reader, template: EmailTemplate) -> OwnTexts | None:
        """Return what the tenant's own texts of a mail are; None when every one is the built-in one."""
        return await repository.get_template(reader, template)

    async def get_allowed_origins(self, tenant_id: str) -> list[str]:
        """Return the origins whose pages may call with what belongs to the tenant's visitors."""
        return (await self._db.read(tenant_id, repository.get_config)).config.cors.allowed_origins

    async def update_config(self, context: Context, change: UpdateConfigBody) -> ConfigBody:
        """Change settings. Sections that say whom to trust need admins:manage, else InsufficientScope.

        What is so already changes nothing: no new version, no entry. Invalid; VersionMismatch. Changes at once run one
        after another.
        """
        trusting = (change.impersonation, change.lockout, change.mail, change.urls, change.cors, change.mfa)
        if any(section is not UNSET for section in trusting):
            context.principal.require(Scope.ADMINS_MANAGE)
        faults = await asyncio.to_thread(faults_together, change)  # texts are parsed and rendered for it

        async def command(tx: Transaction) -> StoredConfig:
            before = await repository.get_config_locked(tx)
            all_faults = [*faults, *await _role_faults(tx, before.config, change)]
            if all_faults:
                raise Invalid(details=all_faults)
            if context.if_match is not None and context.if_match != before.version:
                raise VersionMismatch
            before = msgspec.structs.replace(before, templates=await repository.list_templates(tx))
            config, templates = changed_config(before.config, change), changed_templates(before.templates, change)
            if (config, templates) == (before.config, before.templates):
                return before
            after = StoredConfig(config, templates, self._clock.now_ms(), before.version + 1)
            await repository.update_config(tx, after)
            await repository.update_templates(tx, before.templates, templates, after.updated_at)
            await self._audit.record(tx, context, config_updated(tx.tenant_id, before, after))
            return after

        stored = await self._db.write(context.tenant_id, command, StoredConfig, idempotency=context.idempotency)
        return config_body(stored)


async def _role_faults(tx: Transaction, config: TenantConfig, change: UpdateConfigBody) -> list[FieldError]:
    """Return what is wrong with the roles that a change has a second factor asked of. The settings are locked."""
    if not isinstance(change.mfa, MfaChange):
        return []
    given = change.mfa.roles if isinstance(change.mfa.roles, list) else []
    own = sorted(set(given) - BUILTIN_NAMES)
    known = set(BUILTIN_NAMES)
    if own:
        known |= await repository.list_roles_locked(tx, own)
    faults = [
        FieldError(f"mfa.roles[{place}]", FieldCode.UNKNOWN, f"There is no role {name!r} of users.")
        for place, name in enumerate(given)
        if name not in known
    ]
    after = changed_config(config, change).mfa
    concerns_them = change.mfa.required is not UNSET or change.mfa.roles is not UNSET
    if concerns_them and after.required is MfaRequirement.ROLES and not after.roles:
        message = "Name the roles that a second factor is asked of, or send all or off as mfa.required."
        faults.append(FieldError("mfa.roles", FieldCode.REQUIRED, message))
    return faults
