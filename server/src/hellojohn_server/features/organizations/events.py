"""What acts on organizations say of themselves in the audit log. Entries on members are about the user."""

from typing import Any, Final

import msgspec

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.organizations.schemas import Membership, Organization
from hellojohn_server.kit.audit_types import AuditType, ResourceType

_FIELDS: Final = ("name", "slug")


def _changes(before: Organization | None, after: Organization | None) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    for field in _FIELDS:
        old, new = (None if one is None else getattr(one, field) for one in (before, after))
        if old != new:
            changes[field] = (old, new)
    old_keys, new_keys = _metadata(before), _metadata(after)
    for key in {**old_keys, **new_keys}:
        if msgspec.json.encode(old_keys.get(key)) != msgspec.json.encode(new_keys.get(key)):
            changes[f"metadata.{key}"] = (old_keys.get(key), new_keys.get(key))
    return changes


def _metadata(organization: Organization | None) -> dict[str, Any]:
    return {} if organization is None else msgspec.json.decode(organization.metadata, type=dict[str, Any])


def organization_created(organization: Organization) -> Event:
    """Return the entry of a new organization."""
    changes = _changes(None, organization)
    return _about(AuditType.ORGANIZATION_CREATED, organization.id, changes)


def organization_updated(before: Organization, after: Organization) -> Event:
    """Return the entry of a change; of metadata, the keys that differ."""
    return _about(AuditType.ORGANIZATION_UPDATED, after.id, _changes(before, after))


def organization_deleted(organization: Organization, members: int) -> Event:
    """Return the entry of an organization that is no more, and of how many members it had."""
    return _about(AuditType.ORGANIZATION_DELETED, organization.id, _changes(organization, None), {"members": members})


def member_added(membership: Membership, reason: str | None, invitation_id: str | None = None) -> Event:
    """Return the entry of a new member, who was added or came by an invitation."""
    metadata = {} if invitation_id is None else {"invitation_id": invitation_id}
    return _of_member(AuditType.ORGANIZATION_MEMBER_ADDED, membership, (None, membership.role), reason, metadata)


def member_updated(before: Membership, role: str, reason: str | None) -> Event:
    """Return the entry of a member's new role."""
    return _of_member(AuditType.ORGANIZATION_MEMBER_UPDATED, before, (before.role, role), reason)


def member_removed(before: Membership, reason: str | None) -> Event:
    """Return the entry of somebody who is a member no more, removed or gone."""
    return _of_member(AuditType.ORGANIZATION_MEMBER_REMOVED, before, (before.role, None), reason)


def _about(
    kind: AuditType, organization_id: str, changes: dict[str, tuple[Any, Any]], metadata: dict[str, Any] | None = None
) -> Event:
    return Event(
        kind,
        organization_id,
        ResourceType.ORGANIZATION,
        organization_id=organization_id,
        changes=changes,
        metadata=metadata or {},
    )


def _of_member(
    kind: AuditType,
    membership: Membership,
    role: tuple[str | None, str | None],
    reason: str | None,
    metadata: dict[str, Any] | None = None,
) -> Event:
    return Event(
        kind,
        membership.user_id,
        ResourceType.USER,
        organization_id=membership.organization_id,
        reason=reason,
        changes={"role": role},
        metadata=metadata or {},
    )
