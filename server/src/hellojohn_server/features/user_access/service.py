"""The acts on one user's access: each is performed on a list of one, whose refusal is the answer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.features.user_access.schemas import (
    LONGEST_BAN_SECONDS,
    BanUserBody,
    DisableUserBody,
    ReasonBody,
    SetPasswordBody,
)
from hellojohn_server.features.user_acts.service import (
    Act,
    Ban,
    Delete,
    Disable,
    Enable,
    Outcome,
    Restore,
    RevokeSessions,
    SetPassword,
    Unban,
    UserActs,
)
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import ChangedUserBody, changed_body_of, password_origin
from hellojohn_server.features.users.service import UserService, say_subject
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.times import parse_duration, to_ms
from hellojohn_server.storage.database import Database, Transaction

T = TypeVar("T")


class UserAccess:
    """Acts on one user of the caller's tenant.

    Each may raise UserNotFound, InsufficientScope (a privileged role, without admins:manage), UserDeleted (in the
    recycle bin, where it does not reach), VersionMismatch, LastSuperAdmin (where it takes access). What is so already
    changes nothing: no new version, no entry. Acts on one user run one after another, whatever they are.
    """

    def __init__(
        self, db: Database, clock: Clock, *, acts: UserActs, users: UserService, passwords: NewPasswords
    ) -> None:
        self._db = db
        self._clock = clock
        self._acts = acts
        self._users = users
        self._passwords = passwords

    async def disable_user(self, context: Context, user_id: str, body: DisableUserBody) -> ChangedUserBody:
        """Disable a user. For one who is disabled already, sessions that had been left to rest are ended."""
        return await self._change(context, user_id, Disable(body.reason, revoke=body.revoke_sessions))

    async def enable_user(self, context: Context, user_id: str, body: ReasonBody) -> ChangedUserBody:
        """Let a disabled user sign in again."""
        return await self._change(context, user_id, Enable(body.reason))

    async def ban_user(self, context: Context, user_id: str, body: BanUserBody) -> ChangedUserBody:
        """Ban a user, or change the ban. Invalid when its end is not in the future."""
        return await self._change(context, user_id, ban_of(body, self._clock.now_ms()))

    async def unban_user(self, context: Context, user_id: str, body: ReasonBody) -> ChangedUserBody:
        """Lift a ban."""
        return await self._change(context, user_id, Unban(body.reason))

    async def unlock_user(self, context: Context, user_id: str, body: ReasonBody) -> ChangedUserBody:
        """Lift a lock, and forget the failed sign-ins with the user's address, without an entry if there is no lock."""
        return await self._change(context, user_id, self._acts.unlock(body.reason))

    async def delete_user(self, context: Context, user_id: str, body: ReasonBody) -> ChangedUserBody:
        """Move a user to the recycle bin."""
        return await self._change(context, user_id, Delete(body.reason))

    async def erase_user(self, context: Context, user_id: str) -> None:
        """Erase a user for good. Needs users:erase, else InsufficientScope.

        Its answer is kept for retries without anything of the person, so that it outlives the user.
        """
        context.principal.require(Scope.USERS_ERASE)

        async def command(tx: Transaction) -> None:
            await self._perform(tx, context, user_id, self._acts.erase())

        await self._write(context, user_id, command, type(None))

    async def restore_user(self, context: Context, user_id: str, body: ReasonBody) -> ChangedUserBody:
        """Take a user out of the recycle bin."""
        return await self._change(context, user_id, Restore(body.reason))

    async def set_password(self, context: Context, user_id: str, body: SetPasswordBody) -> ChangedUserBody:
        """Set a user's password, and tell the user by mail. Always a change. PasswordHashingBusy."""
        faults = faults_together(body)
        if faults:
            raise Invalid(details=faults)
        origin = password_origin(body.password, body.password_hash)
        password_hash = body.password_hash or ""
        if body.password is not None:
            user = await self._users.require_user(context.tenant_id, user_id)
            about = (user.email, user.username, user.name)
            password_hash = await self._passwords.hash(context.tenant_id, body.password, about)
        act = SetPassword(body.reason, password_hash, origin, revoke=body.revoke_sessions, users=self._users)
        return await self._change(context, user_id, act)

    async def revoke_sessions(self, context: Context, user_id: str, body: ReasonBody) -> AccessStopped:
        """End every session of a user; zeros when there is none."""

        async def command(tx: Transaction) -> AccessStopped:
            outcome = await self._perform(tx, context, user_id, RevokeSessions(body.reason))
            return outcome.revocation.stopped()

        say_subject(context, user_id)
        return await self._write(context, user_id, command, AccessStopped)

    async def _change(self, context: Context, user_id: str, act: Act) -> ChangedUserBody:
        async def command(tx: Transaction) -> ChangedUserBody:
            outcome = await self._perform(tx, context, user_id, act)
            case = outcome.cases[0]
            is_said = case.ended > 0 or act.stops(case)
            return changed_body_of(case.after, case.now_ms, outcome.revocation.stopped() if is_said else None)

        say_subject(context, user_id)
        return await self._write(context, user_id, command, ChangedUserBody)

    async def _perform(self, tx: Transaction, context: Context, user_id: str, act: Act) -> Outcome:
        outcome = await self._acts.perform(tx, context, act, [user_id])
        if outcome.not_found:
            raise UserNotFound
        for refusal in outcome.refused:
            raise refusal.error
        return outcome

    async def _write(
        self, context: Context, user_id: str, command: Callable[[Transaction], Awaitable[T]], result: type[T]
    ) -> T:
        """Write. A replay is guarded like the first call."""
        return await self._db.write(
            context.tenant_id,
            command,
            result,
            guard=self._users.upward_guard(context, user_id),
            idempotency=context.idempotency,
        )


def ban_of(body: BanUserBody, now_ms: int) -> Ban:
    """Return the ban that is asked for at `now_ms`; Invalid when it ends in the past or too late."""
    faults = faults_together(body)
    until = None if body.expires_at is None else to_ms(body.expires_at)
    if until is not None and until <= now_ms:
        faults.append(FieldError("expires_at", FieldCode.OUT_OF_RANGE, "Must be in the future."))
    if until is not None and until > now_ms + LONGEST_BAN_SECONDS * 1000:
        message = "Must be at most a hundred years ahead. Leave it out for a ban without end."
        faults.append(FieldError("expires_at", FieldCode.OUT_OF_RANGE, message))
    if faults:
        raise Invalid(details=faults)
    seconds = None if body.expires_in is None else parse_duration(body.expires_in)
    return Ban(body.reason, until if seconds is None else now_ms + seconds * 1000)
