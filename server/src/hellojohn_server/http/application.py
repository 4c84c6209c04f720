"""The app: Litestar with one handler for each declared operation, and our edge around all of it.

Litestar takes most of an app's start for registering its handlers, so the process registers each list of paths once:
its handlers look for what they serve in the scope, where the app that was called has put its own.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache, lru_cache, partial
from typing import Any, Final, TypeAlias

import msgspec
from litestar import HttpMethod, Litestar, Request
from litestar.events import BaseEventEmitterBackend
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from hellojohn_server.http.answers import Answers
from hellojohn_server.http.authentication import Authenticator, StoreAuthenticator
from hellojohn_server.http.call import Call, call_of
from hellojohn_server.http.docs_page import PAGE_POLICY, render_page
from hellojohn_server.http.edge import Edge, allowed_methods
from hellojohn_server.http.limits import CallLimits
from hellojohn_server.http.mailbox import MailboxPage
from hellojohn_server.http.metrics import MetricsPage
from hellojohn_server.http.openapi import build_document
from hellojohn_server.http.operations import Operation, RecordDenied, Shared
from hellojohn_server.http.router import Services, routers
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.logs import make_logger
from hellojohn_server.kit.mail import Mailbox
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.rate_limits import RateLimiter
from hellojohn_server.kit.routing import routes_of

Serve: TypeAlias = Callable[[Request[Any, Any, Any]], Awaitable[ASGIApp]]

_METHODS: Final = {method.value: method for method in HttpMethod}
_SERVED: Final = "hellojohn.served"
_KNOWN_ROUTINGS: Final = 4


class Slot(msgspec.Struct, frozen=True):
    """Where something is served. No two slots of an app share a name."""

    path: str
    method: str
    name: str


class Endpoint(msgspec.Struct, frozen=True):
    """What is served in a slot, as an app of one request."""

    slot: Slot
    serve: Serve


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is made of. `owners` are routes objects: their declared operations are what it serves."""

    owners: Sequence[object]
    authenticator: Authenticator
    record_denied: RecordDenied
    ids: IdFactory
    settings: HttpSettings = HttpSettings()
    log: FilteringBoundLogger | None = None
    metrics: Metrics | None = None
    limiter: RateLimiter | None = None
    mailbox: Mailbox | None = None


class NoEvents(BaseEventEmitterBackend):
    """Litestar's events, which nothing here uses: without a task of their own in every app."""

    __slots__ = ()

    def emit(self, event_id: str, *_arguments: Any, **_more: Any) -> None:
        """Refuse an event: what happens leaves through the outbox."""
        raise NotImplementedError(event_id)

    async def __aexit__(self, *_raised: object) -> None:
        """Leave nothing behind."""


class Application:
    """Endpoints behind the process's routing, and an edge that sees requests first, answers and exceptions last."""

    def __init__(self, edge: Edge, endpoints: Sequence[Endpoint]) -> None:
        self._edge = edge
        self._routing = _routing(tuple(endpoint.slot for endpoint in endpoints))
        self._served = {endpoint.slot.name: endpoint.serve for endpoint in endpoints}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI connection; the edge takes the HTTP ones."""
        if scope["type"] == "http":
            await self._edge.serve(self._route, scope, receive, send)
        else:
            await self._routing(scope, receive, send)

    async def _route(self, scope: Any, receive: Any, send: Any) -> None:
        scope[_SERVED] = self._served
        await self._routing(scope, receive, send)


@lru_cache(_KNOWN_ROUTINGS)
def _routing(slots: tuple[Slot, ...]) -> Litestar:
    """Return the routing to these slots: what is served in them is the calling app's."""
    return Litestar(
        [_handler_of(slot) for slot in slots],
        exception_handlers={Exception: _to_the_edge},
        openapi_config=None,
        logging_config=None,
        event_emitter_backend=NoEvents,
    )


def _handler_of(slot: Slot) -> HTTPRouteHandler:
    name = slot.name

    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        scope: Any = request.scope
        served: Serve = scope[_SERVED][name]
        return await served(request)

    handler = HTTPRouteHandler(
        slot.path, http_method=[_METHODS[slot.method]], name=name, status_code=200, include_in_schema=False
    )
    return handler(handle)


def _to_the_edge(_request: Request[Any, Any, Any], error: Exception) -> Any:
    raise error


def build_app(services: Services, settings: HttpSettings, *, log: FilteringBoundLogger | None = None) -> Application:
    """Return the app of the whole service."""
    return assemble(
        Parts(
            owners=routers(services),
            authenticator=StoreAuthenticator(services.keys, services.auth),
            record_denied=partial(services.audit_log.record_denied, services.database),
            ids=services.ids,
            settings=settings,
            log=log,
            metrics=services.metrics,
            limiter=services.limiter,
            mailbox=None if settings.dev_host_check is None else services.mailbox,
        )
    )


def assemble(parts: Parts) -> Application:
    """Return an app of any routes objects. ValueError when two operations share a name, or a method and path."""
    answers = Answers(parts.settings)
    metrics = Metrics() if parts.metrics is None else parts.metrics
    limits = CallLimits(RateLimiter(SystemClock(), {}) if parts.limiter is None else parts.limiter)
    shared = Shared(
        parts.authenticator,
        parts.record_denied,
        answers,
        limits,
        parts.settings.max_body_bytes,
        parts.settings.body_seconds,
    )
    operations = [Operation(route, handler, shared) for owner in parts.owners for route, handler in routes_of(owner)]
    _require_distinct(operations)
    document = cache(partial(build_document, operations, parts.settings.public_url))
    endpoints = [_operation(operation) for operation in operations]
    endpoints += _document(answers, document)
    endpoints.append(_metrics(MetricsPage(metrics, parts.settings.metrics_token, answers, limits)))
    if parts.mailbox is not None:
        endpoints += _mailbox(MailboxPage(parts.mailbox, answers))
    endpoints = [*_options(answers, endpoints), *endpoints]  # first, or Litestar makes its own
    edge = Edge(parts.settings, parts.ids, answers, make_logger() if parts.log is None else parts.log, metrics)
    return Application(edge, endpoints)


def _operation(operation: Operation) -> Endpoint:
    async def serve(request: Request[Any, Any, Any]) -> ASGIApp:
        return await operation.serve(call_of(request.scope), request.receive)

    path = operation.route.path.replace("}", ":str}")
    return Endpoint(Slot(path, operation.route.method.value, operation.name), serve)


def _document(answers: Answers, document: Callable[[], dict[str, Any]]) -> list[Endpoint]:
    """Return document and page. Each is made when it is first asked for, and kept."""

    @cache
    def encoded() -> bytes:
        return msgspec.json.encode(document())

    @cache
    def page() -> bytes:
        return render_page(document()).encode()

    async def openapi(request: Request[Any, Any, Any]) -> ASGIApp:
        return answers.json(_called(request, "/openapi.json"), 200, encoded())

    async def docs(request: Request[Any, Any, Any]) -> ASGIApp:
        return answers.page(_called(request, "/docs"), page(), PAGE_POLICY)

    return [
        Endpoint(Slot("/openapi.json", "GET", "get_openapi_document"), openapi),
        Endpoint(Slot("/docs", "GET", "get_docs_page"), docs),
    ]


def _metrics(page: MetricsPage) -> Endpoint:
    async def metrics(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page.answer(_called(request, "/metrics"))

    return Endpoint(Slot("/metrics", "GET", "get_metrics"), metrics)


def _mailbox(page: MailboxPage) -> list[Endpoint]:
    async def listed(request: Request[Any, Any, Any]) -> ASGIApp:
        return page.list_mails(_called(request, "/dev/mailbox"))

    async def as_json(request: Request[Any, Any, Any]) -> ASGIApp:
        return page.list_as_json(_called(request, "/dev/mailbox.json"))

    async def shown(request: Request[Any, Any, Any]) -> ASGIApp:
        return page.show_mail(_called(request, "/dev/mailbox/{mail_id}"), str(request.path_params["mail_id"]))

    return [
        Endpoint(Slot("/dev/mailbox", "GET", "get_mailbox"), listed),
        Endpoint(Slot("/dev/mailbox.json", "GET", "get_mailbox_json"), as_json),
        Endpoint(Slot("/dev/mailbox/{mail_id:str}", "GET", "get_mailbox_mail"), shown),
    ]


def _options(answers: Answers, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return OPTIONS of each path: 204 and what the path takes (RFC 9110 section 9.3.7)."""
    methods: dict[str, set[str]] = {}
    for endpoint in endpoints:
        methods.setdefault(endpoint.slot.path, {"OPTIONS"}).add(endpoint.slot.method)
    return [_options_of(answers, path, allowed_methods(taken)) for path, taken in methods.items()]


def _options_of(answers: Answers, path: str, allowed: bytes) -> Endpoint:
    async def options(request: Request[Any, Any, Any]) -> ASGIApp:
        return answers.empty(_called(request, path.replace(":str}", "}")), 204, [(b"allow", allowed)])

    return Endpoint(Slot(path, "OPTIONS", f"options {path}"), options)


def _called(request: Request[Any, Any, Any], route: str) -> Call:
    call = call_of(request.scope)
    call.route = route
    return call


def _require_distinct(operations: Sequence[Operation]) -> None:
    seen: set[str] = set()
    for operation in operations:
        for fact in (operation.name, f"{operation.route.method.value} {operation.route.path}"):
            if fact in seen:
                raise ValueError(f"{fact} is declared twice")
            seen.add(fact)
