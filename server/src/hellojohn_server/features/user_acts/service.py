"""The acts on users' access: whom each may be done to, what it changes, which sessions it ends, what it records.

An act is defined once, for any number of users: the call on one user performs it on a list of one.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.service import delete_every_link, delete_links
from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.roles.errors import RoleNotFound
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.schemas import Ending, RevokeCause
from hellojohn_server.features.sessions.service import Revocation, SessionService
from hellojohn_server.features.user_acts import repository
from hellojohn_server.features.user_acts.events import (
    user_banned,
    user_deleted,
    user_disabled,
    user_enabled,
    user_erased,
    user_password_set,
    user_restored,
    user_sessions_revoked,
    user_unbanned,
    user_unlocked,
)
from hellojohn_server.features.user_acts.schemas import Case, ClosedAddress, Moment, Refused
from hellojohn_server.features.users.errors import LastSuperAdmin, UserDeleted
from hellojohn_server.features.users.schemas import PasswordOrigin, User, facets_of, is_banned, is_locked
from hellojohn_server.features.users.service import UserService, change_counters, is_active_super_admin
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import NewPasswordBy
from hellojohn_server.kit.errors import ApiError, InsufficientScope, VersionMismatch
from hellojohn_server.kit.ids import IdPrefix, is_id
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.retention import RECYCLE_BIN_MS
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.storage.database import Parameter, Transaction

_FACTS: Final = ("disabled", "email_verified", "mfa_enrolled")
_FEW: Final = 10
"""So many users are changed without letting reads go on in between."""


class Act(ABC):
    """Something that is done to locked users. All of them are given the same reason."""

    statement: repository.UsersUpdate
    """What changes the users for whom it is due."""

    takes_access = False
    """Whether it takes from users the access they have: then it says what it ended, also if that is nothing."""

    reaches_bin = False
    """Whether it is done to users in the recycle bin as well."""

    ends: RevokeCause | None = None
    """What it says of the sessions that it ends; None: it ends none."""

    removes = False
    """Whether nothing of the users is left."""

    keeps_own_sessions = False
    """Whether only impersonations end, and the users' own sessions rest."""

    gives: Sequence[str] = ()
    """The roles that it gives to users."""

    def __init__(self, reason: str | None) -> None:
        self.reason = reason

    def refusal(self, case: Case) -> ApiError | None:  # noqa: ARG002 - mostly there is none
        """Return why it cannot be done to this user, beside what holds for every act; None when it can."""
        return None

    def given_role(self, case: Case) -> str | None:  # noqa: ARG002 - most give none
        """Return which of the roles it gives to this user. Who gives a privileged one must be one who may."""
        return None

    @abstractmethod
    def holds(self, case: Case) -> bool:
        """Say whether what it brings about is so already."""

    def is_due(self, case: Case) -> bool:
        """Say whether there is something to change."""
        return not self.holds(case)

    def stops(self, case: Case) -> bool:
        """Say whether it takes the access of this user."""
        return self.takes_access and not self.holds(case)

    def demotes(self, case: Case) -> bool:
        """Say whether this user, if a super admin who can administer, is none afterwards."""
        return self.stops(case)

    def values(self, moment: Moment) -> dict[str, Parameter]:
        """Return what its statement may take beside the users' ids."""
        return {"by": moment.by, "now": moment.now_ms, "reason": self.reason}

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:  # noqa: ARG002 - mostly alike
        """Return the same where it differs by user; `cases` are those for whom it is due."""
        return self.values(moment)

    @abstractmethod
    def event(self, case: Case) -> Event:
        """Return the entry of one user who was changed or whose sessions ended."""

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:  # noqa: B027 - mostly there is nothing
        """Do what belongs to it for those who were changed and for those who were so already."""


class Disable(Act):
    """No sign-in. Sessions end, or with `revoke` false rest until the user is enabled."""

    statement = repository.UPDATE_DISABLED
    takes_access = True
    ends = RevokeCause.USER_DISABLED

    def __init__(self, reason: str | None, *, revoke: bool) -> None:
        super().__init__(reason)
        self.keeps_own_sessions = not revoke

    def holds(self, case: Case) -> bool:
        return case.before.disabled

    def event(self, case: Case) -> Event:
        return user_disabled(case.before, self.reason, case.ended)


class Enable(Act):
    """The end of a disable."""

    statement = repository.UPDATE_ENABLED

    def holds(self, case: Case) -> bool:
        return not case.before.disabled

    def event(self, case: Case) -> Event:
        return user_enabled(case.before, self.reason)


class Ban(Act):
    """No sign-in until `until` (None: without end), and nobody else takes the address. A ban that holds is changed."""

    statement = repository.UPDATE_BANNED
    takes_access = True
    ends = RevokeCause.USER_BANNED

    def __init__(self, reason: str | None, until: int | None) -> None:
        super().__init__(reason)
        self._until = until

    def holds(self, case: Case) -> bool:
        return is_banned(case.before, case.now_ms)

    def is_due(self, case: Case) -> bool:
        is_same = (case.before.ban_reason, case.before.banned_until) == (self.reason, self._until)
        return not (self.holds(case) and is_same)

    def values(self, moment: Moment) -> dict[str, Parameter]:
        return {**super().values(moment), "until": self._until}

    def event(self, case: Case) -> Event:
        return user_banned(case.before, case.after, self.reason, case.ended, case.now_ms)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        if self._until is not None and cases:
            tx.mark_due(self._until)


class Unban(Act):
    """The end of a ban. What the ban ended stays ended."""

    statement = repository.UPDATE_UNBANNED

    def holds(self, case: Case) -> bool:
        return not is_banned(case.before, case.now_ms)

    def event(self, case: Case) -> Event:
        return user_unbanned(case.before, self.reason)


class Unlock(Act):
    """The end of a lock by failed sign-ins, and of the count that leads to one."""

    statement = repository.UPDATE_UNLOCKED

    def __init__(self, reason: str | None, addresses: AddressHasher) -> None:
        super().__init__(reason)
        self._addresses = addresses

    def holds(self, case: Case) -> bool:
        return not is_locked(case.before, case.now_ms)

    def event(self, case: Case) -> Event:
        return user_unlocked(case.before, self.reason)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        hashes = [self._addresses.hash(tx.tenant_id, case.before.email_key) for case in cases]
        await repository.delete_failures(tx, hashes)


class Delete(Act):
    """Into the recycle bin."""

    statement = repository.UPDATE_DELETED
    takes_access = True
    reaches_bin = True
    ends = RevokeCause.USER_DELETED

    def holds(self, case: Case) -> bool:
        return case.before.deleted_at is not None

    def event(self, case: Case) -> Event:
        return user_deleted(case.before, self.reason, case.ended)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        for case in cases[:1]:
            tx.mark_due(case.now_ms + RECYCLE_BIN_MS)


class Restore(Act):
    """Out of the recycle bin. What kept the user out before the bin still does."""

    statement = repository.UPDATE_RESTORED
    reaches_bin = True

    def holds(self, case: Case) -> bool:
        return case.before.deleted_at is None

    def event(self, case: Case) -> Event:
        return user_restored(case.before, self.reason)


class Erase(Act):
    """Everything held about a person, for good. Who is under a ban leaves a hash of the address until the ban ends.

    No reason is kept. The entry is written when those about the person have lost their values.
    """

    statement = repository.DELETE_USERS
    takes_access = True
    reaches_bin = True
    removes = True
    ends = RevokeCause.USER_DELETED

    def __init__(self, audit: AuditLog, sessions: SessionService, addresses: AddressHasher) -> None:
        super().__init__(None)
        self._audit = audit
        self._sessions = sessions
        self._addresses = addresses

    def holds(self, case: Case) -> bool:  # noqa: ARG002 - whoever is found is there
        return False

    def event(self, case: Case) -> Event:
        return user_erased(case.before, case.ended)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        user_ids = [case.before.id for case in cases]
        hashes = [self._addresses.hash(tx.tenant_id, case.before.email_key) for case in cases]
        await self._sessions.delete_sessions_of(tx, user_ids)
        await repository.delete_held(tx, user_ids, [case.before.email_key for case in cases])
        await repository.delete_answers(tx, [*user_ids, *hashes])
        await delete_every_link(tx, user_ids)
        await repository.delete_failures(tx, hashes)
        await self._audit.erase_subjects(tx, user_ids)
        closed = [
            ClosedAddress(address_hash, case.before.banned_until, case.now_ms)
            for address_hash, case in zip(hashes, cases, strict=True)
            if is_banned(case.before, case.now_ms)
        ]
        await repository.insert_closed_addresses(tx, closed)
        for address in closed:
            if address.banned_until is not None:
                tx.mark_due(address.banned_until)


class RevokeSessions(Act):
    """The end of every session. The user may sign in again at once."""

    statement = repository.UPDATE_GENERATION
    ends = RevokeCause.SESSIONS_REVOKED

    def holds(self, case: Case) -> bool:
        return case.ended == 0

    def event(self, case: Case) -> Event:
        return user_sessions_revoked(case.before, self.reason, case.ended)


class SetPassword(Act):
    """A password from an administrator. Sessions end with `revoke`; the user is told by mail."""

    statement = repository.UPDATE_PASSWORD

    def __init__(
        self, reason: str | None, password_hash: str, origin: PasswordOrigin, *, revoke: bool, users: UserService
    ) -> None:
        super().__init__(reason)
        self._users = users
        self._hash = password_hash
        self._origin = origin
        self.ends = RevokeCause.PASSWORD_SET if revoke else None

    def holds(self, case: Case) -> bool:  # noqa: ARG002 - two hashes do not tell whether the passwords are the same
        return False

    def values(self, moment: Moment) -> dict[str, Parameter]:
        raised = 0 if self.ends is None else 1
        return {**super().values(moment), "password_hash": self._hash, "raised": raised}

    def event(self, case: Case) -> Event:
        return user_password_set(case.before, self.reason, self._origin, case.ended)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        await delete_links(tx, [case.before.id for case in cases])
        for user in [case.before for case in cases]:
            await self._users.tell_new_password(tx, user.id, user.email, NewPasswordBy.ADMINISTRATOR)


class Outcome(msgspec.Struct, frozen=True):
    """What an act did. `cases` are those it was done to, in the order given; `changed` says for whom it was due."""

    asked: int
    cases: Sequence[Case]
    changed: frozenset[str]
    revocation: Revocation
    not_found: Sequence[str]
    refused: Sequence[Refused]

    @property
    def unchanged(self) -> int:
        """For how many it was so already."""
        return len(self.cases) - len(self.changed)


Summary = Callable[[Outcome], Event]
"""Returns the entry of a call beside those of its users."""


class UserActs:
    """Performs acts. Acts on one user run one after another, whatever they are."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        clock: Clock,
        audit: AuditLog,
        *,
        roles: RoleService,
        sessions: SessionService,
        users: UserService,
        addresses: AddressHasher,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._sessions = sessions
        self._users = users
        self._addresses = addresses

    def unlock(self, reason: str | None) -> Unlock:
        """Return the act that lifts locks."""
        return Unlock(reason, self._addresses)

    def erase(self) -> Erase:
        """Return the act that erases users."""
        return Erase(self._audit, self._sessions, self._addresses)

    async def erase_locked(self, tx: Transaction, context: Context, users: Sequence[User]) -> int:
        """Erase users whom nobody else changes until `tx` ends, and return how many.

        Whether they are to be erased is for the caller to say.
        """
        return len((await self.perform(tx, context, self.erase(), [user.id for user in users])).changed)

    async def perform(
        self, tx: Transaction, context: Context, act: Act, user_ids: Sequence[str], summary: Summary | None = None
    ) -> Outcome:
        """Do an act in `tx`: the same number of statements however many users, and one entry for each one changed.

        Repeated ids count once; malformed ones are of no user. Who may not be acted on is left alone. With several
        super admins, the last active one in the order given stays.
        """
        moment = Moment(context.principal.id, self._clock.now_ms())
        asked = list(dict.fromkeys(user_ids))
        locked = await self._users.lock_users(tx, [user_id for user_id in asked if is_id(user_id, IdPrefix.USER)])
        await _pause(tx, locked)
        found = [_case_of(locked[user_id], moment) for user_id in asked if user_id in locked]
        roles = {*act.gives, *(case.before.role for case in found)}
        privileges = await self._roles.list_privileges_locked(tx, roles)
        active = {user.id for user in locked.values() if is_active_super_admin(user, moment.now_ms)}
        allowed, refused = _judge(act, context, found, privileges, active)
        revocation = await self._end_sessions(tx, act, allowed, moment)
        await _pause(tx, allowed)
        ended = revocation.by_user
        cases = [Case(case.before, case.before, ended.get(case.before.id, 0), moment.now_ms) for case in allowed]
        to_change = [case for case in cases if act.is_due(case)]
        due = {case.before.id: case.before for case in to_change}
        after = await repository.update_users(tx, act.statement, due, act.values_for(moment, to_change))
        await _pause(tx, due)
        cases = [Case(case.before, after.get(case.before.id, case.before), case.ended, case.now_ms) for case in cases]
        await self._refuse_older(tx, act, cases, moment)
        await change_counters(tx, _counter_changes(act, cases))
        await act.follow_up(tx, cases)
        outcome = Outcome(
            asked=len(asked),
            cases=cases,
            changed=frozenset(due),
            revocation=revocation,
            not_found=[user_id for user_id in asked if user_id not in locked],
            refused=refused,
        )
        events = [act.event(case) for case in cases if case.ended or case.before.id in outcome.changed]
        await self._audit.record_many(tx, context, [*events, *([] if summary is None else [summary(outcome)])])
        return outcome

    async def _end_sessions(self, tx: Transaction, act: Act, cases: Sequence[Case], moment: Moment) -> Revocation:
        if act.ends is None:
            return Revocation({}, residual_seconds=0)
        ending = Ending(act.ends, moment.by, moment.now_ms)
        if act.keeps_own_sessions:
            return await self._sessions.keep_sessions(tx, [case.before.id for case in cases if act.stops(case)], ending)
        return await self._sessions.revoke_sessions(tx, [case.before.id for case in cases], ending)

    async def _refuse_older(self, tx: Transaction, act: Act, cases: Sequence[Case], moment: Moment) -> None:
        """Have verifiers refuse the older tokens of users whose sessions go on."""
        ends_all = act.ends is not None and not act.keeps_own_sessions
        raised = [case.after for case in cases if case.after.generation > case.before.generation]
        if raised and not ends_all:
            await self._sessions.refuse_older(tx, {user.id: user.generation for user in raised}, moment.now_ms)


def _case_of(user: User, moment: Moment) -> Case:
    return Case(user, user, 0, moment.now_ms)


def _judge(
    act: Act, context: Context, found: Sequence[Case], privileges: Mapping[str, bool], active: set[str]
) -> tuple[list[Case], list[Refused]]:
    """Return who may be acted on and who may not, as if one came after the other. `active`: the super admins left."""
    may_manage = context.principal.may(Scope.ADMINS_MANAGE)
    allowed: list[Case] = []
    refused: list[Refused] = []
    for case in found:
        user, given = case.before, act.given_role(case)
        if not may_manage and (privileges.get(user.role, False) or (given and privileges.get(given, False))):
            refused.append(Refused(user.id, InsufficientScope([Scope.ADMINS_MANAGE])))
        elif user.deleted_at is not None and not act.reaches_bin:
            refused.append(Refused(user.id, UserDeleted()))
        elif context.if_match is not None and context.if_match != user.version:
            refused.append(Refused(user.id, VersionMismatch()))
        elif given is not None and given not in privileges:
            refused.append(Refused(user.id, RoleNotFound()))
        elif (refusal := act.refusal(case)) is not None:
            refused.append(Refused(user.id, refusal))
        elif len(active) == 1 and user.id in active and act.demotes(case):
            refused.append(Refused(user.id, LastSuperAdmin()))
        else:
            allowed.append(case)
            if user.id in active and act.demotes(case):
                active.discard(user.id)
    return allowed, refused


async def _pause(tx: Transaction, worked_on: Mapping[str, User] | Sequence[object]) -> None:
    """Let reads go on, if what was done took long."""
    if len(worked_on) > _FEW:
        await tx.slice()


def _counter_changes(act: Act, cases: Sequence[Case]) -> dict[str, int]:
    changes: Counter[str] = Counter()
    for before, after in [(case.before, case.after) for case in cases if case.after is not case.before]:
        if not act.removes and before.role == after.role and before.deleted_at is None is after.deleted_at:
            for facet in _FACTS:  # what else counts a user no act changes
                changes[facet] += getattr(after, facet) - getattr(before, facet)
        else:
            changes.update(() if act.removes else facets_of(after))
            changes.subtract(facets_of(before))
    return changes
