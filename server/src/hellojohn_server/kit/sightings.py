"""When keys and users were last seen: kept in memory, and written together every few seconds, not on every request."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

CAPACITY: Final = 100_000
"""How many subjects are held between two drains."""


class SightingKind(StrEnum):
    """What is seen."""

    API_KEY = "api_key"
    USER = "user"


APART_MS: Final = {SightingKind.API_KEY: 60_000, SightingKind.USER: 300_000}
"""How far apart two times of one subject are that are worth writing."""

Seen: TypeAlias = dict[str, int]
"""Ids, and when each was last seen in milliseconds."""


class Sightings:
    """The subjects seen since the last drain, at most `capacity` of them. Belongs to one event loop."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._seen: dict[tuple[SightingKind, str], Seen] = {}
        self._held = 0

    def note(self, kind: SightingKind, tenant_id: str, subject_id: str, stored_at: int | None, now_ms: int) -> None:
        """Note that a subject is seen now, unless `stored_at`, what the store says of it, is recent enough.

        When there is no more room, a subject that is not held yet is left out; it is noted when it is seen again.
        """
        if stored_at is None or now_ms - stored_at >= APART_MS[kind]:
            self._put(kind, tenant_id, subject_id, now_ms)

    def put_back(self, kind: SightingKind, tenant_id: str, seen: Mapping[str, int]) -> None:
        """Hold again what was drained and could not be written; what was seen later stays as it is."""
        for subject_id, at in seen.items():
            self._put(kind, tenant_id, subject_id, at)

    def drain(self) -> dict[tuple[SightingKind, str], Seen]:
        """Return what was seen, by kind and tenant, and hold nothing any more."""
        drained, self._seen, self._held = self._seen, {}, 0
        return drained

    def _put(self, kind: SightingKind, tenant_id: str, subject_id: str, at_ms: int) -> None:
        seen = self._seen.get((kind, tenant_id), {})
        before = seen.get(subject_id)
        if before is None:
            if self._held >= self._capacity:
                return
            self._held += 1
            self._seen[kind, tenant_id] = seen
        seen[subject_id] = at_ms if before is None else max(before, at_ms)
