"""What an operation must write in the audit log: the rows of the audit walk."""

from collections.abc import Sequence
from typing import Any

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry must say. `resource` is a kind and the name of an object of the act, or "".

    `by` is secret, master, publishable, or the name of a user among the objects, and so is `on_behalf_of`. A session's
    id is written <session>, in metadata the id of what the act made <made>. `organization` is the name of an object.
    """

    type: str
    resource: tuple[str, str]
    where: str = "tenant"
    by: str = "secret"
    on_behalf_of: str | None = None
    source: str = "builtin"
    result: str = "success"
    reason: str | None = None
    changes: dict[str, tuple[Any, Any]] = {}
    metadata: dict[str, Any] = {}
    organization: str | None = None


class Row(msgspec.Struct, frozen=True):
    """What an operation answers, and its entries, the oldest first."""

    status: int
    entries: Sequence[Entry]
