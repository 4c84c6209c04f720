"""What a change of a tenant's settings says of itself in the audit log."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.tenant_settings.schemas import TenantConfig
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def config_updated(tenant_id: str, before: TenantConfig, after: TenantConfig) -> Event:
    """Return the entry of a change: each setting that differs, by its path (`impersonation.enabled`)."""
    old, new = dict(_settings_in(msgspec.to_builtins(before))), dict(_settings_in(msgspec.to_builtins(after)))
    changes = {path: (old.get(path), new.get(path)) for path in {**old, **new} if old.get(path) != new.get(path)}
    return Event(AuditType.CONFIG_UPDATED, tenant_id, ResourceType.TENANT, changes=changes)


def _settings_in(section: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _settings_in(cast("dict[str, Any]", value), f"{above}{name}.")
        else:
            yield f"{above}{name}", value
