"""What a command says of itself for the audit log, and the one documented form that an entry is hashed in.

docs/audit.md describes the canonical form: the side documents (what is personal) are hashed as the exact bytes stored,
SHA-256 over salt and document; the core carries those hashes.
"""

import hashlib
from collections.abc import Mapping
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
