"""To whom an act on many users would be done as things are: who is found, and who of them is left out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.search.schemas import Extent, Match, Place, SearchFilters, UserFilter
from hellojohn_server.features.search.service import UserSearch, filter_of
from hellojohn_server.features.selections.schemas import Action, Exclusion, Judged, Parameters, Selection, Target
from hellojohn_server.features.user_access.schemas import BanUserBody
from hellojohn_server.features.user_access.service import ban_of
from hellojohn_server.features.user_acts.schemas import Case
from hellojohn_server.features.user_acts.service import Act, Delete, Disable, Enable, Restore, RevokeSessions, Unban
from hellojohn_server.features.user_changes.service import SetMetadata, SetRole
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdPrefix, is_id
from hellojohn_server.storage.database import Database, Reader

CHUNK: Final = 2_000
"""How many users are looked at in one read."""
ALWAYS_DUE: Final = frozenset({Action.PASSWORD_RESET, Action.REVOKE_SESSIONS})
"""Of these nobody can say in advance whether there will be something to do: sessions come and go."""
_PLAIN: Final[Mapping[Action, type[Delete | Enable | Restore | RevokeSessions | Unban]]] = {
    Action.DELETE: Delete,
    Action.ENABLE: Enable,
    Action.RESTORE: Restore,
    Action.REVOKE_SESSIONS: RevokeSessions,
    Action.UNBAN: Unban,
}


def act_of(action: Action, parameters: Parameters, at_ms: int) -> Act | None:
    """Return the act for a job that starts at `at_ms`; None for a forced reset, which needs secrets for its users.

    Invalid when a ban would end in the past.
    """
    reason = parameters.reason
    match action:
        case Action.BAN:
            body = BanUserBody(reason=reason, expires_in=parameters.expires_in, expires_at=parameters.expires_at)
            return ban_of(body, at_ms)
        case Action.DISABLE:
            return Disable(reason, revoke=parameters.revoke_sessions is not False)
        case Action.SET_ROLE:
            return SetRole(reason, parameters.role or "")
        case Action.SET_METADATA:
            return SetMetadata(reason, (parameters.public_metadata, parameters.private_metadata))
        case Action.PASSWORD_RESET:
            return None
        case _:
            return _PLAIN[action](reason)


class SelectionService:
    """Finds and judges the users of one tenant at a time."""

    def __init__(self, db: Database, clock: Clock, *, roles: RoleService, search: UserSearch) -> None:
        self._db = db
        self._clock = clock
        self._roles = roles
        self._search = search

    async def walk(
        self, tenant_id: str, target: Target, place: Place | None
    ) -> AsyncGenerator[tuple[Judged, Place | None], None]:
        """Yield what a query finds beyond a place, CHUNK at a time, with the place after it; None at the end."""
        wanted = wanted_by(target.selection)
        extent = _extent_of(target.action)
        while True:
            matches, place = await self._search.list_matches(tenant_id, wanted, place, limit=CHUNK, extent=extent)
            yield await self._judge(tenant_id, target, matches), place
            if place is None:
                return

    async def judge_ids(self, tenant_id: str, target: Target, asked: Sequence[str]) -> Judged:
        """Return what comes of users who were named, each once."""
        user_ids = [user_id for user_id in asked if is_id(user_id, IdPrefix.USER)]

        async def query(reader: Reader) -> list[Match]:
            return await self._search.list_users_among(reader, user_ids, _extent_of(target.action))

        matches = await self._db.read(tenant_id, query, long=True)
        judged = await self._judge(tenant_id, target, matches)
        found = {match.id for match in matches}
        missing = [user_id for user_id in asked if user_id not in found]
        if missing:
            judged.excluded[Exclusion.NO_SUCH_USER] = missing
        judged.matched = len(asked)
        return judged

    async def list_still_found(self, reader: Reader, selection: Selection, user_ids: Sequence[str]) -> set[str]:
        """Return those of these users whom the query still finds; all of them if they were named."""
        if selection.is_by_ids:
            return set(user_ids)
        return set(await self._search.list_ids_among(reader, wanted_by(selection), user_ids))

    async def _judge(self, tenant_id: str, target: Target, matches: Sequence[Match]) -> Judged:
        now = self._clock.now_ms()
        act = act_of(target.action, target.selection.parameters, now)
        roles = {match.role for match in matches}

        async def query(reader: Reader) -> dict[str, bool]:
            return await self._roles.list_privileges(reader, roles)

        privileges = {} if target.manages or not roles else await self._db.read(tenant_id, query)
        judged = Judged(len(matches))
        for match in matches:
            if privileges.get(match.role, False):
                judged.excluded.setdefault(Exclusion.ROLE_PRIVILEGED, []).append(match.id)
                continue
            reason = _reason_against(act, target.action, match, now)
            if reason is None:
                judged.chosen.append(match.id)
            else:
                judged.excluded.setdefault(reason, []).append(match.id)
        return judged


def _extent_of(action: Action) -> Extent:
    return Extent.METADATA if action is Action.SET_METADATA else Extent.FACTS


def _reason_against(act: Act | None, action: Action, match: Match, now_ms: int) -> Exclusion | None:
    """Return why an act leaves a user out; None when it does not."""
    reaches_bin = act is not None and act.reaches_bin
    if match.deleted_at is not None and not reaches_bin:
        return Exclusion.DELETED
    if act is None:
        return None
    user = _user_of(match)
    case = Case(user, user, 0, now_ms)
    if act.refusal(case) is not None:
        return Exclusion.TOO_LARGE
    return None if action in ALWAYS_DUE or act.is_due(case) else Exclusion.ALREADY_SO


def wanted_by(selection: Selection) -> UserFilter:
    """Return which users are looked for."""
    return filter_of(selection.query, selection.filters or SearchFilters())


def _user_of(match: Match) -> User:
    """Return a user of whom only what a match has is known."""
    return User(
        id=match.id,
        email="",
        email_key="",
        role=match.role,
        created_at=0,
        updated_at=0,
        disabled=bool(match.disabled),
        banned_at=match.banned_at,
        banned_until=match.banned_until,
        ban_reason=match.ban_reason,
        deleted_at=match.deleted_at,
        public_metadata=match.public_metadata,
        private_metadata=match.private_metadata,
    )
