"""What a change of a tenant's settings says of itself in the audit log."""

import hashlib
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.tenant_settings.schemas import StoredConfig
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def config_updated(tenant_id: str, before: StoredConfig, after: StoredConfig) -> Event:
    """Return the entry of a change: each setting that differs, by its path (`impersonation.enabled`).

    Of the texts of mails, which can be long, it has the length and a hash.
    """
    old, new = _facts_of(before), _facts_of(after)
    changes = {path: (old.get(path), new.get(path)) for path in {**old, **new} if old.get(path) != new.get(path)}
    return Event(AuditType.CONFIG_UPDATED, tenant_id, ResourceType.TENANT, changes=changes)


def _facts_of(stored: StoredConfig) -> dict[str, Any]:
    facts = dict(_settings_in(msgspec.to_builtins(stored.config)))
    texts = _settings_in(msgspec.to_builtins(stored.templates), "mail.templates.")
    return facts | {path: _told(source) for path, source in texts if source is not None}


def _told(source: str) -> str:
    return f"{len(source)} characters, sha256 {hashlib.sha256(source.encode()).hexdigest()[:16]}"


def _settings_in(section: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _settings_in(cast("dict[str, Any]", value), f"{above}{name}.")
        else:
            yield f"{above}{name}", value
