"""The rules of roles: which there are, which of them are privileged, and who may make and change them."""

from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import replace

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.roles import repository
from hellojohn_server.features.roles.errors import (
    RoleAlreadyExists,
    RoleBuiltIn,
    RoleInUse,
    RoleLimitReached,
    RoleNotFound,
)
from hellojohn_server.features.roles.events import role_created, role_deleted, role_updated
from hellojohn_server.features.roles.schemas import (
    BUILT_IN,
    MAX_ROLES,
    PRIVILEGED_BUILTINS,
    RESERVED,
    CreateRoleBody,
    ListRolesQuery,
    Role,
    RoleBody,
    RoleScope,
    UpdateRoleBody,
    is_builtin,
    is_builtin_of_members,
    role_body,
)
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Guard, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation


class RoleService:
    """Answers for the built-in roles without asking the store."""

    async def list_privileges(self, reader: Reader, names: Iterable[str]) -> dict[str, bool]:
        """Return each of `names` that is a user's role, with whether it is privileged; others are left out."""
        found, own = _split(names)
        return found if not own else found | await repository.list_privileges(reader, own, RoleScope.TENANT)

    async def list_privileges_locked(self, tx: Transaction, names: Iterable[str]) -> dict[str, bool]:
        """Return the same of roles that nobody changes or deletes until `tx` ends: for whoever acts by the answer.

        Whoever makes a role privileged comes before, and is seen, or after the act.
        """
        found, own = _split(names)
        return found if not own else found | await repository.list_privileges_locked(tx, own, RoleScope.TENANT)

    async def list_privileged(self, reader: Reader) -> list[str]:
        """Return the names of every role of users that is privileged, by name."""
        own = [role for role in await repository.list_roles(reader) if role.scope is RoleScope.TENANT]
        return sorted({*PRIVILEGED_BUILTINS, *(role.name for role in own if role.privileged)})

    async def is_role_of_members_locked(self, tx: Transaction, name: str) -> bool:
        """Say whether members of organizations can have the role `name`; it stays until `tx` ends."""
        if is_builtin_of_members(name):
            return True
        return name in await repository.list_privileges_locked(tx, [name], RoleScope.ORGANIZATION)

    async def list_permissions(self, reader: Reader, name: str) -> list[str]:
        """Return the permissions of a user's role; a built-in one has none."""
        role = None if is_builtin(name) else await repository.get_role_by_name(reader, name)
        return [] if role is None else list(role.permissions)


class RoleCatalog:
    """The roles of one tenant at a time: the built-in ones, which never change, and the tenant's own."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        settings: TenantSettingsService,
        cursors: CursorCodec,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._settings = settings
        self._cursors = cursors

    async def list_roles(self, tenant_id: str, query: ListRolesQuery) -> Page[RoleBody]:
        """Return a page of roles: the built-in ones first, then the tenant's own by name. InvalidCursor."""
        bound = ("roles", query.scope)
        after = "" if query.cursor is None else str(self._cursors.decode(tenant_id, bound, query.cursor)[0])
        own = await self._db.read(tenant_id, repository.list_roles)
        listed = [(f"0{number}", role) for number, role in enumerate(BUILT_IN)]
        listed += [(f"1{role.name}", role_body(role)) for role in own]
        wanted = [(place, role) for place, role in listed if query.scope in {None, role.scope}]
        rest = [(place, role) for place, role in wanted if place > after]
        page = rest[: query.limit]
        following = None
        if len(rest) > query.limit:
            following = self._cursors.encode(tenant_id, bound, (page[-1][0],))
        return page_of([role for _, role in page], query.limit, len(wanted), following)

    async def get_role(self, tenant_id: str, role_id: str) -> RoleBody:
        """Return what is shown of a role; RoleNotFound."""
        for role in BUILT_IN:
            if role.id == role_id:
                return role
        _require_form(role_id)

        async def query(reader: Reader) -> Role | None:
            return await repository.get_role(reader, role_id)

        found = await self._db.read(tenant_id, query)
        if found is None:
            raise RoleNotFound
        return role_body(found)

    async def create_role(self, context: Context, body: CreateRoleBody) -> RoleBody:
        """Make a role. A privileged one needs admins:manage, else InsufficientScope.

        Invalid for the name of a built-in role and for a privileged role of members; RoleAlreadyExists: of any number
        at once for one name, one succeeds; RoleLimitReached.
        """
        if body.privileged:
            context.principal.require(Scope.ADMINS_MANAGE)
        _require_sound(body)
        role_id = self._ids.new(IdPrefix.ROLE)

        async def command(tx: Transaction) -> RoleBody:
            await self._settings.lock_settings(tx)
            if await repository.count_roles(tx) >= MAX_ROLES:
                raise RoleLimitReached
            now = self._clock.now_ms()
            role = Role(
                id=role_id,
                name=body.name,
                description=body.description,
                permissions=_in_order(body.permissions),
                privileged=body.privileged,
                created_at=now,
                updated_at=now,
                display_name=body.display_name,
                scope=body.scope,
            )
            await repository.insert_roles(tx, [role])
            await self._audit.record(tx, context, role_created(role))
            return role_body(role)

        try:
            return await self._db.write(context.tenant_id, command, RoleBody, idempotency=context.idempotency)
        except UniqueViolation as taken:
            raise RoleAlreadyExists from taken

    async def update_role(self, context: Context, role_id: str, change: UpdateRoleBody) -> RoleBody:
        """Change a role. One that is privileged, or is to be, needs admins:manage, else InsufficientScope.

        What is so already changes nothing: no new version, no entry. RoleNotFound; RoleBuiltIn; VersionMismatch;
        Invalid. Changes of one role run one after another, and acts on its users before or after.
        """
        if change.privileged is True:
            context.principal.require(Scope.ADMINS_MANAGE)
        _require_own(role_id)
        values = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
        if "permissions" in values:
            values["permissions"] = _in_order(values["permissions"])

        async def command(tx: Transaction) -> RoleBody:
            before = await self._require_locked(tx, context, role_id)
            if change.privileged is True and before.scope is RoleScope.ORGANIZATION:
                raise Invalid(details=[_PRIVILEGED_OF_MEMBERS])
            if context.if_match is not None and context.if_match != before.version:
                raise VersionMismatch
            after = replace(before, **values)
            if after == before:
                return role_body(before)
            after = replace(after, updated_at=self._clock.now_ms(), version=before.version + 1)
            await repository.update_role(tx, after)
            await self._audit.record(tx, context, role_updated(before, after))
            return role_body(after)

        return await self._db.write(
            context.tenant_id,
            command,
            RoleBody,
            guard=self._guard(context, role_id),
            idempotency=context.idempotency,
        )

    async def delete_role(self, context: Context, role_id: str) -> None:
        """Delete a role that nobody has. A privileged one needs admins:manage, else InsufficientScope.

        RoleNotFound; RoleBuiltIn; VersionMismatch; RoleInUse, also when somebody in the recycle bin has it, or the
        tenant asks its users for a second factor. Who is just being given the role comes before, and keeps it, or
        after, and finds no such role.
        """
        _require_own(role_id)

        async def command(tx: Transaction) -> None:
            role = await self._require_locked(tx, context, role_id)
            if context.if_match is not None and context.if_match != role.version:
                raise VersionMismatch
            if await repository.get_holder(tx, role) is not None:
                raise RoleInUse
            if role.scope is RoleScope.TENANT and role.name in (await self._settings.get_settings(tx)).mfa.roles:
                raise RoleInUse
            await repository.delete_role(tx, role_id)
            await self._audit.record(tx, context, role_deleted(role))

        await self._db.write(
            context.tenant_id,
            command,
            type(None),
            guard=self._guard(context, role_id),
            idempotency=context.idempotency,
        )

    async def _require_locked(self, tx: Transaction, context: Context, role_id: str) -> Role:
        role = await repository.get_role_locked(tx, role_id)
        if role is None:
            raise RoleNotFound
        if role.privileged:
            context.principal.require(Scope.ADMINS_MANAGE)
        return role

    def _guard(self, context: Context, role_id: str) -> Guard | None:
        """Return what refuses a replay to who may no longer act on the role; where that is gone it refuses nobody."""
        if context.idempotency is None:
            return None

        async def guard(tx: Transaction) -> None:
            role = await repository.get_role(tx, role_id)
            if role is not None and role.privileged:
                context.principal.require(Scope.ADMINS_MANAGE)

        return guard


_PRIVILEGED_OF_MEMBERS = FieldError(
    "privileged", FieldCode.INVALID, "Only a role of users is privileged; a role of members grants nothing here."
)


def _split(names: Iterable[str]) -> tuple[dict[str, bool], list[str]]:
    """Return what is known of the built-in ones among `names`, and the others in order."""
    asked = set(names)
    found = {name: name in PRIVILEGED_BUILTINS for name in asked if is_builtin(name)}
    return found, sorted(asked - found.keys())


def _in_order(permissions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(permissions)))


def _require_sound(body: CreateRoleBody) -> None:
    faults: list[FieldError] = []
    if body.name in RESERVED[body.scope]:
        faults.append(FieldError("name", FieldCode.INVALID, "A built-in role has this name."))
    if body.privileged and body.scope is RoleScope.ORGANIZATION:
        faults.append(_PRIVILEGED_OF_MEMBERS)
    if faults:
        raise Invalid(details=faults)


def _require_own(role_id: str) -> None:
    if any(role.id == role_id for role in BUILT_IN):
        raise RoleBuiltIn
    _require_form(role_id)


def _require_form(role_id: str) -> None:
    if not is_id(role_id, IdPrefix.ROLE):
        raise RoleNotFound
