"""What goes out: status, headers and body of every answer, errors included."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server import __version__
from hellojohn_server.features.mfa.schemas import FactorRef
from hellojohn_server.http.call import Call, ClientDisconnected
from hellojohn_server.http.errors import RequestTimeout
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import (
    ApiError,
    FieldError,
    InsufficientScope,
    MethodNotAllowed,
    MissingToken,
    PayloadTooLarge,
    Unauthenticated,
)
from hellojohn_server.kit.rate_limits import RateLimited
from hellojohn_server.kit.routing import Content, Parts

Header: TypeAlias = tuple[bytes, bytes]

JSON: Final[Header] = (b"content-type", b"application/json")
_API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_HEADERS: Final = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""What only documents have any use for."""
_EXPOSED: Final = (
    b"ETag, Idempotency-Replayed, Location, Retry-After, WWW-Authenticate, X-HelloJohn-Version, X-RateLimit-Limit, "
    b"X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID"
)
_ONE_YEAR: Final = 31_536_000
_ENCODER: Final = msgspec.json.Encoder()

encode: Final = _ENCODER.encode
"""Encodes every JSON body that goes out."""


class ErrorObject(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. Branch on `code`; `message` is for people and may change. `details` lists bad fields."""

    code: ErrorCode
    message: str
    status: Annotated[int, Meta(description="The status of the answer")]
    request_id: Annotated[str, Meta(description="Also in the X-Request-ID header; quote it when you ask for help")]
    details: list[FieldError] | UnsetType = UNSET
    challenge_id: (
        Annotated[str, Meta(description="With mfa_required: what the second step is sent with")] | UnsetType
    ) = UNSET
    factors: Annotated[list[FactorRef], Meta(description="With mfa_required: what the user has")] | UnsetType = UNSET


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every answer that is an error."""

    error: ErrorObject


class Outgoing:
    """One answer, ready to be sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def send(self, call: Call, send: Any) -> None:
        """Send it to the caller of `call`, through the `send` of ASGI."""
        call.status = self.status
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class OutgoingParts(Outgoing):
    """An answer whose body is made while it is sent. HTTP says how it ends: by chunks (RFC 9112 section 7.1)."""

    __slots__ = ("_parts", "_receive")

    def __init__(self, status: int, headers: list[Header], parts: Parts, receive: Any) -> None:
        super().__init__(status, headers, b"")
        self._parts = parts.parts
        self._receive = receive

    async def send(self, call: Call, send: Any) -> None:
        """Send one part after the other. ClientDisconnected: nobody is left to send to."""
        call.status = self.status
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        async with aclosing(self._parts) as parts:
            if call.method != "HEAD":
                await self._send_each(parts, send)
        await send({"type": "http.response.body", "body": b""})

    async def _send_each(self, parts: AsyncGenerator[bytes, None], send: Any) -> None:
        """Send the parts until the client goes away: `send` says nothing of that (ASGI), so it is waited for beside.

        A part may be long in coming, and whoever waits for one is gone at once, not with the next.
        """
        gone = asyncio.create_task(self._wait_until_gone())
        coming: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                coming = asyncio.ensure_future(anext(parts, None))
                await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    raise ClientDisconnected
                part = coming.result()
                if part is None:
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            gone.cancel()
            if coming is not None and not coming.done():
                coming.cancel()
                await asyncio.wait((coming,))  # parts end before they are closed

    async def _wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Answers:
    """Makes answers: each has the headers that every answer has, and its own."""

    def __init__(self, settings: HttpSettings) -> None:
        common = [
            (b"x-hellojohn-version", __version__.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if settings.public_url.startswith("https://"):
            common.append((b"strict-transport-security", b"max-age=%d" % _ONE_YEAR))
        self._common = tuple(common)
        self._api = (*common, (b"content-security-policy", _API_POLICY))

    def json(self, call: Call, status: int, body: bytes, extra: Iterable[Header] = ()) -> Outgoing:
        """Return an answer with a JSON body."""
        length = (b"content-length", b"%d" % len(body))
        return Outgoing(status, [*self._api, *_own_headers(call), JSON, length, *extra], body)

    def in_parts(self, call: Call, status: int, parts: Parts, receive: Any) -> Outgoing:
        """Return an answer whose body is made while it is sent; `receive` (of ASGI) tells when the client goes away."""
        headers = [*self._api, *_own_headers(call), (b"content-type", _content_type(parts.content))]
        if parts.content is Content.EVENT_STREAM:
            headers.append((b"x-accel-buffering", b"no"))  # proxies pass each event on at once
        if parts.file_name is not None:
            disposition = f'attachment; filename="{parts.file_name}"'  # RFC 6266 section 4.1
            headers.append((b"content-disposition", disposition.encode("ascii")))
        return OutgoingParts(status, headers, parts, receive)

    def cached(self, call: Call, body: bytes, max_age: int) -> Outgoing:
        """Return a JSON answer that anybody may keep for `max_age` seconds."""
        headers = [header for header in self._api if header[0] != b"cache-control"]
        policy = (b"cache-control", b"public, max-age=%d" % max_age)
        length = (b"content-length", b"%d" % len(body))
        return Outgoing(200, [*headers, policy, *_own_headers(call), JSON, length], body)

    def empty(self, call: Call, status: int, extra: Iterable[Header] = ()) -> Outgoing:
        """Return an answer without a body. A 204 has no Content-Length (RFC 9110 section 8.6)."""
        return Outgoing(status, [*self._api, *_own_headers(call), *extra], b"")

    def page(
        self, call: Call, body: bytes, policy: bytes, *, status: int = 200, extra: Iterable[Header] = ()
    ) -> Outgoing:
        """Return an HTML page with a Content-Security-Policy of its own."""
        return Outgoing(
            status,
            [
                *self._common,
                *_own_headers(call),
                *_PAGE_HEADERS,
                (b"content-security-policy", policy),
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-length", b"%d" % len(body)),
                *extra,
            ],
            body,
        )

    def text(self, call: Call, body: bytes, content_type: bytes) -> Outgoing:
        """Return an answer of plain text."""
        length = (b"content-length", b"%d" % len(body))
        return Outgoing(200, [*self._api, *_own_headers(call), (b"content-type", content_type), length], body)

    def error(self, call: Call, error: ApiError) -> Outgoing:
        """Return the answer to a refusal."""
        call.error_code = error.code.value
        if isinstance(error, RateLimited):
            call.standing = error.standing
        body = ErrorBody(
            ErrorObject(
                code=error.code,
                message=error.message,
                status=error.status,
                request_id=call.request_id,
                details=list(error.details) or UNSET,
                **error.extras,
            )
        )
        return self.json(call, error.status, encode(body), _error_headers(error))


def _content_type(content: Content) -> bytes:
    return b"text/csv; charset=utf-8" if content is Content.CSV else content.value.encode()


def _own_headers(call: Call) -> list[Header]:
    """Return the headers that every answer has and that differ: the request's id, and where the caller stands."""
    request_id = (b"x-request-id", call.request_id.encode())
    standing = call.standing
    if standing is None:
        return [request_id] if call.origin is None else [request_id, *_page_headers(call.origin)]
    return [
        request_id,
        *(() if call.origin is None else _page_headers(call.origin)),
        (b"x-ratelimit-limit", b"%d" % standing.calls),
        (b"x-ratelimit-remaining", b"%d" % standing.remaining),
        (b"x-ratelimit-reset", b"%d" % standing.resets_at),
    ]


def _page_headers(origin: bytes) -> tuple[Header, ...]:
    """Return what lets a page of another origin read an answer."""
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    )


def _error_headers(error: ApiError) -> Iterable[Header]:
    """Yield Retry-After and Allow where there are, the challenge of RFC 6750 section 3, and the end of a connection."""
    if error.retry_after is not None:
        yield (b"retry-after", b"%d" % error.retry_after)
    if isinstance(error, MissingToken):
        yield (b"www-authenticate", b'Bearer realm="hellojohn"')
    elif isinstance(error, Unauthenticated):
        yield (b"www-authenticate", b'Bearer realm="hellojohn", error="invalid_token"')
    elif isinstance(error, InsufficientScope):
        missing = " ".join(error.missing).encode()
        yield (b"www-authenticate", b'Bearer realm="hellojohn", error="insufficient_scope", scope="%s"' % missing)
    elif isinstance(error, MethodNotAllowed):
        yield (b"allow", ", ".join(error.allowed).encode())
    elif isinstance(error, PayloadTooLarge | RequestTimeout):
        yield (b"connection", b"close")
