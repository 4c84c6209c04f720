"""The roles that users of every tenant may have."""

from enum import StrEnum
from typing import Final


class BuiltinRole(StrEnum):
    """A user's role that exists in every tenant and is not stored."""

    ADMIN = "admin"
    MEMBER = "member"
    SUPER_ADMIN = "super_admin"


BUILTIN_NAMES: Final = frozenset(role.value for role in BuiltinRole)
