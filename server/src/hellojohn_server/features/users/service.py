"""The rules of users: who may be made and changed by whom, and what follows from it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from hellojohn_server.features.action_tokens.schemas import EVERY_PURPOSE, ActionPurpose
from hellojohn_server.features.action_tokens.service import LinkMailer, delete_links
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.roles.schemas import PRIVILEGED_BUILTINS
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.schemas import AccessStopped, Ending, RevokeCause
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.users import repository
from hellojohn_server.features.users.errors import (
    EmailAlreadyExists,
    EmailBanned,
    EmailInRecycleBin,
    ExternalIdAlreadyExists,
    LastSuperAdmin,
    UserDeleted,
    UsernameAlreadyExists,
    UserNotFound,
)
from hellojohn_server.features.users.events import (
    changes_between,
    user_created,
    user_disabled,
    user_enabled,
    user_invited,
    user_updated,
)
from hellojohn_server.features.users.schemas import (
    MAX_METADATA_BYTES,
    NO_PHONE,
    AccessBody,
    ChangedUserBody,
    CreateUserBody,
    UpdateUserBody,
    User,
    UserBody,
    access_of,
    body_of,
    changed_body_of,
    facets_of,
    is_banned,
    password_origin,
)
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import NewPasswordBy
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.merge_patch import merge_patch
from hellojohn_server.kit.principal import Context, Principal
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.kit.text import email_key, fold
from hellojohn_server.storage.database import Command, Database, Exempt, Guard, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation

T = TypeVar("T")

_PLAIN: Final = (
    "email",
    "email_verified",
    "username",
    "name",
    "phone",
    "phone_verified",
    "avatar_url",
    "external_id",
    "role",
)
"""What a change writes as it is given."""


async def change_counters(tx: Transaction, changes: Mapping[str, int]) -> None:
    """Add to the counters, in the transaction that changes the users' rows. A facet without change may be left out."""
    await repository.update_counters(tx, changes)


async def insert_users(  # noqa: PLR0913 - what an insert of users goes with
    tx: Transaction,
    context: Context,
    audit: AuditLog,
    users: Sequence[User],
    *,
    hashes: Mapping[str, str],
    about: Mapping[str, str],
) -> None:
    """Insert users as they are, with counters, search and entries; hashes are by id. Else UniqueViolation only."""
    await repository.insert_users(tx, users, hashes)
    await change_counters(tx, Counter(facet for user in users for facet in facets_of(user)))
    events = [user_created(user, password_origin(None, hashes.get(user.id)), about) for user in users]
    await audit.record_many(tx, context, events)


def counter_changes(before: User, after: User) -> dict[str, int]:
    """Return what a change of a user changes of the counters."""
    counted, counts = facets_of(before), facets_of(after)
    return dict.fromkeys(counts - counted, 1) | dict.fromkeys(counted - counts, -1)


class UserService:
    """Users of one tenant at a time: the tenant is the caller's."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        roles: RoleService,
        sessions: SessionService,
        passwords: NewPasswords,
        addresses: AddressHasher,
        mailer: LinkMailer,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._sessions = sessions
        self._passwords = passwords
        self._addresses = addresses
        self._mailer = mailer

    async def require_user(self, tenant_id: str, user_id: str) -> User:
        """Return a user of the tenant, also one in the recycle bin; UserNotFound when there is none."""

        async def query(reader: Reader) -> User | None:
            return await repository.get_user(reader, user_id)

        user = await self._db.read(tenant_id, query) if is_id(user_id, IdPrefix.USER) else None
        if user is None:
            raise UserNotFound
        return user

    async def tell_new_password(self, tx: Transaction, user_id: str, address: str, by: NewPasswordBy) -> None:
        """Tell a user by mail that there is a new password, if mail can be sent."""
        await self._mailer.tell_new_password(tx, user_id, address, by)

    async def get_stored(self, reader: Reader, user_id: str) -> User | None:
        """Return a user as the reader finds it, also one in the recycle bin, or None."""
        return await repository.get_user(reader, user_id)

    async def get_user(self, tenant_id: str, user_id: str) -> UserBody:
        """Return what is shown of a user now; UserNotFound."""
        return body_of(await self.require_user(tenant_id, user_id), self._clock.now_ms())

    async def get_access(self, tenant_id: str, user_id: str) -> AccessBody:
        """Return whether a user can sign in now, and why not; UserNotFound."""
        return access_of(await self.require_user(tenant_id, user_id), self._clock.now_ms())

    async def create_user(self, context: Context, body: CreateUserBody) -> UserBody:
        """Make a user. A role that is privileged needs admins:manage.

        Invalid (an unknown role, both forms of a password); MailNotConfigured for an invitation; Conflict when the
        address, username or external id is taken: of any number of calls at once for one address, one succeeds.
        """
        principal = context.principal
        if body.role in PRIVILEGED_BUILTINS:
            principal.require(Scope.ADMINS_MANAGE)
        await self._require_sound(context.tenant_id, body)
        password_hash = body.password_hash
        if body.password is not None:
            about = (body.email, body.username, body.name)
            password_hash = await self._passwords.hash(context.tenant_id, body.password, about)
        invitation = None
        if body.send_invitation:
            invitation = await self._mailer.prepare(context.tenant_id, ActionPurpose.INVITATION)
        user_id = self._ids.new(IdPrefix.USER)

        async def command(tx: Transaction) -> UserBody:
            user = await self.add_user(tx, context, user_id, body, password_hash)
            if invitation is not None:
                await self._mailer.mail(tx, invitation, user.id, user.email)
                await self._audit.record(tx, context, user_invited(user.id))
            return body_of(user, user.created_at)

        async def guard(tx: Transaction) -> None:
            require_never_upward(principal, await self._roles.list_privileges(tx, [body.role]))

        say_subject(context, user_id)
        return await self._write(context, command, UserBody, guard, body.email)

    async def add_user(
        self, tx: Transaction, context: Context, user_id: str, body: CreateUserBody, password_hash: str | None
    ) -> User:
        """Insert a user in `tx`, with the entry and the counters, and return it. `password_hash` is the one to store.

        InsufficientScope for a privileged role without admins:manage; Invalid for an unknown one; EmailBanned for an
        address that a ban keeps closed; UniqueViolation, of which conflict_of says what it is.
        """
        privileges = await self._roles.list_privileges_locked(tx, [body.role])
        require_never_upward(context.principal, privileges)
        faults = _role_faults(privileges, body.role)
        if faults:
            raise Invalid(details=faults)
        user = _new_user(user_id, body, self._clock.now_ms())
        await repository.insert_user(tx, user, password_hash)
        await self._require_open_address(tx, user.email_key, user.created_at)
        await change_counters(tx, dict.fromkeys(facets_of(user), 1))
        await self._audit.record(tx, context, user_created(user, password_origin(body.password, body.password_hash)))
        return user

    async def conflict_of(self, tenant_id: str, taken: UniqueViolation, email: str | None) -> Exception:
        """Return what to raise when something unique was taken: a Conflict, or `taken` itself when it is none."""
        if taken.column == "username_key":
            return UsernameAlreadyExists()
        if taken.column == "external_id":
            return ExternalIdAlreadyExists()
        if taken.column != "email_key" or email is None:
            return taken
        key, now = email_key(email), self._clock.now_ms()
        address_hash = self._addresses.hash(tenant_id, key)

        async def query(reader: Reader) -> tuple[User | None, bool]:
            owner = await repository.get_user_by_email(reader, key)
            if owner is not None:
                return owner, is_banned(owner, now)
            return None, await repository.get_closed_address(reader, address_hash, now) is not None

        owner, banned = await self._db.read(tenant_id, query)
        if owner is not None and owner.deleted_at is not None:
            return EmailInRecycleBin()
        return EmailBanned() if banned else EmailAlreadyExists()

    async def update_user(
        self, context: Context, user_id: str, change: UpdateUserBody, *, is_own: bool = False
    ) -> ChangedUserBody:
        """Change a user: profile, address (needs users:credentials), role, metadata, and whether disabled.

        A user whose role is privileged, and a privileged new role, need admins:manage. What is so already changes
        nothing: no new version, no entry. UserNotFound; UserDeleted; VersionMismatch; LastSuperAdmin; Invalid; Conflict
        when the address, username or external id is taken. Changes of one user run one after another.
        `is_own`: a user's own profile, at the user's wish or on the user's behalf; no scope is asked for.
        """
        if change.email is not UNSET:
            context.principal.require(Scope.USERS_CREDENTIALS)
        if not is_id(user_id, IdPrefix.USER):
            raise UserNotFound

        async def command(tx: Transaction) -> ChangedUserBody:
            return await self._change(tx, context, user_id, change, is_own=is_own)

        guard = self.upward_guard(context, user_id, *([] if change.role is UNSET else [change.role]))
        email = None if change.email is UNSET else change.email
        say_subject(context, user_id)
        return await self._write(context, command, ChangedUserBody, None if is_own else guard, email)

    def upward_guard(self, context: Context, user_id: str, *roles: str) -> Guard | None:
        """Return what refuses the replay of an act on a user to who may no longer do it; None where there is none.

        It raises InsufficientScope. `roles` are those that the act gives. Where the user is gone it refuses nobody.
        """
        if context.idempotency is None:
            return None

        async def guard(tx: Transaction) -> None:
            user = await repository.get_user(tx, user_id)
            concerned = [*roles, *([] if user is None else [user.role])]
            require_never_upward(context.principal, await self._roles.list_privileges(tx, concerned))

        return guard

    async def record_active(self, tenant_id: str, seen: Mapping[str, int]) -> None:
        """Write when users of a tenant were last active (milliseconds by id). None goes back; no new version."""

        async def command(tx: Transaction) -> None:
            found = await repository.list_users_locked(tx, list(seen))
            changes: Counter[str] = Counter()
            for user_id, at in seen.items():
                before = found.get(user_id)
                if before is not None and at > (before.last_active_at or 0):
                    changes.update(counter_changes(before, msgspec.structs.replace(before, last_active_at=at)))
            await repository.update_last_active(tx, seen)
            await change_counters(tx, changes)

        await self._db.write(tenant_id, command, type(None), exempt=Exempt.LAST_USED)

    async def lock_users(self, tx: Transaction, user_ids: Sequence[str]) -> dict[str, User]:
        """Return the users of these ids, which nobody else changes until `tx` ends; ids without a user are left out.

        If one of them is a super admin, every super admin is locked and returned beside them.
        """
        locked = await repository.list_users_locked(tx, user_ids)
        if [user.role for user in locked.values()].count(BuiltinRole.SUPER_ADMIN) == 1:
            # The only one, or one who was given the role while this waited for the lock: then there are others to lock.
            locked = await repository.list_users_locked(tx, user_ids)
        return locked

    async def _change(
        self, tx: Transaction, context: Context, user_id: str, change: UpdateUserBody, *, is_own: bool = False
    ) -> ChangedUserBody:
        now = self._clock.now_ms()
        locked = await self.lock_users(tx, [user_id])
        before = locked.get(user_id)
        if before is None:
            raise UserNotFound
        new_role = before.role if change.role is UNSET else change.role
        privileges = await self._roles.list_privileges_locked(tx, {before.role, new_role})
        if not is_own:
            require_never_upward(context.principal, privileges)
        if before.deleted_at is not None:
            raise UserDeleted
        if context.if_match is not None and context.if_match != before.version:
            raise VersionMismatch
        faults = faults_together(change) + ([] if new_role == before.role else _role_faults(privileges, new_role))
        after = _changed(before, change, context.principal.id, now, faults)
        _require_super_admin_left(before, after, locked.values(), now)
        if after is not before:
            await self.store_change(tx, before, after)
        events = [] if not changes_between(before, after) else [user_updated(before, after, change.reason)]
        stopped = await self._stop_access(tx, context.principal.id, before, change, now)
        if after.generation > before.generation and (change.disabled is not True or change.revoke_sessions is False):
            await self._sessions.refuse_older(tx, {user_id: after.generation}, now)
        if stopped is not None:
            events.append(
                user_disabled(
                    user_id,
                    was_disabled=before.disabled,
                    reason=change.reason,
                    sessions_revoked=stopped.sessions_revoked,
                )
            )
        if before.disabled and not after.disabled:
            events.append(user_enabled(user_id, change.reason))
        await self._audit.record_many(tx, context, events)
        return changed_body_of(after, now, stopped)

    async def store_change(self, tx: Transaction, before: User, after: User) -> None:
        """Write a locked user anew. With another address go links and failed sign-ins, and the old one is told.

        EmailBanned; UniqueViolation, of which conflict_of says what it is.
        """
        await repository.update_user(tx, after)
        if after.email_key != before.email_key:
            await self._require_open_address(tx, after.email_key, after.updated_at)
            keys = (before.email_key, after.email_key)
            await repository.delete_failures(tx, [self._addresses.hash(tx.tenant_id, key) for key in keys])
            await delete_links(tx, [after.id], EVERY_PURPOSE)
            await self._mailer.tell_old_address(tx, after.id, before.email)
        await change_counters(tx, counter_changes(before, after))

    async def _stop_access(
        self, tx: Transaction, by: str, before: User, change: UpdateUserBody, now_ms: int
    ) -> AccessStopped | None:
        """End what a disable ends; None when it asks for no disable, or when there was nothing left to end."""
        if change.disabled is not True:
            return None
        ending = Ending(RevokeCause.USER_DISABLED, by, now_ms)
        if change.revoke_sessions is False:
            kept = None if before.disabled else await self._sessions.keep_sessions(tx, [before.id], ending)
            return None if kept is None else kept.stopped()
        ended = await self._sessions.revoke_sessions(tx, [before.id], ending)
        return None if before.disabled and not ended.by_user else ended.stopped()

    async def _require_sound(self, tenant_id: str, body: CreateUserBody) -> None:
        """Refuse what no single field's type can: all of it at once, the role among it."""
        faults = faults_together(body)
        if not faults:
            return

        async def query(reader: Reader) -> dict[str, bool]:
            return await self._roles.list_privileges(reader, [body.role])

        faults += _role_faults(await self._db.read(tenant_id, query), body.role)
        raise Invalid(details=faults)

    async def _write(
        self, context: Context, command: Command[T], result: type[T], guard: Guard | None, email: str | None
    ) -> T:
        """Write, and say which Conflict it is when something unique was taken. The guard is for replays only."""
        try:
            return await self._db.write(
                context.tenant_id,
                command,
                result,
                guard=None if context.idempotency is None else guard,
                idempotency=context.idempotency,
            )
        except UniqueViolation as taken:
            raise await self.conflict_of(context.tenant_id, taken, email) from taken

    async def _require_open_address(self, tx: Transaction, key: str, now_ms: int) -> None:
        """Refuse an address that was banned with an erased user. Called with the address already written.

        Who takes an address that is just being erased waits for that at the write, and sees the ban only after it.
        """
        address_hash = self._addresses.hash(tx.tenant_id, key)
        if await repository.get_closed_address(tx, address_hash, now_ms) is not None:
            raise EmailBanned


def say_subject(context: Context, subject_id: str) -> None:
    """Have the answer that is kept for retries destroyed with the user whom it shows: an id, or an address's hash."""
    if context.idempotency is not None:
        context.idempotency.subject_id = subject_id


def require_never_upward(principal: Principal, privileges: Mapping[str, bool]) -> None:
    """Raise InsufficientScope when one of the roles is privileged and the caller may not manage administrators."""
    if any(privileges.values()):
        principal.require(Scope.ADMINS_MANAGE)


def is_active_super_admin(user: User, now_ms: int) -> bool:
    """Say whether the user can administer administrators now: disabled, banned and deleted super admins can't."""
    stopped = user.disabled or user.deleted_at is not None or is_banned(user, now_ms)
    return user.role == BuiltinRole.SUPER_ADMIN and not stopped


def _require_super_admin_left(before: User, after: User, locked: Iterable[User], now_ms: int) -> None:
    if not is_active_super_admin(before, now_ms) or is_active_super_admin(after, now_ms):
        return
    if not any(is_active_super_admin(user, now_ms) for user in locked if user.id != before.id):
        raise LastSuperAdmin


def _role_faults(privileges: Mapping[str, bool], role: str) -> list[FieldError]:
    return [] if role in privileges else [FieldError("role", FieldCode.UNKNOWN, "There is no such role.")]


def _new_user(user_id: str, body: CreateUserBody, now_ms: int) -> User:
    return User(
        id=user_id,
        email=body.email,
        email_key=email_key(body.email),
        email_verified=body.email_verified,
        username=body.username,
        name=body.name,
        name_key=None if body.name is None else fold(body.name),
        phone=body.phone,
        phone_verified=body.phone_verified,
        avatar_url=body.avatar_url,
        external_id=body.external_id,
        role=body.role,
        invited_at=now_ms if body.send_invitation else None,
        public_metadata=_encoded(merge_patch({}, body.public_metadata)),
        private_metadata=_encoded(merge_patch({}, body.private_metadata)),
        created_at=now_ms,
        updated_at=now_ms,
    )


def _changed(before: User, change: UpdateUserBody, by: str, now_ms: int, faults: list[FieldError]) -> User:
    """Return the user after the change, `before` itself when nothing differs; Invalid with `faults` and its own."""
    values = {name: getattr(change, name) for name in _PLAIN if getattr(change, name) is not UNSET}
    if "name" in values:
        values["name_key"] = None if values["name"] is None else fold(values["name"])
    if "email" in values:
        values["email_key"] = email_key(values["email"])
        if values["email_key"] != before.email_key:
            values.setdefault("email_verified", False)
            values |= {"locked_at": None, "locked_until": None}
    if values.get("phone", before.phone) != before.phone:
        values.setdefault("phone_verified", False)
    values |= _merged(before, change, faults)
    if change.disabled is not UNSET and change.disabled != before.disabled:
        values["disabled"] = change.disabled
        who = (now_ms, by, change.reason) if change.disabled else (None, None, None)
        values["disabled_at"], values["disabled_by"], values["disabled_reason"] = who
    after = msgspec.structs.replace(before, **values)
    if change.phone is UNSET and after.phone_verified and after.phone is None:
        faults.append(NO_PHONE)
    if faults:
        raise Invalid(details=faults)
    if after == before:
        return before
    stale = after.role != before.role or after.email != before.email or (after.disabled and not before.disabled)
    return msgspec.structs.replace(
        after, updated_at=now_ms, version=before.version + 1, generation=before.generation + stale
    )


def _merged(before: User, change: UpdateUserBody, faults: list[FieldError]) -> dict[str, str]:
    """Return the metadata columns that the change names, and add to `faults` each one that grew too large."""
    merged: dict[str, str] = {}
    for field in ("public_metadata", "private_metadata"):
        patch = getattr(change, field)
        if patch is not UNSET:
            merged[field] = _encoded(merge_patch(msgspec.json.decode(getattr(before, field)), patch))
            if len(merged[field].encode()) > MAX_METADATA_BYTES:
                message = f"With what is there already it would be more than {MAX_METADATA_BYTES} bytes as JSON."
                faults.append(FieldError(field, FieldCode.TOO_LONG, message))
    return merged


def _encoded(metadata: Any) -> str:
    return msgspec.json.encode(metadata).decode()
