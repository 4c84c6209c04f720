"""The verifier for an event loop."""

import asyncio
import time
from types import TracebackType
from typing import Final, Self

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hellojohn._async_client import AsyncHelloJohn
from hellojohn._calls import JSON
from hellojohn.errors import HelloJohnError
from hellojohn.verify._feed import EVENT_STREAM, EventReader, Feed, is_good, is_stream
from hellojohn.verify._keys import Keys
from hellojohn.verify._revocations import MAX_ENTRIES
from hellojohn.verify._settings import STALE_SECONDS, OnStale, settings_of
from hellojohn.verify._tokens import VerificationUnavailable, Verified, kid_of, verified_of
from hellojohn.verify._verdicts import API_SECONDS, key_in, must_ask, require_valid, standing_claims

_CANCEL_SECONDS: Final = 1.0


class AsyncVerifier:
    """The same as Verifier for an event loop: what was revoked is followed in a task of the loop of the first token."""

    def __init__(  # noqa: PLR0913 - what a verifier can be told, each by name
        self,
        *,
        tenant_id: str,
        secret_key: str | None = None,
        base_url: str | None = None,
        issuer: str | None = None,
        revocations: bool = True,
        stale_after: float = STALE_SECONDS,
        on_stale: OnStale = "check_remote",
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        self._settings = settings_of(
            tenant_id=tenant_id,
            secret_key=secret_key,
            base_url=base_url,
            issuer=issuer,
            revocations=revocations,
            stale_after=stale_after,
            on_stale=on_stale,
            max_entries=max_entries,
        )
        self._lock = asyncio.Lock()
        self._keys = Keys()
        self._feed = Feed(self._settings)
        self._task: asyncio.Task[None] | None = None
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(API_SECONDS, read=stale_after))
        self._api = AsyncHelloJohn(
            secret_key=self._settings.secret_key,
            base_url=self._settings.base_url,
            timeout=API_SECONDS,
            max_retries=0,
        )

    def __repr__(self) -> str:
        return f"AsyncVerifier(base_url={self._settings.base_url!r}, tenant_id={self._settings.expected.tenant_id!r})"

    @property
    def is_stale(self) -> bool:
        """Whether it is not known at the moment what was revoked."""
        return self._feed.is_stale()

    async def verify(self, token: str) -> Verified:
        """Return who a token stands for. InvalidToken, or VerificationUnavailable when that cannot be said now."""
        if self._settings.follows:
            self._follow()
        kid = kid_of(token)
        claims = standing_claims(token, kid, await self._key(kid), self._settings, self._feed)
        if self._settings.follows and self._feed.is_stale() and must_ask(self._settings.on_stale):
            try:
                told = await self._api.sessions.verify(token=token)
            except HelloJohnError as error:
                raise VerificationUnavailable("The API could not be asked about the token.") from error
            require_valid(told)
        return verified_of(claims)

    async def wait_until_fresh(self, timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - an answer, not an error
        """Wait until it is known what was revoked, and say whether it is: before a server takes requests, for one."""
        self._follow()
        deadline = time.monotonic() + timeout
        while self._feed.is_stale() and time.monotonic() < deadline:  # noqa: ASYNC110 - the feed knows no loop
            await asyncio.sleep(0.01)
        return not self._feed.is_stale()

    async def close(self) -> None:
        """Follow no more, and close the connections."""
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again: what is below may take one for the end of a wait of its own
            await asyncio.wait([self._task], timeout=_CANCEL_SECONDS)
        await self._api.close()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    async def _key(self, kid: str) -> Ed25519PublicKey:
        if self._keys.needs_fetch(kid, time.monotonic()):
            async with self._lock:
                if self._keys.needs_fetch(kid, time.monotonic()):
                    await self._fetch_keys(kid)
        return key_in(self._keys, kid)

    async def _fetch_keys(self, kid: str) -> None:
        try:
            found = await self._api.server.key_set()
        except HelloJohnError:
            self._keys.note_failed(time.monotonic())  # the set that is there may do; else key_in says that it does not
        else:
            self._keys.note_fetched(found, kid, time.monotonic())

    def _follow(self) -> None:
        """Have a task follow the feed."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(_follow(self._feed, self._http))


async def _follow(feed: Feed, http: httpx2.AsyncClient) -> None:
    while True:
        try:
            pause = await _follow_once(feed, http)
        except (httpx2.HTTPError, httpx2.StreamError, msgspec.DecodeError):
            pause = feed.note_failure()
        await asyncio.sleep(pause)


async def _follow_once(feed: Feed, http: httpx2.AsyncClient) -> float:
    """Catch up, listen until that ends, and return how long to wait before the next attempt."""
    has_more = True
    while has_more:
        asked_at = time.monotonic()
        response = await http.get(feed.url, headers=feed.headers(JSON))
        if not is_good(response.status_code):
            return feed.note_refusal(response.status_code, response.content)
        has_more = feed.take_page(response.content, asked_at)
    async with http.stream("GET", feed.url, headers=feed.headers(EVENT_STREAM)) as response:
        if not is_good(response.status_code):
            return feed.note_refusal(response.status_code, await response.aread())
        if not is_stream(response.headers):
            return feed.poll_seconds  # a server that has no streams is asked again and again
        feed.begin_stream()
        reader = EventReader()
        async for piece in response.aiter_raw():
            for event in reader.feed(piece):
                feed.take_event(event)
    return feed.note_failure()
