"""What plans say of themselves in the audit log."""

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.selections.schemas import Action
from hellojohn_server.kit.audit_types import AuditType, ResourceType


def plan_created(plan_id: str, action: Action) -> Event:
    """Return the entry of a plan. The query and the reason, which may name somebody, are not in it."""
    return Event(AuditType.PLAN_CREATED, plan_id, ResourceType.PLAN, metadata={"action": action.value})
