"""The edge: around everything else. It gives a request its id, an answer for every exception, a line in the log.

A request has one line in the log: method, template of the path, status, milliseconds, request id, tenant, credential
and error code. Never a path as it was sent, a query, a header or a body: people paste secrets into all of them.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from structlog.typing import FilteringBoundLogger

from hellojohn_server.http.addresses import ClientAddresses
from hellojohn_server.http.answers import Answers
from hellojohn_server.http.call import Call, ClientDisconnected
from hellojohn_server.http.errors import DeadlineExceeded, InvalidHost, ServerBusy, TooManyHeaders
from hellojohn_server.http.running import Running
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.errors import ApiError, BadRequest, InternalError, NotFound, Unavailable
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.metrics import Metrics

App: TypeAlias = Callable[[Call, Any, Any], Awaitable[None]]
"""Answers a call, through `receive` and `send` of ASGI."""

MAX_HEADERS: Final = 100
"""How many headers a request may have. Browsers send some twenty, and proxies add a few."""

_SANE_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HOST: Final = re.compile(rb"[A-Za-z0-9!$&'()*+,;=._~:\[\]@%-]*")
"""Of which letters a Host is made (RFC 3986 section 3.2.2, with a port)."""
_ODD_PATH: Final = re.compile(rb"//|%2f|./\Z", re.IGNORECASE | re.DOTALL)
_CLIENT_CLOSED_REQUEST: Final = 499
"""What log and metrics say of a request whose client went away before there was an answer. It is never sent."""


class Edge:
    """Serves requests through an app, and answers whatever the app raises."""

    def __init__(
        self, settings: HttpSettings, ids: IdFactory, answers: Answers, log: FilteringBoundLogger, metrics: Metrics
    ) -> None:
        self._ids = ids
        self._answers = answers
        self._log = log
        self._metrics = metrics
        self._running = Running(settings.request_seconds)
        self._concurrent_requests = settings.concurrent_requests
        self._addresses = ClientAddresses(settings.trusted_proxies, settings.proxy_header)
        self._hosts = (
            None
            if settings.dev_host_check is None
            else frozenset(host.strip("[]").lower() for host in settings.dev_host_check)
        )

    async def serve(self, app: App, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request. HEAD is answered like GET, without the body (RFC 9110 section 9.3.2)."""
        started = time.perf_counter()
        call = self._begin(scope)
        call.started = started
        if call.method == "HEAD":
            send = _without_body(send)
        self._metrics.begin_request()
        self._running.begin(call)
        try:
            self._check(call)
            await app(call, receive, send)
        except ClientDisconnected:
            call.status = _CLIENT_CLOSED_REQUEST
        except asyncio.CancelledError:
            if not self._running.take_cancelled(call):
                raise
            await self._refuse(call, DeadlineExceeded(), send)
        except Exception as error:  # noqa: BLE001 - this is where every exception ends, as an answer
            await self._refuse(call, error, send)
        finally:
            self._running.end(call)
            self._account(call, time.perf_counter() - started)

    def _begin(self, scope: Any) -> Call:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        if given is not None and _SANE_REQUEST_ID.fullmatch(given):
            request_id = given.decode()
        else:
            request_id = self._ids.new(IdPrefix.REQUEST)
        call = Call(scope, request_id, headers)
        peer = scope.get("client")
        name = self._addresses.header
        forwarded = call.values_of(name) if name in headers else ()
        call.client_address = self._addresses.find(peer[0] if peer else None, forwarded)
        return call

    def _check(self, call: Call) -> None:
        """Refuse what no operation need look at.

        That is a Host that is none or, on a development server, foreign, paths in another form than the one that is
        documented, too many headers, and, but for the question whether the process lives, what comes while too many
        requests are running.
        """
        if len(call.scope["headers"]) > MAX_HEADERS:
            raise TooManyHeaders
        if len(self._running) > self._concurrent_requests and call.scope["path"] != "/health":
            raise ServerBusy
        if self._hosts is not None and _host_of(call) not in self._hosts:
            raise InvalidHost
        host = call.headers.get(b"host")
        if host is not None and _HOST.fullmatch(host) is None:
            raise BadRequest
        raw_path = call.scope.get("raw_path") or call.scope["path"].encode()
        if _ODD_PATH.search(raw_path):
            raise NotFound

    async def _refuse(self, call: Call, raised: Exception, send: Any) -> None:
        if call.status:
            self._log.error("answer_interrupted", request_id=call.request_id, route=call.route, exc_info=raised)
            raise raised
        error = raised if isinstance(raised, ApiError) else InternalError()
        if isinstance(error, InternalError):
            self._log.error("unexpected_error", request_id=call.request_id, route=call.route, exc_info=raised)
        elif isinstance(error, Unavailable):
            self._log.warning("unavailable", request_id=call.request_id, route=call.route, exc_info=raised)
        await self._answers.error(call, error).send(call, send)

    def _account(self, call: Call, seconds: float) -> None:
        status = call.status or _CLIENT_CLOSED_REQUEST
        self._metrics.end_request(call.method, call.route, status, seconds)
        principal = call.principal
        self._log.info(
            "request",
            method=call.method,
            route=call.route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            request_id=call.request_id,
            tenant=None if principal is None else principal.tenant_id,
            credential=None if principal is None else principal.id,
            error=call.error_code,
        )


def _host_of(call: Call) -> str | None:
    """Return the name in the Host header without its port, or None when there is not exactly one header."""
    host = call.headers.get(b"host")
    if host is None or call.is_repeated(b"host"):
        return None
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _without_body(send: Any) -> Any:
    async def send_head(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
