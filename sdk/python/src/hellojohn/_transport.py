"""Sends calls and sends them again, in the calling thread."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx2

from hellojohn._answers import NO_CONTENT, Received, failure_of, is_refusal, late, refusal_of, value_of
from hellojohn._calls import Call, Prepared, prepare, prepare_upload
from hellojohn._lines import RowReader
from hellojohn._retries import seconds_before_retry
from hellojohn._settings import Settings
from hellojohn.errors import HelloJohnError
from hellojohn.pages import Page, body_of
from hellojohn.streams import JsonReader, Stream
from hellojohn.uploads import File, opened, pieces_of

T = TypeVar("T")


class Transport:
    """What the resources of a client share."""

    def __init__(self, settings: Settings, http: httpx2.Client) -> None:
        self.settings = settings
        self.http = http

    def fetch(self, call: Call, expected: type[T]) -> T:
        """Return the answer to a call."""
        return value_of(self._answer(prepare(call, self.settings)), expected)

    def fetch_or_none(self, call: Call, expected: type[T]) -> T | None:
        """Return the answer to a call; None when it has no content."""
        received = self._answer(prepare(call, self.settings))
        return None if received.status == NO_CONTENT else value_of(received, expected)

    def send(self, call: Call) -> None:
        """Make a call that answers nothing."""
        self._answer(prepare(call, self.settings))

    def page(self, call: Call, item: type[T]) -> Page[T]:
        """Return a page of a list, which knows how to go on."""
        body = self.fetch(call, body_of(item))
        return Page(body, lambda cursor: self.page(call.after(cursor), item))

    def stream(self, call: Call, line: type[T]) -> Stream[T]:
        """Return lines of JSON, read while they come."""
        return Stream(self._begin(call, "application/x-ndjson"), JsonReader(line))

    def rows(self, call: Call) -> Stream[dict[str, str]]:
        """Return rows of CSV, read while they come."""
        return Stream(self._begin(call, "text/csv"), RowReader())

    def upload(self, call: Call, file: File, content_type: str, expected: type[T]) -> T:
        """Send a file and return the answer."""
        with opened(file) as source:
            prepared = prepare_upload(call, self.settings, pieces_of(source), content_type)
            return value_of(self._answer(prepared, has_deadline=False), expected)

    def _answer(self, prepared: Prepared, *, has_deadline: bool = True) -> Received:
        def attempt() -> Received:
            deadline = time.monotonic() + prepared.timeout if has_deadline else None
            return self._read(self._open(prepared), deadline)

        return self._repeated(prepared, attempt)

    def _begin(self, call: Call, accept: str) -> httpx2.Response:
        prepared = prepare(call, self.settings, accept=accept)

        def attempt() -> httpx2.Response:
            response = self._open(prepared)
            if is_refusal(response.status_code):
                self._read(response, time.monotonic() + prepared.timeout)
            return response

        return self._repeated(prepared, attempt)

    def _repeated(self, prepared: Prepared, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, which is made again after failures that may pass; else raise its failure."""
        number = 0
        while True:
            try:
                return attempt()
            except HelloJohnError as failure:
                seconds = seconds_before_retry(failure, prepared, number)
                if seconds is None:
                    raise
            time.sleep(seconds)
            number += 1

    def _open(self, prepared: Prepared) -> httpx2.Response:
        """Send a request once and return the answer, of which only the head was read."""
        request = self.http.build_request(
            prepared.method,
            prepared.url,
            headers=prepared.headers,
            content=prepared.content,
            timeout=prepared.timeout,
        )
        try:
            return self.http.send(request, stream=True, follow_redirects=False)
        except httpx2.TransportError as error:
            raise failure_of(error) from error

    def _read(self, response: httpx2.Response, deadline: float | None) -> Received:
        """Read an answer to its end and return it; raise it if it is a refusal."""
        pieces: list[bytes] = []
        try:
            for piece in response.iter_bytes():
                pieces.append(piece)
                if deadline is not None and time.monotonic() > deadline:
                    raise late()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise failure_of(error) from error
        finally:
            response.close()
        received = Received(response.status_code, response.headers, b"".join(pieces))
        if is_refusal(received.status):
            raise refusal_of(received)
        return received
