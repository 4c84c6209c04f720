"""What imports say of themselves in the audit log, beside the entry of each user."""

from typing import Any

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.imports.schemas import Import
from hellojohn_server.kit.audit_types import AuditResult, AuditType, ResourceType


def import_started(one: Import) -> Event:
    """Return the entry of an import that begins."""
    return _event(AuditType.USERS_IMPORT_STARTED, one, {"content": one.content})


def import_resumed(one: Import) -> Event:
    """Return the entry of one that goes on."""
    return _event(AuditType.USERS_IMPORT_RESUMED, one, _counts(one))


def import_completed(one: Import) -> Event:
    """Return the entry of one whose file has been read to its end."""
    return _event(AuditType.USERS_IMPORT_COMPLETED, one, _counts(one))


def import_interrupted(one: Import) -> Event:
    """Return the entry of one that stopped before."""
    facts = {**_counts(one), "stopped": one.stopped_code}
    return _event(AuditType.USERS_IMPORT_INTERRUPTED, one, facts, result=AuditResult.FAILURE)


def _event(kind: AuditType, one: Import, facts: dict[str, Any], result: AuditResult = AuditResult.SUCCESS) -> Event:
    metadata = {"format": one.format, "dry_run": one.dry_run, **facts}
    return Event(kind, one.id, ResourceType.IMPORT, result=result, metadata=metadata)


def _counts(one: Import) -> dict[str, Any]:
    return {"rows": one.row_count, "imported": one.imported, "duplicates": one.duplicates, "refused": one.refused}
