"""What is asked of an export of the audit log, and the lines it is made of."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from hellojohn_server.features.audit.schemas import (
    AddressFilter,
    AnyId,
    AuditEntryBody,
    ListAuditQuery,
    TypeFilter,
)
from hellojohn_server.features.users_export.schemas import WITHHELD, ExportFormat
from hellojohn_server.kit.audit_types import AuditResult
from hellojohn_server.kit.csv_text import cell_of, csv_lines
from hellojohn_server.kit.principal import ActorType
from hellojohn_server.kit.times import Moment

_encoder: Final = msgspec.json.Encoder()
_ID: Final = re.compile(r"[a-z]+_[0-9A-HJKMNP-TV-Z]{26}(_impersonate)?")
_ANY_TEXT: Final = frozenset({"actor_id", "user_id", "resource_id", "ip_address"})
COLUMNS: Final = (
    *("id", "type", "source", "actor_id", "actor_type", "actor_name", "actor_asserted"),
    *("on_behalf_of_id", "on_behalf_of_type", "resource_id", "resource_type", "tenant_id", "organization_id"),
    *("ip_address", "user_agent", "request_id", "result", "reason", "changes", "impersonated", "metadata"),
    *("personal_data_erased", "created_at"),
)


class ExportAuditLogsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The format, and every filter of the list. Several must all hold; without any, all entries are exported."""

    format: ExportFormat = ExportFormat.NDJSON
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

    @property
    def listed(self) -> ListAuditQuery:
        """What a list is asked with that selects the same."""
        return ListAuditQuery(
            **{name: value for name, value in msgspec.structs.asdict(self).items() if name != "format"}
        )

    def recorded(self) -> dict[str, Any]:
        """Return the filters that were given, as an audit entry has them: nobody can be named in it for good."""
        given: dict[str, Any] = {
            name: value for name, value in msgspec.to_builtins(self).items() if name != "format" and value is not None
        }
        return {name: WITHHELD if _may_name(name, value) else value for name, value in given.items()}


def head_of(written_as: ExportFormat) -> bytes:
    """Return what comes before the first entry: of CSV the line of names."""
    return b"" if written_as is ExportFormat.NDJSON else csv_lines([COLUMNS])


def lines_of(written_as: ExportFormat, entries: Sequence[AuditEntryBody]) -> bytes:
    """Return a line for each entry."""
    if written_as is ExportFormat.NDJSON:
        return _encoder.encode_lines(entries)
    return csv_lines([[cell_of(value) for value in _cells_of(entry)] for entry in entries])


def _cells_of(entry: AuditEntryBody) -> tuple[Any, ...]:
    actor, behalf, resource = entry.actor, entry.on_behalf_of, entry.resource
    return (
        *(entry.id, entry.type, entry.source),
        *(actor.id, actor.type.value, actor.name, None if actor.asserted is UNSET else actor.asserted),
        *((None, None) if behalf is None else (behalf.id, behalf.type.value)),
        *((None, None) if resource is None else (resource.id, resource.type)),
        *(entry.tenant_id, entry.organization_id, entry.ip_address, entry.user_agent, entry.request_id),
        *(entry.result.value, entry.reason, entry.changes, entry.impersonated, entry.metadata),
        *(entry.personal_data_erased, entry.created_at),
    )


def _may_name(name: str, value: Any) -> bool:
    """Say whether what was asked for may be somebody's address or name: any text may stand there but an id of ours."""
    return name in _ANY_TEXT and _ID.fullmatch(str(value)) is None
