"""What is asked of an export of users, and the lines it is made of."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from hellojohn_server.features.search.schemas import (
    After,
    Before,
    EmailFilter,
    ExternalIdFilter,
    OrganizationFilter,
    QueryText,
    RoleFilter,
    SearchFilters,
)
from hellojohn_server.features.users.schemas import User, UserBody, UserStatus, body_of
from hellojohn_server.kit.csv_text import cell_of, csv_lines
from hellojohn_server.kit.routing import Content

_encoder: Final = msgspec.json.Encoder()
_PERSONAL: Final = frozenset({"email", "external_id", "query"})
WITHHELD: Final = "given"
"""What an audit entry has in place of a filter that may name somebody."""


class ExportFormat(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def content(self) -> Content:
        """What HTTP calls it."""
        return Content.CSV if self is ExportFormat.CSV else Content.NDJSON


class ExportUsersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The format, and every filter of the list of users and of the search. Without any: all but the recycle bin."""

    format: ExportFormat = ExportFormat.NDJSON
    query: QueryText | None = None
    email: EmailFilter | None = None
    external_id: ExternalIdFilter | None = None
    status: UserStatus | None = None
    role: RoleFilter | None = None
    disabled: bool | None = None
    mfa_enrolled: bool | None = None
    email_verified: bool | None = None
    organization_id: OrganizationFilter | None = None
    created_after: After | None = None
    created_before: Before | None = None
    last_active_after: After | None = None
    last_active_before: Before | None = None

    @property
    def filters(self) -> SearchFilters:
        """The filters that the search has too."""
        return SearchFilters(**{name: getattr(self, name) for name in SearchFilters.__struct_fields__})

    def recorded(self) -> dict[str, Any]:
        """Return the filters that were given, as an audit entry has them: nobody can be named in it for good."""
        given = {name: value for name, value in asdict(self).items() if name != "format" and value is not None}
        shown: dict[str, Any] = msgspec.to_builtins(given)
        return {name: WITHHELD if name in _PERSONAL else value for name, value in shown.items()}


class ExportedUser(UserBody, frozen=True, kw_only=True):
    """A user with the hash of the password. Only `hj`, on the host itself, writes these."""

    password_hash: str | None


def head_of(written_as: ExportFormat, *, with_password_hashes: bool) -> bytes:
    """Return what comes before the first user: of CSV the line of names."""
    if written_as is ExportFormat.NDJSON:
        return b""
    return csv_lines([(ExportedUser if with_password_hashes else UserBody).__struct_fields__])


def lines_of(
    written_as: ExportFormat, users: Sequence[User], now_ms: int, password_hashes: Mapping[str, str | None] | None
) -> bytes:
    """Return a line for each user as they are at `now_ms`; with `password_hashes`, by id, the hash in each."""
    shown: list[UserBody] = [body_of(user, now_ms) for user in users]
    if password_hashes is not None:
        shown = [ExportedUser(**asdict(body), password_hash=password_hashes.get(body.id)) for body in shown]
    if written_as is ExportFormat.NDJSON:
        return _encoder.encode_lines(shown)
    return csv_lines([[cell_of(value) for value in msgspec.structs.astuple(body)] for body in shown])
