"""A body that is read while it comes in: what it must say of itself, and when it ends before its end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, Final

from hellojohn_server.http.call import Call, ClientDisconnected
from hellojohn_server.http.errors import RequestTimeout
from hellojohn_server.http.faults import WHOLE_BODY
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid, PayloadTooLarge, UnsupportedMediaType
from hellojohn_server.kit.routing import Content, Upload

_ADMITTED_SECONDS: Final = 1.0
"""For how long a credential that was judged is believed, while the body goes on coming."""


def content_of(call: Call, taken: Sequence[Content]) -> Content:
    """Return what the body is written in; UnsupportedMediaType when that is none of `taken`, or it is compressed."""
    written = call.headers.get(b"content-type", b"").decode("latin-1").lower()
    kind, _, parameters = written.partition(";")
    charset = parameters.replace('"', "").replace(" ", "")
    found = next((content for content in taken if content.value == kind.strip()), None)
    if found is None or charset not in {"", "charset=utf-8"} or call.is_repeated(b"content-type"):
        raise UnsupportedMediaType(f"Send one of these, in UTF-8: {', '.join(content.value for content in taken)}.")
    if call.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    return found


class Incoming:
    """The upload of one call. `admit` judges the caller again, and raises when it may go on no longer."""

    def __init__(
        self, call: Call, receive: Any, admit: Callable[[], Awaitable[None]], *, max_bytes: int, seconds: float
    ) -> None:
        self._call = call
        self._receive = receive
        self._admit = admit
        self._max_bytes = max_bytes
        self._seconds = seconds

    def upload(self, content: Content) -> Upload:
        """Return it as the handler gets it. PayloadTooLarge when it says so itself; Invalid when it is empty.

        An empty one is what a client sends that did not find its file.
        """
        length = self._call.headers.get(b"content-length")
        if length == b"0" or (length is None and b"transfer-encoding" not in self._call.headers):
            raise Invalid(details=[FieldError(WHOLE_BODY, FieldCode.REQUIRED, "The body is empty: send the file.")])
        if length is not None and length.isdigit() and int(length[:18]) > self._max_bytes:
            raise self._too_large()
        self._call.is_upload = True
        return Upload(content, self._parts())

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        """Yield what comes. ClientDisconnected, RequestTimeout, PayloadTooLarge, and what `admit` raises."""
        size, judged, is_open = 0, time.monotonic(), True
        while is_open:
            try:
                async with asyncio.timeout(self._seconds):
                    message = await self._receive()
            except TimeoutError as error:
                raise RequestTimeout from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            if time.monotonic() - judged > _ADMITTED_SECONDS:
                await self._admit()
                judged = time.monotonic()
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._max_bytes:
                raise self._too_large()
            is_open = message.get("more_body", False)
            if part:
                yield part

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than the {self._max_bytes} bytes that this server takes.")
