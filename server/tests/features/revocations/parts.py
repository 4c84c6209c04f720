"""A verifier that only follows the feed: what it refuses is what it was told."""

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from hellojohn_server.features.revocations.schemas import RevocationBody
from hellojohn_server.kit.tokens import AccessClaims
from tests.features.auth.parts import Front


def parts_of(token: str) -> tuple[Mapping[str, Any], AccessClaims]:
    """Return the header and the claims of a token. Whoever it is of, its signature is not looked at."""
    header, claims, _ = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    return msgspec.json.decode(header), msgspec.json.decode(claims, type=AccessClaims)


class Follower:
    """Follows a tenant's feed from its beginning, `limit` entries at a time."""

    def __init__(self, front: Front, limit: int = 1000) -> None:
        self._front = front
        self._limit = limit
        self.cursor: str | None = None
        self.entries: list[RevocationBody] = []

    async def follow(self) -> list[RevocationBody]:
        """Read on until there is no more, and return what came."""
        came: list[RevocationBody] = []
        has_more = True
        while has_more:
            since = "" if self.cursor is None else f"&since={self.cursor}"
            answer = await self._front.admin("GET", f"/v1/revocations?limit={self._limit}{since}")
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert len(body["data"]) <= self._limit
            came += msgspec.convert(body["data"], list[RevocationBody])
            has_more, self.cursor = body["has_more"], body["next_cursor"]
        self.entries += came
        return came

    def refuses(self, token: str) -> bool:
        """Say whether an entry concerns this token now."""
        return is_refused(token, self.entries, self._front.app.services.clock.now_ms())


def is_refused(token: str, entries: list[RevocationBody], now_ms: int) -> bool:
    """Say whether one of the entries concerns a token at a time, as docs/revocations.md has it."""
    header, claims = parts_of(token)
    for entry in entries:
        revoked_at, forget_at = (_ms(at) for at in (entry.revoked_at, entry.forget_at))
        concerned = (
            (entry.session_id == claims.sid and revoked_at <= now_ms)
            or (entry.user_id == claims.sub and isinstance(entry.gen_below, int) and claims.gen < entry.gen_below)
            or entry.kid == header["kid"]
            or (entry.tenant_id == claims.tenant_id and claims.iat * 1000 <= revoked_at)
        )
        if concerned and now_ms < forget_at:
            return True
    return False


def _ms(written: str) -> int:
    return round(msgspec.convert(written, type=dt.datetime).timestamp() * 1000)
