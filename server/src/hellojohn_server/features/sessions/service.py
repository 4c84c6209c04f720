"""Sessions as rows: begun, refreshed, listed, and ended in the transaction of the act that ends them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hellojohn_server.features.revocation_log.schemas import Revocation as Revoked
from hellojohn_server.features.revocation_log.schemas import RevocationType
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.sessions import repository
from hellojohn_server.features.sessions.errors import SessionNotFound
from hellojohn_server.features.sessions.repository import EndedSession
from hellojohn_server.features.sessions.schemas import (
    AccessStopped,
    Ending,
    ListSessionsQuery,
    Session,
    Terms,
    residual_seconds,
)
from hellojohn_server.kit.ids import IdPrefix, first_id_at, is_session_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.refresh_tokens import RefreshToken
from hellojohn_server.kit.retention import ENDED_SESSION_MS
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

_CLOCKS_APART_MS: Final = 60_000
_AT_A_TIME: Final = 500
_NAMED: Final = 1_000
"""So many sessions of a tenant that all end are each named to verifiers; of more, the tenant."""


class Revocation(msgspec.Struct, frozen=True):
    """What ending sessions did: how many of each user who had any, and the longest life of a token left behind."""

    by_user: Mapping[str, int]
    residual_seconds: int

    @property
    def sessions_revoked(self) -> int:
        """How many sessions were ended."""
        return sum(self.by_user.values())

    def stopped(self) -> AccessStopped:
        """Return what is shown of it."""
        return AccessStopped(self.sessions_revoked, self.residual_seconds)


def revocation_of(ended: Sequence[EndedSession], now_ms: int) -> Revocation:
    """Return what ending these sessions did."""
    return Revocation(
        Counter(session.user_id for session in ended),
        residual_seconds((session.access_expires_at for session in ended), now_ms),
    )


class SessionService:
    """Knows users and keys only by id. The caller records the act: what is done to sessions is part of it.

    Whatever ends here while an access token of it may be out is told to verifiers, in the same transaction.
    """

    def __init__(self, db: Database, cursors: CursorCodec, revocations: RevocationLog) -> None:
        self._db = db
        self._cursors = cursors
        self._revocations = revocations

    async def require_session(self, tenant_id: str, session_id: str) -> Session:
        """Return a session of the tenant, whatever its status; SessionNotFound when there is none."""

        async def query(reader: Reader) -> Session | None:
            return await repository.get_session(reader, session_id)

        session = await self._db.read(tenant_id, query) if is_session_id(session_id) else None
        if session is None:
            raise SessionNotFound
        return session

    async def get_session(self, reader: Reader, session_id: str) -> Session | None:
        """Return a session, whatever its status, or None."""
        return await repository.get_session(reader, session_id)

    async def list_sessions(self, tenant_id: str, query: ListSessionsQuery, now_ms: int) -> Page[Session]:
        """Return a page of sessions, newest first. Which are active is judged at `now_ms`. InvalidCursor."""
        wanted = repository.SessionFilter(query.user_id, query.status, query.impersonated)
        bound = ("sessions", wanted)
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(tenant_id, bound, query.cursor)[0])

        async def read(reader: Reader) -> Page[Session]:
            total, found = await repository.list_sessions(reader, wanted, query.limit + 1, after, now_ms)
            rows = list(found[: query.limit])
            more = len(found) > query.limit
            following = self._cursors.encode(tenant_id, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def begin_session(self, tx: Transaction, session: Session, refresh: RefreshToken | None) -> None:
        """Insert a session; `refresh` None: it cannot be refreshed. It is deleted some days after its end."""
        await repository.insert_session(tx, session, refresh)
        tx.mark_due(session.expires_at + ENDED_SESSION_MS)

    async def make_room(self, tx: Transaction, user_id: str, most: int | None, ending: Ending) -> int:
        """End a user's oldest sessions, so that with one more there are `most`; None: any number. Return how many.

        The caller holds the user's row, so that of many begun at once no more than these are left.
        """
        if most is None:
            return 0
        return len(
            await self._tell(tx, await repository.update_older_sessions(tx, user_id, most - 1, ending), ending.at)
        )

    async def refresh_session(
        self, tx: Transaction, used: RefreshToken, fresh: RefreshToken, terms: Terms, now_ms: int
    ) -> Session | None:
        """Put `fresh` in the place of `used`; None when it is not good. Of any number at once with one token, one is.

        The session that is returned has the end of the new access token, which one from before may outlive.
        """
        session = await repository.update_refreshed(tx, used, fresh, terms, now_ms)
        if session is None:
            return None
        tx.mark_due(session.expires_at + ENDED_SESSION_MS)
        return msgspec.structs.replace(session, access_expires_at=terms.access_end(session.expires_at, now_ms))

    async def get_session_of_family(self, tx: Transaction, token: RefreshToken) -> tuple[Session, bool] | None:
        """Return the session that a refresh token was made for, and whether it is the newest one; None for none."""
        return await repository.get_session_of_family(tx, token)

    async def set_organization(
        self, tx: Transaction, session_id: str, organization_id: str | None, role: str | None
    ) -> Session | None:
        """Have the user of a session be active in an organization (None: in none), and return the session."""
        return await repository.update_place(tx, session_id, organization_id, role)

    async def set_organization_role(self, tx: Transaction, organization_id: str, user_id: str, role: str) -> None:
        """Have every session of a user in an organization know the new role: its access tokens are stale then."""
        await repository.update_role_in_place(tx, organization_id, user_id, role)

    async def leave_organization(self, tx: Transaction, organization_id: str, user_id: str | None = None) -> None:
        """Have no session of a user (None: of anybody) be in an organization: such access tokens are stale then."""
        await repository.delete_places(tx, organization_id, user_id)

    async def revoke_session(self, tx: Transaction, session_id: str, ending: Ending) -> Session | None:
        """End a live session and return it; None when it is over or there is none. Of several at once one ends it."""
        session = await repository.update_live_session(tx, session_id, ending)
        if session is not None:
            await self._tell(tx, [EndedSession(session.id, session.user_id, session.access_expires_at)], ending.at)
        return session

    async def revoke_sessions(self, tx: Transaction, user_ids: Sequence[str], ending: Ending) -> Revocation:
        """End every live session of the users, impersonations included, in one statement."""
        ended = await repository.update_live_sessions(tx, user_ids, ending)
        return revocation_of(await self._tell(tx, ended, ending.at), ending.at)

    async def revoke_other_sessions(self, tx: Transaction, user_id: str, kept_id: str, ending: Ending) -> Revocation:
        """End every live session of a user but the one that is kept."""
        ended = await repository.update_other_sessions(tx, user_id, kept_id, ending)
        return revocation_of(await self._tell(tx, ended, ending.at), ending.at)

    async def revoke_impersonations_by(self, tx: Transaction, impersonator_id: str, ending: Ending) -> Revocation:
        """End every live impersonation that a credential made."""
        ended = await repository.update_impersonations_by(tx, impersonator_id, ending)
        return revocation_of(await self._tell(tx, ended, ending.at), ending.at)

    async def cap_impersonations_by(self, tx: Transaction, impersonator_id: str, ends_at: int) -> None:
        """Let no impersonation that a credential made last beyond `ends_at`, the credential's own end."""
        await self._tell(tx, await repository.update_impersonations_end(tx, impersonator_id, ends_at), ends_at)

    async def revoke_every_session(self, tx: Transaction, ending: Ending) -> Revocation:
        """End every live session of the tenant, some hundreds in a statement; reads go on in between.

        Those that are begun meanwhile are not waited for: it ends with the ids of now, and a minute for the clocks of
        other processes.
        """
        until = first_id_at(IdPrefix.SESSION, ending.at + _CLOCKS_APART_MS)
        ended, last_access, after = Counter[str](), ending.at, ""
        named: list[EndedSession] = []
        last_used = ending.at
        while True:
            some = await repository.update_next_live_sessions(tx, (after, until), _AT_A_TIME, ending)
            ended.update(session.user_id for session in some)
            out_there = [session for session in some if session.access_expires_at > ending.at]
            last_access = max([last_access, *(session.access_expires_at for session in out_there)])
            last_used = max([last_used, *(session.last_used_at for session in out_there)])
            named += out_there[: _NAMED + 1 - len(named)]
            if len(some) < _AT_A_TIME:
                break
            after = max(session.id for session in some)
            await tx.slice()
        if len(named) <= _NAMED:
            await self._tell(tx, named, ending.at)
        else:
            await self._revocations.record(
                tx, [Revoked(RevocationType.TENANT, tx.tenant_id, last_used, max(last_access, last_used + 1))]
            )
        return Revocation(ended, residual_seconds((last_access,), ending.at))

    async def refuse_older(self, tx: Transaction, generations: Mapping[str, int], now_ms: int) -> None:
        """Have verifiers refuse the access tokens of users from before their generation was raised to this one.

        For acts that let the sessions go on. The caller holds the users' rows.
        """
        last = await repository.list_access_locked(tx, list(generations), now_ms)
        await self._revocations.record(
            tx,
            [Revoked(RevocationType.USER, user_id, now_ms, last[user_id], generations[user_id]) for user_id in last],
        )

    async def keep_sessions(self, tx: Transaction, user_ids: Sequence[str], ending: Ending) -> Revocation:
        """End no session of the users' own, only impersonations; and say how long what is out there still passes.

        That is for verifiers that check signatures only: for a disable that leaves the sessions to rest.
        """
        last = await repository.list_access_locked(tx, user_ids, ending.at)
        ended = await self._tell(tx, await repository.update_impersonations_of(tx, user_ids, ending), ending.at)
        return Revocation(Counter(session.user_id for session in ended), residual_seconds(last.values(), ending.at))

    async def delete_sessions_of(self, tx: Transaction, user_ids: Sequence[str]) -> None:
        """Delete every session of users who are being erased."""
        await repository.delete_sessions_of(tx, user_ids)

    async def purge_ended_sessions(self, tenant_id: str, now_ms: int) -> None:
        """Delete the sessions that ended some days ago, some hundreds in each transaction."""
        before = now_ms - ENDED_SESSION_MS

        async def get_first(reader: Reader) -> int | None:
            return await repository.get_next_end(reader, before)

        if await self._db.read(tenant_id, get_first) is None:
            return

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_ended_sessions(tx, before, _AT_A_TIME)

        while await self._db.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _AT_A_TIME:
            pass

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the tenant's next session is to be deleted, or None."""
        next_end = await repository.get_next_end(reader)
        return None if next_end is None else next_end + ENDED_SESSION_MS

    async def _tell(self, tx: Transaction, ended: list[EndedSession], at_ms: int) -> list[EndedSession]:
        """Have verifiers refuse what is out of these sessions from `at_ms` on, and return them."""
        told = [Revoked(RevocationType.SESSION, one.id, at_ms, one.access_expires_at) for one in ended]
        await self._revocations.record(tx, told)
        return ended
