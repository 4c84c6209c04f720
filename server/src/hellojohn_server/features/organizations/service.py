"""The rules of organizations: what may be made and changed, and who is in them as what.

Whoever changes an organization or its members holds the organization's row, so that such changes run one after another;
where a user's row is held as well, it is taken first.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.organizations import repository
from hellojohn_server.features.organizations.errors import (
    AlreadyMember,
    LastOwner,
    MemberNotFound,
    OrganizationNotFound,
    SlugAlreadyExists,
)
from hellojohn_server.features.organizations.events import (
    member_added,
    member_removed,
    member_updated,
    organization_created,
    organization_deleted,
    organization_updated,
)
from hellojohn_server.features.organizations.schemas import (
    AddMemberBody,
    BelongingBody,
    CreateOrganizationBody,
    ListBelongingsQuery,
    ListMembersQuery,
    ListOrganizationsQuery,
    Member,
    MemberBody,
    Membership,
    Organization,
    OrganizationBody,
    Place,
    UpdateMemberBody,
    UpdateOrganizationBody,
    belonging_body,
    member_body,
    organization_body,
    slug_of,
)
from hellojohn_server.features.roles.schemas import OrganizationRole
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.features.users.schemas import MAX_METADATA_BYTES, User
from hellojohn_server.features.users.service import UserService, say_subject
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.merge_patch import merge_patch
from hellojohn_server.kit.pagination import CursorCodec, InvalidCursor, Page, Position, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.text import fold
from hellojohn_server.storage.database import Database, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation

_AT_A_TIME: Final = 500
_OWNER: Final = OrganizationRole.OWNER.value


class OrganizationService:
    """Organizations of one tenant at a time: the tenant is the caller's."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        roles: RoleService,
        users: UserService,
        sessions: SessionService,
        cursors: CursorCodec,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._users = users
        self._sessions = sessions
        self._cursors = cursors

    async def list_organizations(self, tenant_id: str, query: ListOrganizationsQuery) -> Page[OrganizationBody]:
        """Return a page of organizations by name; of those whose names start with the query, if any. InvalidCursor."""
        start = fold((query.query or "").strip())
        bound = ("organizations", start)
        after = None if query.cursor is None else _place_of(self._cursors.decode(tenant_id, bound, query.cursor))

        async def read(reader: Reader) -> tuple[int, list[Organization]]:
            return await repository.list_organizations(reader, start, query.limit + 1, after)

        total, found = await self._db.read(tenant_id, read)
        following = None
        if len(found) > query.limit:
            last = found[query.limit - 1]
            following = self._cursors.encode(tenant_id, bound, (last.name_key, last.id))
        rows = [organization_body(organization) for organization in found[: query.limit]]
        return page_of(rows, query.limit, total, following, capped=True)

    async def get_organization(self, tenant_id: str, organization_id: str) -> OrganizationBody:
        """Return what is shown of an organization; OrganizationNotFound."""
        return organization_body(await self._require(tenant_id, organization_id))

    async def create_organization(self, context: Context, body: CreateOrganizationBody) -> OrganizationBody:
        """Make an organization. SlugAlreadyExists: of any number at once for one slug, one succeeds.

        Without a slug it gets one from its name, with the end of its id in it where that is taken.
        """
        organization_id = self._ids.new(IdPrefix.ORGANIZATION)
        try:
            return await self._create(context, body, body.slug or slug_of(body.name, organization_id), organization_id)
        except UniqueViolation as taken:
            if body.slug is not None:
                raise SlugAlreadyExists from taken
        slug = slug_of(body.name, organization_id, is_taken=True)
        return await self._create(context, body, slug, organization_id)

    async def update_organization(
        self, context: Context, organization_id: str, change: UpdateOrganizationBody
    ) -> OrganizationBody:
        """Change an organization. What is so already changes nothing: no new version, no entry.

        OrganizationNotFound; VersionMismatch; Invalid; SlugAlreadyExists.
        """
        _require_form(organization_id)

        async def command(tx: Transaction) -> OrganizationBody:
            before = await self.require_locked(tx, organization_id)
            if context.if_match is not None and context.if_match != before.version:
                raise VersionMismatch
            after = _changed(before, change)
            if after == before:
                return organization_body(before)
            after = msgspec.structs.replace(after, updated_at=self._clock.now_ms(), version=before.version + 1)
            await repository.update_organization(tx, after)
            await self._audit.record(tx, context, organization_updated(before, after))
            return organization_body(after)

        try:
            return await self._db.write(context.tenant_id, command, OrganizationBody, idempotency=context.idempotency)
        except UniqueViolation as taken:
            raise SlugAlreadyExists from taken

    async def delete_organization(self, context: Context, organization_id: str) -> None:
        """Delete an organization for good, with memberships and invitations; its users stay. OrganizationNotFound."""
        _require_form(organization_id)

        async def command(tx: Transaction) -> None:
            organization = await self.require_locked(tx, organization_id)
            if context.if_match is not None and context.if_match != organization.version:
                raise VersionMismatch
            members = 0
            while gone := await repository.delete_some_memberships(tx, organization_id, _AT_A_TIME):
                members += gone
                if gone == _AT_A_TIME:
                    await tx.slice()
            await self._sessions.leave_organization(tx, organization_id)
            await repository.delete_invitations(tx, organization_id)
            await repository.delete_organization(tx, organization_id)
            await self._audit.record(tx, context, organization_deleted(organization, members))

        await self._db.write(context.tenant_id, command, type(None), idempotency=context.idempotency)

    async def list_members(self, tenant_id: str, organization_id: str, query: ListMembersQuery) -> Page[MemberBody]:
        """Return a page of members, without those in the recycle bin. OrganizationNotFound; InvalidCursor."""
        await self._require(tenant_id, organization_id)
        bound = ("members", organization_id, query.role)
        after = self._id_after(tenant_id, bound, query.cursor)

        async def read(reader: Reader) -> tuple[int, list[Member]]:
            return await repository.list_members(reader, organization_id, query.role, query.limit + 1, after)

        total, found = await self._db.read(tenant_id, read)
        following = None
        if len(found) > query.limit:
            following = self._cursors.encode(tenant_id, bound, (found[query.limit - 1].user_id,))
        rows = [member_body(member) for member in found[: query.limit]]
        return page_of(rows, query.limit, total, following, capped=True)

    async def add_member(self, context: Context, organization_id: str, body: AddMemberBody) -> MemberBody:
        """Make a user a member.

        OrganizationNotFound; UserNotFound; UserDeleted; AlreadyMember; Invalid for a role that members cannot have. Of
        any number at once one succeeds.
        """
        _require_form(organization_id)
        if not is_id(body.user_id, IdPrefix.USER):
            raise UserNotFound

        async def command(tx: Transaction) -> MemberBody:
            user = (await self._users.lock_users(tx, [body.user_id])).get(body.user_id)
            await self.require_locked(tx, organization_id)
            if user is None:
                raise UserNotFound
            if user.deleted_at is not None:
                raise UserDeleted
            return await self.join(tx, context, organization_id, user, body.role, reason=body.reason)

        say_subject(context, body.user_id)
        return await self._db.write(context.tenant_id, command, MemberBody, idempotency=context.idempotency)

    async def join(  # noqa: PLR0913 - who, where, as what, by whom, and why or by which invitation
        self,
        tx: Transaction,
        context: Context,
        organization_id: str,
        user: User,
        role: str,
        *,
        reason: str | None = None,
        invitation_id: str | None = None,
    ) -> MemberBody:
        """Make a locked user a member of a locked organization, with the entry. AlreadyMember; Invalid."""
        await self.require_role(tx, role)
        if await repository.get_membership(tx, organization_id, user.id) is not None:
            raise AlreadyMember
        membership = Membership(organization_id, user.id, role, self._clock.now_ms())
        await repository.insert_memberships(tx, [membership])
        await self._audit.record(tx, context, member_added(membership, reason, invitation_id))
        return member_body(Member(user.id, user.email, user.name, role, membership.created_at))

    async def update_member(
        self, context: Context, organization_id: str, user_id: str, body: UpdateMemberBody
    ) -> MemberBody:
        """Give a member another role. So already: nothing changes.

        OrganizationNotFound; MemberNotFound; LastOwner; Invalid for a role that members cannot have.
        """
        _require_form(organization_id)

        async def command(tx: Transaction) -> MemberBody:
            await self.require_locked(tx, organization_id)
            before = await self._require_member(tx, organization_id, user_id)
            if body.role != before.role:
                await self.require_role(tx, body.role)
                await _require_owner_left(tx, before)
                await repository.update_membership(tx, before, body.role)
                await self._sessions.set_organization_role(tx, organization_id, user_id, body.role)
                await self._audit.record(tx, context, member_updated(before, body.role, body.reason))
            user = await self._users.get_stored(tx, user_id)
            if user is None:
                raise MemberNotFound
            return member_body(Member(user_id, user.email, user.name, body.role, before.created_at))

        say_subject(context, user_id)
        return await self._db.write(context.tenant_id, command, MemberBody, idempotency=context.idempotency)

    async def remove_member(
        self, context: Context, organization_id: str, user_id: str, reason: str | None = None
    ) -> None:
        """End a membership; of any number at once one does. OrganizationNotFound; MemberNotFound; LastOwner."""
        _require_form(organization_id)

        async def command(tx: Transaction) -> None:
            await self.require_locked(tx, organization_id)
            membership = await self._require_member(tx, organization_id, user_id)
            await _require_owner_left(tx, membership)
            await repository.delete_membership(tx, membership)
            await self._sessions.leave_organization(tx, organization_id, user_id)
            await self._audit.record(tx, context, member_removed(membership, reason))

        await self._db.write(context.tenant_id, command, type(None), idempotency=context.idempotency)

    async def list_user_organizations(
        self, tenant_id: str, user_id: str, query: ListBelongingsQuery
    ) -> Page[BelongingBody]:
        """Return a page of a user's organizations. UserNotFound; InvalidCursor."""
        await self._users.require_user(tenant_id, user_id)
        return await self.list_belongings(tenant_id, user_id, query)

    async def list_belongings(self, tenant_id: str, user_id: str, query: ListBelongingsQuery) -> Page[BelongingBody]:
        """Return a page of the organizations of a user who is there. InvalidCursor."""
        bound = ("belongings", user_id)
        after = self._id_after(tenant_id, bound, query.cursor)

        async def read(reader: Reader) -> Page[BelongingBody]:
            total, found = await repository.list_belongings(reader, user_id, query.limit + 1, after)
            following = None
            if len(found) > query.limit:
                following = self._cursors.encode(tenant_id, bound, (found[query.limit - 1].organization_id,))
            rows = [belonging_body(belonging) for belonging in found[: query.limit]]
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def hold_place(
        self, tx: Transaction, session_id: str, organization_id: str | UnsetType | None
    ) -> Place | None:
        """Return what becomes of the organization that a session's user is active in; None: nothing is asked.

        Called before the session's row is held: who ends the membership holds that first.
        """
        if organization_id is UNSET:
            return None
        if organization_id is None:
            return Place(None)
        return Place(organization_id, await repository.get_role_held(tx, session_id, organization_id))

    async def take_place(self, tx: Transaction, session: Session, place: Place | None) -> Session:
        """Return the session, active where `place` says; OrganizationNotFound where its user is no member."""
        if place is None:
            return session
        if place.organization_id is not None and place.role is None:
            raise OrganizationNotFound
        moved = await self._sessions.set_organization(tx, session.id, place.organization_id, place.role)
        return moved or session

    async def require_locked(self, tx: Transaction, organization_id: str) -> Organization:
        """Return an organization that nobody else changes, nor its members, until `tx` ends; OrganizationNotFound."""
        organization = await repository.get_organization_locked(tx, organization_id)
        if organization is None:
            raise OrganizationNotFound
        return organization

    async def require_role(self, tx: Transaction, role: str) -> None:
        """Raise Invalid unless members can have a role; it stays until `tx` ends."""
        if not await self._roles.is_role_of_members_locked(tx, role):
            message = "There is no such role for members."
            raise Invalid(details=[FieldError("role", FieldCode.UNKNOWN, message)])

    async def _create(
        self, context: Context, body: CreateOrganizationBody, slug: str, organization_id: str
    ) -> OrganizationBody:
        async def command(tx: Transaction) -> OrganizationBody:
            now = self._clock.now_ms()
            organization = Organization(
                id=organization_id,
                name=body.name,
                created_at=now,
                updated_at=now,
                version=1,
                slug=slug,
                name_key=fold(body.name),
                metadata=_encoded(merge_patch({}, body.metadata)),
            )
            await repository.insert_organizations(tx, [organization])
            await self._audit.record(tx, context, organization_created(organization))
            return organization_body(organization)

        return await self._db.write(context.tenant_id, command, OrganizationBody, idempotency=context.idempotency)

    async def _require(self, tenant_id: str, organization_id: str) -> Organization:
        _require_form(organization_id)

        async def query(reader: Reader) -> Organization | None:
            return await repository.get_organization(reader, organization_id)

        organization = await self._db.read(tenant_id, query)
        if organization is None:
            raise OrganizationNotFound
        return organization

    async def _require_member(self, tx: Transaction, organization_id: str, user_id: str) -> Membership:
        membership = await repository.get_membership(tx, organization_id, user_id)
        if membership is None:
            raise MemberNotFound
        return membership

    def _id_after(self, tenant_id: str, bound: Sequence[str | None], cursor: str | None) -> str | None:
        return None if cursor is None else str(self._cursors.decode(tenant_id, bound, cursor)[0])


async def _require_owner_left(tx: Transaction, membership: Membership) -> None:
    """Raise LastOwner when nobody else is an owner. The organization is locked, so that it stays so."""
    if membership.role == _OWNER and await repository.get_other_owner(tx, membership) is None:
        raise LastOwner


def _changed(before: Organization, change: UpdateOrganizationBody) -> Organization:
    values: dict[str, Any] = {}
    if change.name is not UNSET:
        values |= {"name": change.name, "name_key": fold(change.name)}
    if change.slug is not UNSET:
        values["slug"] = change.slug
    if change.metadata is not UNSET:
        metadata = _encoded(merge_patch(msgspec.json.decode(before.metadata), change.metadata))
        if len(metadata.encode()) > MAX_METADATA_BYTES:
            message = f"With what is there already it would be more than {MAX_METADATA_BYTES} bytes as JSON."
            raise Invalid(details=[FieldError("metadata", FieldCode.TOO_LONG, message)])
        values["metadata"] = metadata
    return msgspec.structs.replace(before, **values)


def _encoded(metadata: Any) -> str:
    return msgspec.json.encode(metadata).decode()


def _place_of(position: Position) -> tuple[str, str]:
    match position:
        case (str() as name_key, str() as organization_id):
            return name_key, organization_id
        case _:
            raise InvalidCursor


def _require_form(organization_id: str) -> None:
    if not is_id(organization_id, IdPrefix.ORGANIZATION):
        raise OrganizationNotFound
