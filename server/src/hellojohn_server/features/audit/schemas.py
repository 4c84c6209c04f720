"""An audit entry as it is shown and as it is asked for."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn_server.features.audit.events import ActorValues, EntryCore, ResourceValues
from hellojohn_server.kit.addresses import parse_address
from hellojohn_server.kit.audit_types import AuditResult, AuditType
from hellojohn_server.kit.pagination import Cursor, Pagination
from hellojohn_server.kit.principal import ActorType
from hellojohn_server.kit.routing import checked_by
from hellojohn_server.kit.times import Moment, Timestamp, format_time

MAX_METADATA_BYTES: Final = 16_384

_BUILTIN: Final = frozenset(kind.value for kind in AuditType)


def action_fault(action: str) -> str | None:
    """Return why an application's own entry cannot have this type, or None."""
    return "Is the name of a built-in type; those are written by the service only." if action in _BUILTIN else None


def metadata_fault(metadata: dict[str, Any]) -> str | None:
    """Return why an entry cannot carry this metadata, or None."""
    if len(msgspec.json.encode(metadata)) > MAX_METADATA_BYTES:
        return f"Is longer than {MAX_METADATA_BYTES} bytes as compact JSON."
    return None


def address_fault(text: str) -> str | None:
    """Return why `text` is not an IP address, or None."""
    return "Is not an IP address, such as 192.0.2.1 or 2001:db8::1." if parse_address(text) is None else None


AuditLimit = Annotated[int, msgspec.Meta(ge=1, le=200, description="Entries per page")]
AnyId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
TypeFilter = Annotated[
    str,
    msgspec.Meta(
        max_length=100,
        pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?$(?!\n)",
        description="a type such as user.disabled, or every type that starts alike: user.*",
    ),
]
Action = Annotated[
    str,
    msgspec.Meta(
        max_length=100,
        pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$(?!\n)",
        description="words of a-z 0-9 _ - separated by dots, as in invoice.sent; not the name of a built-in type",
        extra=checked_by(action_fault),
    ),
]
AddressFilter = Annotated[str, msgspec.Meta(max_length=100, extra=checked_by(address_fault))]
EntryMetadata = Annotated[
    dict[str, Any], msgspec.Meta(description="At most 16 KiB of JSON", extra=checked_by(metadata_fault))
]
ClaimedActor = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class StoredEntry(msgspec.Struct, frozen=True):
    """An entry as it is read: its core, the side documents that still exist, and how often a denial was repeated."""

    core: EntryCore
    actor_document: str | None
    resource_document: str | None
    denials: int | None


class AuditActorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted: always the credential. `asserted` is what it said of the person behind it: shown, never trusted."""

    id: str
    type: ActorType
    name: str | None
    asserted: str | UnsetType = UNSET


class AuditPartyBody(msgspec.Struct, frozen=True):
    """The user in whose place the actor acted."""

    id: str
    type: ActorType


class AuditResourceBody(msgspec.Struct, frozen=True):
    """What was acted on."""

    id: str | None
    type: str | None


class AuditEntryBody(msgspec.Struct, frozen=True, kw_only=True):
    """An audit entry. `changes` maps a field to its old and its new value.

    Once a person it names is erased, `personal_data_erased` is true and the values about that person are null.
    """

    id: str
    type: str
    source: str
    actor: AuditActorBody
    on_behalf_of: AuditPartyBody | None
    resource: AuditResourceBody | None
    tenant_id: str
    organization_id: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str
    result: AuditResult
    reason: str | None
    changes: dict[str, tuple[Any, Any]] | None
    impersonated: bool
    metadata: dict[str, Any] | None
    personal_data_erased: bool
    created_at: Timestamp


class AuditListBody(msgspec.Struct, frozen=True):
    """Audit entries, newest first."""

    data: list[AuditEntryBody]
    pagination: Pagination


class ListAuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which entries, and which page of them. Several filters must all hold.

    `actor_id`: who acted, or on whose behalf. `user_id`: that, or whom it was done to. `from` is included, `to` is not.
    """

    limit: AuditLimit = 50
    cursor: Cursor | None = None
    actor_id: AnyId | None = None
    user_id: AnyId | None = None
    actor_type: ActorType | None = None
    type: TypeFilter | None = None
    result: AuditResult | None = None
    ip_address: AddressFilter | None = None
    resource_id: AnyId | None = None
    resource_type: AnyId | None = None
    from_: Moment | None = msgspec.field(default=None, name="from")
    to: Moment | None = None


class CreateAuditEntryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The application's own entry. The recorded actor is the credential; `actor` is kept as metadata.claimed_actor."""

    action: Action
    actor: ClaimedActor | None = None
    resource_id: AnyId | None = None
    metadata: EntryMetadata = {}


def entry_body(tenant_id: str, stored: StoredEntry) -> AuditEntryBody:
    """Return an entry as it is shown; a denial that was repeated says how often in metadata.denials."""
    core = stored.core
    actor = _actor_values(stored.actor_document)
    resource = _resource_values(stored.resource_document)
    metadata = None if resource is None else dict(resource.metadata)
    if metadata is not None and stored.denials is not None:
        metadata["denials"] = stored.denials
    on_behalf_of = None
    if core.on_behalf_of_id is not None and core.on_behalf_of_type is not None:
        on_behalf_of = AuditPartyBody(core.on_behalf_of_id, ActorType(core.on_behalf_of_type))
    has_resource = core.resource_id is not None or core.resource_type is not None
    return AuditEntryBody(
        id=core.id,
        type=core.type,
        source=core.source,
        actor=AuditActorBody(
            id=core.actor_id,
            type=ActorType(core.actor_type),
            name=None if actor is None else actor.name,
            asserted=UNSET if actor is None or actor.asserted is None else actor.asserted,
        ),
        on_behalf_of=on_behalf_of,
        resource=AuditResourceBody(core.resource_id, core.resource_type) if has_resource else None,
        tenant_id=tenant_id,
        organization_id=core.organization_id,
        ip_address=None if actor is None else actor.ip_address,
        user_agent=None if actor is None else actor.user_agent,
        request_id=core.request_id,
        result=AuditResult(core.result),
        reason=None if resource is None else resource.reason,
        changes=None if resource is None else dict(resource.changes),
        impersonated=core.impersonated,
        metadata=metadata,
        personal_data_erased=actor is None or resource is None,
        created_at=format_time(core.created_at),
    )


def _actor_values(document: str | None) -> ActorValues | None:
    return None if document is None else msgspec.json.decode(document, type=ActorValues)


def _resource_values(document: str | None) -> ResourceValues | None:
    return None if document is None else msgspec.json.decode(document, type=ResourceValues)
