"""One declared operation as it is served: every step from the request's head to the answer, in this order.

Credential, scope, headers, content type, size, body and query; then the feature's handler; then the answer. What is
wrong with headers, query and body is said at once.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from hellojohn_server.http.answers import Answers, Header, Outgoing, encode
from hellojohn_server.http.authentication import Authenticator, admit, credential_of, require_address
from hellojohn_server.http.boundary import body_reader, query_reader, refuse_all
from hellojohn_server.http.call import Call
from hellojohn_server.http.cors import Origins, is_for_browsers, note_origin, require_origin
from hellojohn_server.http.errors import RequestTimeout
from hellojohn_server.http.limits import WRONG, CallLimits
from hellojohn_server.http.request_headers import Given, events_asked, read_headers, require_replayable
from hellojohn_server.http.uploads import Incoming, content_of
from hellojohn_server.kit.errors import AddressNotAllowed, ApiError, FieldError, Forbidden, Invalid, Unauthenticated
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.principal import Context, OnBehalfOf, Principal
from hellojohn_server.kit.routing import Answer, Content, Parts, Route, Upload

_AT_ONCE_SECONDS: Final = 0.1

RecordDenied: TypeAlias = Callable[[Context, str, ApiError], Awaitable[None]]
"""Writes the audit entry of a refusal to an authenticated caller: its context, the operation's name, the refusal."""


RouteHandler: TypeAlias = Callable[..., Awaitable[Answer[Any]]]


class UnusedIdempotencyKey(Exception):
    """A defect: a handler changed something and did not pass its context's idempotency to `Database.write`."""


class Signature(msgspec.Struct, frozen=True):
    """What a handler takes and returns, read from its annotations. `may_be_empty`: an answer, or in its place a 204."""

    path: tuple[str, ...]
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    takes_context: bool
    answer: Any
    may_be_empty: bool
    takes_upload: bool = False
    takes_events: bool = False


class Shared(msgspec.Struct, frozen=True):
    """What every operation of an app uses."""

    authenticator: Authenticator
    record_denied: RecordDenied
    answers: Answers
    limits: CallLimits
    origins: Origins
    max_body_bytes: int
    max_upload_bytes: int
    body_seconds: float


class DeclaredOperation:
    """What is known of an operation from its declaration alone: all that the document says of it."""

    def __init__(self, route: Route, handler: RouteHandler) -> None:
        self.route = route
        self.name: str = handler.__name__
        self.signature = signature_of(route, handler)

    @property
    def body_is_optional(self) -> bool:
        """Whether the body may be left out: every field of it has a default."""
        return body_reader(self.signature.body, self.route.max_body_bytes).is_optional


class Operation(DeclaredOperation):
    """Serves one route."""

    def __init__(self, route: Route, handler: RouteHandler, shared: Shared) -> None:
        super().__init__(route, handler)
        self._handler = handler
        self._shared = shared
        self._is_for_browsers = is_for_browsers(route)
        self._query = query_reader(self.signature.query)
        self._body = body_reader(self.signature.body, min(route.max_body_bytes, shared.max_body_bytes))

    async def serve(self, call: Call, receive: Any) -> Outgoing:
        """Return the answer to one request; ApiError for a refusal."""
        route, limits = self.route, self._shared.limits
        if not route.credentials:
            return await self._serve_public(call, receive)
        if self._is_for_browsers:
            note_origin(call)
        credential = credential_of(call)
        principal = await self._authenticate(call, credential)
        faults: list[FieldError] = []
        given = read_headers(call, route, faults)
        try:
            require_address(call, principal)
            limits.note_right(call, credential)
            limits.count(call, route, principal)
            if self._is_for_browsers:
                await require_origin(call, principal, self._shared.origins)
            admit(call, route, principal)
            require_replayable(call, route, principal)
            upload = self._upload(call, credential, receive) if self.signature.takes_upload else None
            body = b"" if upload is not None else await self._receive(call, receive)
            if call.is_late:
                principal = await self._authenticate(call, credential)
                admit(call, route, principal)
            arguments = await self._arguments(call, body, faults)
            if upload is not None:
                arguments["upload"] = upload
            context = self._context(call, principal, given, self._idempotency(call, credential, given, body))
            if self.signature.takes_context:
                arguments["context"] = context
            answer = await self._handler(**arguments)
        except (Forbidden, Unauthenticated) as refusal:
            if refusal.is_denial:
                await self._shared.record_denied(self._context(call, principal, given, None), self.name, refusal)
            if isinstance(refusal, AddressNotAllowed):
                limits.note_wrong(call, credential)
            raise
        return self._answer(call, receive, answer, context.idempotency)

    async def _authenticate(self, call: Call, credential: str) -> Principal:
        """Return who is calling. What is wrong with the credential counts against the address that it came from."""
        self._shared.limits.require_credible(call, credential)
        try:
            call.principal = principal = await self._shared.authenticator.authenticate(credential)
        except WRONG:
            self._shared.limits.note_wrong(call, credential)
            raise
        return principal

    async def _receive(self, call: Call, receive: Any) -> bytes:
        """Return the body. RequestTimeout when it takes too long; `call` is late when it was not there at once.

        A late call is authenticated again, so that nobody can send a head with a good key, wait until the key is
        revoked, and then send the body.
        """
        if b"content-length" not in call.headers and b"transfer-encoding" not in call.headers:
            return await self._body.receive(call, receive)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._shared.body_seconds):
                body = await self._body.receive(call, receive)
        except TimeoutError as error:
            raise RequestTimeout from error
        call.is_late = time.monotonic() - started > _AT_ONCE_SECONDS
        return body

    def _upload(self, call: Call, credential: str, receive: Any) -> Upload:
        """Return the body that is read while it comes in. The caller is judged again meanwhile."""

        async def admit_again() -> None:
            principal = await self._authenticate(call, credential)
            require_address(call, principal)
            admit(call, self.route, principal)

        content = content_of(call, self.route.uploads)
        shared = self._shared
        incoming = Incoming(call, receive, admit_again, max_bytes=shared.max_upload_bytes, seconds=shared.body_seconds)
        return incoming.upload(content)

    async def _serve_public(self, call: Call, receive: Any) -> Outgoing:
        self._shared.limits.count_stranger(call, self.route)
        body = await self._receive(call, receive)
        return self._answer(call, receive, await self._handler(**await self._arguments(call, body, [])), None)

    async def _arguments(self, call: Call, body: bytes, faults: list[FieldError]) -> dict[str, Any]:
        """Return what the handler is called with, but for its context. Invalid, with `faults` and every other."""
        query_value = self._query.read(call.scope["query_string"], faults)
        if self._body.is_costly(body):
            body_value = await asyncio.to_thread(self._body.read, body, faults)
        else:
            body_value = self._body.read(body, faults)
        refuse_all(faults, Invalid)
        arguments: dict[str, Any] = dict(call.path_values)
        if self.signature.takes_events:
            arguments["events"] = events_asked(call)
        if self.signature.query is not None:
            arguments["query"] = query_value
        if self.signature.body is not None:
            arguments["body"] = body_value
        return arguments

    def _idempotency(self, call: Call, credential: str, given: Given, body: bytes) -> Idempotency | None:
        principal = call.principal
        if given.idempotency_key is None or principal is None:
            return None
        query: bytes = call.scope["query_string"]
        scope: tuple[str, ...] = (principal.tenant_id, principal.id, call.method, call.scope["path"])
        if principal.session is not None:  # another token could not open what was sealed under this one
            scope += (hashlib.sha256(credential.encode()).hexdigest(),)
        return Idempotency(
            key=given.idempotency_key,
            scope=scope,
            credential=credential,
            request=b"%d:%b%b" % (len(query), query, body),
        )

    def _context(self, call: Call, principal: Principal, given: Given, idempotency: Idempotency | None) -> Context:
        session = principal.session
        return Context(
            principal,
            call.request_id,
            call.client_address,
            given.user_agent,
            given.asserted if session is None else principal.asserted,
            given.if_match,
            idempotency,
            OnBehalfOf(session.user_id) if session is not None and session.impersonated else None,
        )

    def _answer(self, call: Call, receive: Any, answer: Answer[Any], idempotency: Idempotency | None) -> Outgoing:
        extra: list[Header] = []
        if idempotency is not None:
            if not idempotency.used:
                raise UnusedIdempotencyKey(self.name)
            if idempotency.replayed:
                extra.append((b"idempotency-replayed", b"true"))
        if answer.version is not None:
            extra.append((b"etag", b'"%d"' % answer.version))
        if answer.location is not None:
            extra.append((b"location", answer.location.encode("ascii")))
        if isinstance(answer.body, Parts):
            return self._shared.answers.in_parts(call, self.route.status, answer.body, receive)
        if answer.max_age is not None:
            return self._shared.answers.cached(call, encode(answer.body), answer.max_age)
        if answer.body is None:
            status = HTTPStatus.NO_CONTENT.value if self.signature.may_be_empty else self.route.status
            return self._shared.answers.empty(call, status, extra)
        return self._shared.answers.json(call, self.route.status, encode(answer.body), extra)


def signature_of(route: Route, handler: RouteHandler) -> Signature:
    """Return what `handler` takes and returns; TypeError when that is not what a route's handler may."""
    return _signature_of(route, getattr(handler, "__func__", handler))


@cache
def _signature_of(route: Route, function: RouteHandler) -> Signature:
    hints = get_type_hints(function)
    returned = hints.pop("return", None)
    where = f"{route.method.value} {route.path}"
    if get_origin(returned) is not Answer:
        raise TypeError(f"{where}: must return Answer[...]")
    path = tuple(part[1:-1] for part in route.path.split("/") if part.startswith("{"))
    if sorted(path) != sorted(set(hints) - {"context", "query", "body", "upload", "events"}) or any(
        hints[name] is not str for name in path
    ):
        raise TypeError(
            f"{where}: its parameters must be context, query, body, upload or events, and each name in the path as str"
        )
    if ("context" in hints or "upload" in hints) and not route.credentials:
        raise TypeError(f"{where}: a public operation has neither context nor upload")
    if ("upload" in hints) != bool(route.uploads) or {"upload", "body"} <= set(hints):
        raise TypeError(f"{where}: an upload says what it can be written in, and is in place of a body")
    if ("events" in hints) != (Content.EVENT_STREAM in route.contents):
        raise TypeError(f"{where}: whoever may answer with events is told whether they are wanted")
    for name in ("query", "body"):
        if name in hints and not (isinstance(hints[name], type) and issubclass(hints[name], msgspec.Struct)):
            raise TypeError(f"{where}: {name} must be a Struct")
    (answer,) = get_args(returned)
    kinds = [kind for kind in get_args(answer) if kind is not type(None)]
    may_be_empty = len(kinds) == 1 and type(None) in get_args(answer)
    return Signature(
        path,
        hints.get("query"),
        hints.get("body"),
        "context" in hints,
        kinds[0] if may_be_empty else answer,
        may_be_empty,
        "upload" in hints,
        "events" in hints,
    )
