"""The roles that every tenant has."""

from enum import StrEnum
from typing import Final

import msgspec


class Role(msgspec.Struct, frozen=True):
    """A row of roles: one of the tenant's own. Times in milliseconds."""

    id: str
    name: str
    description: str | None
    permissions: tuple[str, ...]
    privileged: bool
    created_at: int
    updated_at: int
    version: int


class BuiltinRole(StrEnum):
    """A role that exists in every tenant and is not stored."""

    ADMIN = "admin"
    MEMBER = "member"
    SUPER_ADMIN = "super_admin"


PRIVILEGED_BUILTINS: Final = frozenset({BuiltinRole.ADMIN.value, BuiltinRole.SUPER_ADMIN.value})
_BUILTINS: Final = frozenset(role.value for role in BuiltinRole)


def is_builtin(name: str) -> bool:
    """Say whether every tenant has the role `name`."""
    return name in _BUILTINS
