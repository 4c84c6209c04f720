"""A feed of revocations that does what it is told to, in front of a real server that does everything else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from tests.sdk.typescript.recorder import Recorder, Site, served

BEAT_SECONDS: Final = 0.05


class Mode(Enum):
    """How the feed behaves."""

    BAD_CURSOR = "bad cursor"
    BROKEN = "broken"
    PAGES = "pages"
    STALLED = "stalled"
    STREAM = "stream"
    SUSPENDED = "suspended"


class ScriptedFeed:
    """Serves /v1/revocations; a cursor is how many entries came before it. `asked` are the cursors of its requests."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.entries: list[dict[str, str]] = []
        self.mode = Mode.STREAM
        self.asked: list[str | None] = []

    def tell(self, kind: str, **named: Any) -> None:
        """Have an entry in the feed."""
        now = datetime.now(UTC)
        times = {"revoked_at": now.isoformat(), "forget_at": (now + timedelta(minutes=15)).isoformat()}
        self.entries.append({"type": kind, **named, **times})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != "/v1/revocations":
            await self._app(scope, receive, send)
            return
        since = parse_qs(scope["query_string"].decode()).get("since", [None])[0]
        self.asked.append(since)
        is_stream = b"text/event-stream" in dict(scope["headers"])[b"accept"]
        match self.mode:
            case Mode.SUSPENDED:
                await _answer(send, 403, {"error": {"code": "tenant_suspended", "message": "", "status": 403}})
            case Mode.BAD_CURSOR if since is not None:
                await _answer(send, 422, {"error": {"code": "invalid_cursor", "message": "", "status": 422}})
            case Mode.BROKEN:
                await _answer(send, 200, [])
            case Mode.STREAM | Mode.STALLED | Mode.BAD_CURSOR if is_stream:
                await self._stream(send, int(since or 0))
            case _:
                await self._page(send, int(since or 0))

    async def _page(self, send: Any, since: int) -> None:
        until = min(since + 2, len(self.entries))  # more than one page, soon
        page = self.entries[since:until]
        await _answer(send, 200, {"data": page, "has_more": until < len(self.entries), "next_cursor": str(until)})

    async def _stream(self, send: Any, since: int) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        mode = self.mode
        while self.mode is mode is not Mode.STALLED:
            for number, entry in enumerate(self.entries[since:], start=since + 1):
                await _event(send, "revocation", str(number), entry)
            since = len(self.entries)
            await _event(send, "heartbeat", str(since), {})
            await asyncio.sleep(BEAT_SECONDS)
        while self.mode is Mode.STALLED:  # noqa: ASYNC110 - tests set the mode as they would turn a switch
            await asyncio.sleep(BEAT_SECONDS)
        await send({"type": "http.response.body", "body": b""})


async def _event(send: Any, kind: str, cursor: str, data: Any) -> None:
    text = f"id: {cursor}\nevent: {kind}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
    await send({"type": "http.response.body", "body": text, "more_body": True})


async def _answer(send: Any, status: int, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body)})


@asynccontextmanager
async def scripted(site: Site) -> AsyncGenerator[tuple[ScriptedFeed, str, Recorder]]:
    """Serve a site's app behind a scripted feed; the block has the feed, the address and the recorder."""
    feed = ScriptedFeed(site.recorder)
    async with served(feed) as (url, recorder):
        try:
            yield feed, url, recorder
        finally:
            feed.mode = Mode.BROKEN
