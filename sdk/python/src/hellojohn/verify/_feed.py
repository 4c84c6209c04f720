"""Where a verifier stands in the feed of revocations: what it has taken in, and how fresh that is."""

import random
import time
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from hellojohn._answers import decoder_of
from hellojohn._lines import LineSplitter
from hellojohn._version import USER_AGENT
from hellojohn.errors import error_of
from hellojohn.verify._revocations import Entry, EntryPage, Revocations
from hellojohn.verify._settings import VerifierSettings

EVENT_STREAM: Final = "text/event-stream"
_POLL_SECONDS: Final = 0.5
_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 2.0
_REFUSED_SECONDS: Final = 5.0
_OK: Final = 200
_FORBIDDEN: Final = 403
_UNPROCESSABLE: Final = 422
_FIRST_SERVER_ERROR: Final = 500
_SUSPENDED: Final = "tenant_suspended"


class Event(msgspec.Struct, frozen=True):
    """A server-sent event."""

    kind: str
    id: str
    data: str


class EventReader:
    """Reads server-sent events out of a body that comes in pieces."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield every event that `piece` completes."""
        for line in self._lines.feed(piece):
            text = line.decode().removesuffix("\r")
            if text:
                name, _, value = text.partition(":")
                self._fields[name] = value.removeprefix(" ")
                continue
            if "event" in self._fields or "data" in self._fields:
                yield Event(
                    self._fields.get("event", "message"), self._fields.get("id", ""), self._fields.get("data", "")
                )
            self._fields = {}


class Feed:
    """The state that a follower writes and everybody asks."""

    def __init__(self, settings: VerifierSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._is_current = False
        self._fresh_at: float | None = None
        self.cursor: str | None = None
        self.revocations = Revocations(settings.max_entries)

    @property
    def url(self) -> str:
        """What is asked next."""
        since = "" if self.cursor is None else f"?since={self.cursor}"
        return f"{self._settings.base_url}/v1/revocations{since}"

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two questions where there is no stream."""
        return min(_POLL_SECONDS, self._settings.stale_after / 4)

    def headers(self, accept: str) -> dict[str, str]:
        """Return what is sent with it."""
        return {
            "Accept": accept,
            "Authorization": f"Bearer {self._settings.secret_key}",
            "User-Agent": USER_AGENT,
        }

    def is_stale(self) -> bool:
        """Whether it is not known what was revoked up to a moment ago."""
        if self._fresh_at is None or not self.revocations.is_complete(time.time()):
            return True
        return time.monotonic() - self._fresh_at > self._settings.stale_after

    def take_page(self, body: bytes, asked_at: float) -> bool:
        """Take in a page of JSON that was asked for at this time, and return whether there are more."""
        page = decoder_of(EntryPage).decode(body)
        for entry in page.data:
            self.revocations.add(entry, time.time())
        self.cursor = page.next_cursor
        if not page.has_more:
            self._note_fresh(asked_at)
        return page.has_more

    def begin_stream(self) -> None:
        """Begin another stream: what came while nobody listened comes before its first heartbeat."""
        self._is_current = False

    def take_event(self, event: Event) -> None:
        """Take in an event of the stream."""
        if event.kind == "revocation":
            self.revocations.add(decoder_of(Entry).decode(event.data), time.time())
        self._is_current = self._is_current or event.kind == "heartbeat"
        if event.id:
            self.cursor = event.id
        if self._is_current:
            self._note_fresh(time.monotonic())

    def _note_fresh(self, at: float) -> None:
        self._failures = 0
        self._fresh_at = at
        self.revocations.is_suspended = False
        self.revocations.forget(time.time())

    def note_refusal(self, status: int, body: bytes) -> float:
        """Take in a refusal, and return how long to wait before the next attempt."""
        code = error_of(status, body, request_id=None, retry_after=None).code
        if status == _FORBIDDEN and code == _SUSPENDED:
            self.revocations.is_suspended = True
            return self.poll_seconds
        if status == _UNPROCESSABLE:
            self.cursor = None  # it is taken no more: from the beginning; what is known stays so
        self._failures += 1
        if status < _FIRST_SERVER_ERROR:
            return _REFUSED_SECONDS  # what is wrong with the key stays so
        return max(self._pause(), self.poll_seconds)

    def note_failure(self) -> float:
        """Note that the feed broke off or is not there, and return how long to wait before the next attempt."""
        self._failures += 1
        return self._pause()

    def _pause(self) -> float:
        longest = min(_FIRST_SECONDS * 2.0 ** max(self._failures - 1, 0), _LONGEST_SECONDS)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - to spread verifiers, not to be unguessable


def is_stream(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a stream of events; else it is a page of JSON."""
    return headers.get("content-type", "").startswith(EVENT_STREAM)


def is_good(status: int) -> bool:
    """Whether an answer has entries."""
    return status == _OK
