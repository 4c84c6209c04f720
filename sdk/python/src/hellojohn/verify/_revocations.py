"""What was revoked: taken in from the feed, asked for each token, forgotten when it can matter no more."""

import heapq
from datetime import datetime
from typing import Final

import msgspec

from hellojohn.verify._tokens import Claims

MAX_ENTRIES: Final = 200_000
AT_ONCE_SECONDS: Final = 300.0
"""A session's `revoked_at` that is further ahead than clocks differ is meant: its key is rotated with an overlap."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the feed. Of a type that this version does not know nothing can be done."""

    type: str
    revoked_at: datetime
    forget_at: datetime
    session_id: str = ""
    user_id: str = ""
    gen_below: int = 0
    kid: str = ""
    tenant_id: str = ""


class EntryPage(msgspec.Struct, frozen=True):
    """A page of the feed as JSON."""

    data: list[Entry]
    has_more: bool
    next_cursor: str


class Revocations:
    """Every entry that matters still, at most MAX_ENTRIES of them. Times are seconds since the epoch.

    One thread or task writes, any may ask.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._sessions: dict[str, float] = {}
        self._users: dict[str, int] = {}
        self._kids: set[str] = set()
        self._tenant_until: float | None = None
        self._forget: list[tuple[float, str, str]] = []
        self._forget_at: dict[tuple[str, str], float] = {}
        self._incomplete_until = 0.0
        self.is_suspended = False

    def __len__(self) -> int:
        return len(self._forget_at)

    def is_complete(self, now: float) -> bool:
        """Whether all that the feed told is here: not while something matters that there was no room for."""
        return now >= self._incomplete_until

    def add(self, entry: Entry, now: float) -> None:
        """Take in an entry, if there is room for it."""
        key = (entry.type, entry.session_id or entry.user_id or entry.kid or entry.tenant_id)
        forget_at = entry.forget_at.timestamp()
        if forget_at <= now:
            return
        if key not in self._forget_at and len(self._forget_at) >= self._max_entries:
            self._incomplete_until = max(self._incomplete_until, forget_at)
            return
        if forget_at > self._forget_at.get(key, 0):
            self._forget_at[key] = forget_at
            heapq.heappush(self._forget, (forget_at, *key))
        self._note(entry, key[1])

    def _note(self, entry: Entry, name: str) -> None:
        revoked_at = entry.revoked_at.timestamp()
        match entry.type:
            case "session":
                self._sessions[name] = min(revoked_at, self._sessions.get(name, revoked_at))
            case "user":
                self._users[name] = max(entry.gen_below, self._users.get(name, 0))
            case "signing_key":
                self._kids.add(name)
            case "tenant":
                self._tenant_until = max(revoked_at, self._tenant_until or 0)
            case _:
                return

    def forget(self, now: float) -> None:
        """Forget what no token is left of."""
        while self._forget and self._forget[0][0] <= now:
            at, kind, name = heapq.heappop(self._forget)
            if self._forget_at.get((kind, name)) != at:
                continue  # a later entry prolonged it
            del self._forget_at[kind, name]
            match kind:
                case "session":
                    self._sessions.pop(name, None)
                case "user":
                    self._users.pop(name, None)
                case "signing_key":
                    self._kids.discard(name)
                case "tenant":
                    self._tenant_until = None
                case _:
                    continue

    def has(self, kid: str, claims: Claims, now: float) -> bool:
        """Whether a token that is good otherwise was revoked."""
        revoked_at = self._sessions.get(claims.sid)
        return (
            self.is_suspended
            or kid in self._kids
            or (revoked_at is not None and revoked_at <= now + AT_ONCE_SECONDS)
            or claims.gen < self._users.get(claims.sub, 0)
            or (self._tenant_until is not None and claims.iat <= self._tenant_until)
        )
