"""A role as it is stored, as it is shown, and as it is asked for; and the roles that every tenant has."""

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.kit.builtin_roles import BUILTIN_NAMES, BuiltinRole
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp, format_optional_time

MAX_ROLES: Final = 100
"""The most roles of its own that a tenant has."""
MAX_PERMISSIONS: Final = 200
"""The most permissions that a role has."""
_FIRST_VERSION: Final = 1


class RoleScope(StrEnum):
    """Whom a role describes: a user in the tenant, or a member in one organization."""

    ORGANIZATION = "organization"
    TENANT = "tenant"


class Role(msgspec.Struct, frozen=True):
    """A row of roles: one of the tenant's own. Times in milliseconds."""

    id: str
    name: str
    description: str | None
    permissions: tuple[str, ...]
    privileged: bool
    created_at: int
    updated_at: int
    version: int = _FIRST_VERSION
    display_name: str | None = None
    scope: RoleScope = RoleScope.TENANT


class OrganizationRole(StrEnum):
    """A member's role that exists in every organization and is not stored."""

    ADMIN = "admin"
    MEMBER = "member"
    OWNER = "owner"


PRIVILEGED_BUILTINS: Final = frozenset({BuiltinRole.ADMIN.value, BuiltinRole.SUPER_ADMIN.value})
_OF_MEMBERS: Final = frozenset(role.value for role in OrganizationRole)
RESERVED: Final = {
    RoleScope.TENANT: BUILTIN_NAMES,
    RoleScope.ORGANIZATION: _OF_MEMBERS | {BuiltinRole.SUPER_ADMIN.value},
}
"""The names that no role of a tenant's own takes."""


def is_builtin(name: str) -> bool:
    """Say whether every tenant has the role `name` for its users."""
    return name in BUILTIN_NAMES


def is_builtin_of_members(name: str) -> bool:
    """Say whether every organization has the role `name` for its members."""
    return name in _OF_MEMBERS


class RoleBody(msgspec.Struct, frozen=True, kw_only=True):
    """A role. One that is built in has no times, and an id that is the same in every tenant."""

    id: str
    name: str
    display_name: str | None
    description: str | None
    scope: RoleScope
    permissions: list[str]
    privileged: bool
    built_in: bool
    created_at: Timestamp | None
    updated_at: Timestamp | None
    version: int


class RoleListBody(msgspec.Struct, frozen=True):
    """Roles: those that are built in first, then the tenant's own by name."""

    data: list[RoleBody]
    pagination: Pagination


class ListRolesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which roles, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    scope: RoleScope | None = None


NewRoleName: TypeAlias = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$(?!\n)",
        description="1 to 64 of a-z 0-9 _ - with a letter first; it never changes",
    ),
]
DisplayName: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\S", description="1 to 200 characters, not all blank")
]
Description: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="1 to 500 characters, not all blank")
]
Permission: TypeAlias = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^[a-z0-9][a-z0-9_.-]*(?::(?:[a-z0-9][a-z0-9_.-]*|\*))+$(?!\n)",
        description="a thing and what may be done to it, such as documents:read or documents:*",
    ),
]
Permissions: TypeAlias = Annotated[
    list[Permission],
    Meta(max_length=MAX_PERMISSIONS, description="for your application; one that comes twice counts once"),
]


class CreateRoleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A role to make. A privileged one describes users, and needs admins:manage."""

    name: NewRoleName
    display_name: DisplayName | None = None
    description: Description | None = None
    scope: RoleScope = RoleScope.TENANT
    permissions: Permissions = []
    privileged: bool = False


class UpdateRoleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a role; what is absent stays, null clears. Permissions are replaced as a whole."""

    display_name: DisplayName | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    permissions: Permissions | UnsetType = UNSET
    privileged: bool | UnsetType = UNSET


def role_body(role: Role) -> RoleBody:
    """Return what is shown of one of the tenant's own roles."""
    return RoleBody(
        id=role.id,
        name=role.name,
        display_name=role.display_name,
        description=role.description,
        scope=role.scope,
        permissions=list(role.permissions),
        privileged=role.privileged,
        built_in=False,
        created_at=format_optional_time(role.created_at),
        updated_at=format_optional_time(role.updated_at),
        version=role.version,
    )


def _built_in(scope: RoleScope, name: str, display_name: str, description: str) -> RoleBody:
    of_members = "organization_" if scope is RoleScope.ORGANIZATION else ""
    return RoleBody(
        id=f"role_{of_members}{name}",
        name=name,
        display_name=display_name,
        description=description,
        scope=scope,
        permissions=[],
        privileged=scope is RoleScope.TENANT and name in PRIVILEGED_BUILTINS,
        built_in=True,
        created_at=None,
        updated_at=None,
        version=_FIRST_VERSION,
    )


BUILT_IN: Final = (
    _built_in(RoleScope.TENANT, BuiltinRole.MEMBER.value, "Member", "Everybody who has no other role"),
    _built_in(RoleScope.TENANT, BuiltinRole.ADMIN.value, "Administrator", "Administers users"),
    _built_in(
        RoleScope.TENANT, BuiltinRole.SUPER_ADMIN.value, "Super administrator", "Administers administrators; one stays"
    ),
    _built_in(RoleScope.ORGANIZATION, OrganizationRole.OWNER.value, "Owner", "Owns an organization; one stays"),
    _built_in(RoleScope.ORGANIZATION, OrganizationRole.ADMIN.value, "Administrator", "Administers an organization"),
    _built_in(RoleScope.ORGANIZATION, OrganizationRole.MEMBER.value, "Member", "Belongs to an organization"),
)
"""The roles that every tenant has, in the order in which they are listed."""
