"""The verifier for threads."""

import os
import threading
import time
import weakref
from types import TracebackType
from typing import Self

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hellojohn._calls import JSON
from hellojohn._client import HelloJohn
from hellojohn.errors import HelloJohnError
from hellojohn.verify._feed import EVENT_STREAM, EventReader, Feed, is_good, is_stream
from hellojohn.verify._keys import Keys
from hellojohn.verify._revocations import MAX_ENTRIES
from hellojohn.verify._settings import STALE_SECONDS, OnStale, settings_of
from hellojohn.verify._tokens import VerificationUnavailable, Verified, kid_of, verified_of
from hellojohn.verify._verdicts import API_SECONDS, key_in, must_ask, require_valid, standing_claims


class Verifier:
    """Verifies access tokens of one tenant in this process. Make one and keep it; any thread may use it.

    Signature, issuer, audience and expiry are judged by the keys of the API, which are kept. What was revoked since is
    followed in a thread that begins with the first token; when it is not known for `stale_after` seconds, `on_stale`
    says what becomes of a token. `issuer` is the public URL of the server, where it is not `base_url`. The key needs
    the scopes revocations:read and, to ask the API, sessions:read.
    """

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
        self._begin()
        if hasattr(os, "register_at_fork"):
            this = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _forked(this()))

    def __repr__(self) -> str:
        return f"Verifier(base_url={self._settings.base_url!r}, tenant_id={self._settings.expected.tenant_id!r})"

    @property
    def is_stale(self) -> bool:
        """Whether it is not known at the moment what was revoked."""
        return self._feed.is_stale()

    def verify(self, token: str) -> Verified:
        """Return who a token stands for. InvalidToken, or VerificationUnavailable when that cannot be said now."""
        self._renew()
        if self._settings.follows:
            self._follow()
        kid = kid_of(token)
        claims = standing_claims(token, kid, self._key(kid), self._settings, self._feed)
        if self._settings.follows and self._feed.is_stale() and must_ask(self._settings.on_stale):
            try:
                told = self._api.sessions.verify(token=token)
            except HelloJohnError as error:
                raise VerificationUnavailable("The API could not be asked about the token.") from error
            require_valid(told)
        return verified_of(claims)

    def wait_until_fresh(self, timeout: float = 5.0) -> bool:
        """Wait until it is known what was revoked, and say whether it is: before a server takes requests, for one."""
        self._renew()
        self._follow()
        deadline = time.monotonic() + timeout
        while self._feed.is_stale() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._feed.is_stale()

    def close(self) -> None:
        """Follow no more, and close the connections."""
        self._stopped.set()
        self._api.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        settings = self._settings
        self._lock = threading.Lock()
        self._was_forked = False
        self._keys = Keys()
        self._feed = Feed(settings)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._http = httpx2.Client(timeout=httpx2.Timeout(API_SECONDS, read=settings.stale_after))
        self._api = HelloJohn(
            secret_key=settings.secret_key, base_url=settings.base_url, timeout=API_SECONDS, max_retries=0
        )

    def _key(self, kid: str) -> Ed25519PublicKey:
        if self._keys.needs_fetch(kid, time.monotonic()):
            with self._lock:
                if self._keys.needs_fetch(kid, time.monotonic()):
                    self._fetch_keys(kid)
        return key_in(self._keys, kid)

    def _fetch_keys(self, kid: str) -> None:
        try:
            found = self._api.server.key_set()
        except HelloJohnError:
            self._keys.note_failed(time.monotonic())  # the set that is there may do; else key_in says that it does not
        else:
            self._keys.note_fetched(found, kid, time.monotonic())

    def _renew(self) -> None:
        """Have everything new in a process that was forked: connections and threads are those of the one before."""
        if self._was_forked:
            with self._lock:
                if self._was_forked:
                    self._begin()

    def _follow(self) -> None:
        """Have a thread follow the feed."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if (self._thread is None or not self._thread.is_alive()) and not self._stopped.is_set():
                state = (self._feed, self._http, self._stopped)
                self._thread = threading.Thread(target=_follow, args=state, name="hellojohn-revocations", daemon=True)
                self._thread.start()

    def note_fork(self) -> None:
        """Note that this is another process now. Nobody holds the lock in it, whoever held it before."""
        self._lock = threading.Lock()
        self._was_forked = not self._stopped.is_set()


def _forked(verifier: Verifier | None) -> None:
    if verifier is not None:
        verifier.note_fork()


def _follow(feed: Feed, http: httpx2.Client, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            pause = _follow_once(feed, http, stopped)
        except (httpx2.HTTPError, httpx2.StreamError, msgspec.DecodeError, RuntimeError):
            if stopped.is_set():
                return  # its connections were closed below it
            pause = feed.note_failure()
        stopped.wait(pause)


def _follow_once(feed: Feed, http: httpx2.Client, stopped: threading.Event) -> float:
    """Catch up, listen until that ends, and return how long to wait before the next attempt."""
    has_more = True
    while has_more:
        asked_at = time.monotonic()
        response = http.get(feed.url, headers=feed.headers(JSON))
        if not is_good(response.status_code):
            return feed.note_refusal(response.status_code, response.content)
        has_more = feed.take_page(response.content, asked_at)
    with http.stream("GET", feed.url, headers=feed.headers(EVENT_STREAM)) as response:
        if not is_good(response.status_code):
            return feed.note_refusal(response.status_code, response.read())
        if not is_stream(response.headers):
            return feed.poll_seconds  # a server that has no streams is asked again and again
        feed.begin_stream()
        reader = EventReader()
        for piece in response.iter_raw():
            for event in reader.feed(piece):
                feed.take_event(event)
            if stopped.is_set():
                break
    return feed.note_failure()
