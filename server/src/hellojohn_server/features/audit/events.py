"""What a command says of itself for the audit log, and the one documented form that an entry is hashed in.

docs/audit.md describes the canonical form and publishes a test vector. The side documents (what is personal) are hashed
as the exact bytes stored, SHA-256 over salt and document; the core carries those hashes, so destroying a side row
breaks nothing and altering one shows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from hellojohn_server.kit.audit_types import AuditResult, AuditSource, AuditType, ResourceType

SALT_BYTES: Final = 16
Changes: TypeAlias = Mapping[str, tuple[Any, Any]]


class Event(msgspec.Struct, frozen=True):
    """One act to record. `changes` maps a field to its (old, new) values and never holds a secret.

    `type` is an AuditType for built-in entries, free text for custom ones.
    """

    type: AuditType | str
    resource_id: str | None = None
    resource_type: ResourceType | str | None = None
    organization_id: str | None = None
    result: AuditResult = AuditResult.SUCCESS
    source: AuditSource = AuditSource.BUILTIN
    reason: str | None = None
    changes: Changes = {}
    metadata: Mapping[str, Any] = {}


class Part(StrEnum):
    """Which side of an entry a side row holds: about who acted, or about what was acted on."""

    ACTOR = "actor"
    RESOURCE = "resource"


class PartState(StrEnum):
    """What became of a side row: as recorded, destroyed (its person was erased), or altered behind our back."""

    ALTERED = "altered"
    DESTROYED = "destroyed"
    INTACT = "intact"


class EntryCore(msgspec.Struct, frozen=True):
    """The immutable core of an entry: ids, types, the time in milliseconds, and the hashes of its side rows."""

    id: str
    type: str
    source: str
    actor_id: str
    actor_type: str
    on_behalf_of_id: str | None
    on_behalf_of_type: str | None
    resource_id: str | None
    resource_type: str | None
    organization_id: str | None
    request_id: str
    result: str
    impersonated: bool
    created_at: int
    actor_hash: str
    resource_hash: str


class SideRow(msgspec.Struct, frozen=True):
    """The personal side of an entry, one row a part. `subject_id` is the person or thing that `document` is about."""

    entry_id: str
    part: Part
    subject_id: str | None
    salt: bytes
    document: str
    ip_address: str | None


class ActorValues(msgspec.Struct, frozen=True):
    """The personal values about who acted; the side document of part "actor"."""

    name: str | None
    asserted: str | None
    ip_address: str | None
    user_agent: str | None


class ResourceValues(msgspec.Struct, frozen=True):
    """The personal values about what was acted on; the side document of part "resource"."""

    reason: str | None
    changes: Mapping[str, tuple[Any, Any]]
    metadata: Mapping[str, Any]


def document_of(values: ActorValues | ResourceValues) -> str:
    """Return the side document: compact JSON, keys in order."""
    return msgspec.json.encode(values, order="sorted").decode()


def hash_of(salt: bytes, document: str) -> str:
    """Return the hex SHA-256 over salt and document that the core keeps."""
    return hashlib.sha256(salt + document.encode()).hexdigest()


def canonical_core(tenant_id: str, core: EntryCore) -> bytes:
    """Return the one form that a core is hashed in: its fields and the tenant's id as JSON after RFC 8785.

    Keys sorted, no white space, UTF-8; values are strings, whole numbers below 2^53, true, false and null.
    """
    return msgspec.json.encode({"tenant_id": tenant_id, **msgspec.structs.asdict(core)}, order="sorted")


def verify_side_rows(core: EntryCore, rows: Sequence[SideRow]) -> dict[Part, PartState]:
    """Say of each part whether its side row is the one that the core was made with. `rows` are those of one entry."""
    recorded = {Part.ACTOR: core.actor_hash, Part.RESOURCE: core.resource_hash}
    states = dict.fromkeys(recorded, PartState.DESTROYED)
    for row in rows:
        matches = row.entry_id == core.id and hash_of(row.salt, row.document) == recorded[row.part]
        states[row.part] = PartState.INTACT if matches else PartState.ALTERED
    return states
