"""Ending sessions, in the transaction of the act that ends them."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from hellojohn_server.features.sessions import repository
from hellojohn_server.features.sessions.schemas import AccessStopped, RevokeCause, residual_seconds
from hellojohn_server.storage.database import Transaction


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


class SessionService:
    """Knows users only by id. The caller records the act: ending sessions is part of it."""

    async def revoke_sessions(
        self, tx: Transaction, user_ids: Sequence[str], cause: RevokeCause, now_ms: int
    ) -> Revocation:
        """End every live session of the users, in one statement."""
        ended = await repository.update_live_sessions(tx, user_ids, cause.value, now_ms)
        return Revocation(
            Counter(session.user_id for session in ended),
            residual_seconds((session.access_expires_at for session in ended), now_ms),
        )

    async def keep_sessions(self, tx: Transaction, user_id: str, now_ms: int) -> Revocation:
        """End nothing, and say how long the user's tokens still pass a verifier that checks signatures only."""
        last = await repository.get_last_access(tx, user_id, now_ms)
        return Revocation({}, residual_seconds(() if last is None else (last,), now_ms))
