"""The app: Litestar with one handler for each declared operation, and our edge around all of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
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
from hellojohn_server.http.metrics import MetricsPage
from hellojohn_server.http.openapi import build_document
from hellojohn_server.http.operations import Operation, RecordDenied, Shared
from hellojohn_server.http.router import Services, routers
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.logs import make_logger
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.routing import routes_of

Lifespan: TypeAlias = Callable[[Litestar], AbstractAsyncContextManager[None]]

_METHODS: Final = {method.value: method for method in HttpMethod}


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is made of. `owners` are routes objects: their declared operations are what it serves."""

    owners: Sequence[object]
    authenticator: Authenticator
    record_denied: RecordDenied
    ids: IdFactory
    settings: HttpSettings = HttpSettings()
    log: FilteringBoundLogger | None = None
    metrics: Metrics | None = None
    lifespan: Sequence[Lifespan] = ()


class NoEvents(BaseEventEmitterBackend):
    """Litestar's events, which nothing here uses: without a task of their own in every app."""

    __slots__ = ()

    def emit(self, event_id: str, *_arguments: Any, **_more: Any) -> None:
        """Refuse an event: what happens leaves through the outbox."""
        raise NotImplementedError(event_id)

    async def __aexit__(self, *_raised: object) -> None:
        """Leave nothing behind."""


class Application(Litestar):
    """Litestar with an edge around it: it sees every request first, and every answer and exception last."""

    def __init__(self, edge: Edge, handlers: Sequence[HTTPRouteHandler], lifespan: Sequence[Lifespan]) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - Litestar leaves type arguments open
            handlers,
            exception_handlers={Exception: _to_the_edge},
            lifespan=list(lifespan),
            openapi_config=None,
            logging_config=None,
            event_emitter_backend=NoEvents,
        )
        self._edge = edge

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI connection; the edge takes the HTTP ones."""
        if scope["type"] == "http":
            await self._edge.serve(super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def build_app(
    services: Services,
    settings: HttpSettings,
    *,
    log: FilteringBoundLogger | None = None,
    lifespan: Sequence[Lifespan] = (),
) -> Litestar:
    """Return the app of the whole service. `lifespan` are entered when it starts and left when it stops."""
    return assemble(
        Parts(
            owners=routers(services),
            authenticator=StoreAuthenticator(services.keys, services.auth),
            record_denied=partial(services.audit_log.record_denied, services.database),
            ids=services.ids,
            settings=settings,
            log=log,
            metrics=services.metrics,
            lifespan=lifespan,
        )
    )


def assemble(parts: Parts) -> Litestar:
    """Return an app of any routes objects. ValueError when two operations share a name, or a method and path."""
    answers = Answers(parts.settings)
    metrics = Metrics() if parts.metrics is None else parts.metrics
    shared = Shared(
        parts.authenticator, parts.record_denied, answers, parts.settings.max_body_bytes, parts.settings.body_seconds
    )
    operations = [Operation(route, handler, shared) for owner in parts.owners for route, handler in routes_of(owner)]
    _require_distinct(operations)
    document = cache(partial(build_document, operations, parts.settings.public_url))
    handlers = [_handler_of(operation) for operation in operations]
    handlers += _document_handlers(answers, document)
    handlers.append(_metrics_handler(MetricsPage(metrics, parts.settings.metrics_token, answers)))
    handlers = [*_options_handlers(answers, handlers), *handlers]  # first, or Litestar makes its own
    edge = Edge(parts.settings, parts.ids, answers, make_logger() if parts.log is None else parts.log, metrics)
    return Application(edge, handlers, parts.lifespan)


def _to_the_edge(_request: Request[Any, Any, Any], error: Exception) -> Any:
    raise error


def _handler_of(operation: Operation) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        return await operation.serve(call_of(request.scope), request.receive)

    path = operation.route.path.replace("}", ":str}")
    return _plain_handler(path, operation.route.method.value, operation.name, handle)


def _document_handlers(answers: Answers, document: Callable[[], dict[str, Any]]) -> list[HTTPRouteHandler]:
    """Return the handlers of document and page. Each is made when it is first asked for, and kept."""

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
        _plain_handler("/openapi.json", "GET", "get_openapi_document", openapi),
        _plain_handler("/docs", "GET", "get_docs_page", docs),
    ]


def _metrics_handler(page: MetricsPage) -> HTTPRouteHandler:
    async def metrics(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page.answer(_called(request, "/metrics"))

    return _plain_handler("/metrics", "GET", "get_metrics", metrics)


def _options_handlers(answers: Answers, handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return a handler of OPTIONS for each path: 204 and what the path takes (RFC 9110 section 9.3.7)."""
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_options_handler(answers, path, allowed_methods(taken)) for path, taken in methods.items()]


def _options_handler(answers: Answers, path: str, allowed: bytes) -> HTTPRouteHandler:
    async def options(request: Request[Any, Any, Any]) -> ASGIApp:
        return answers.empty(_called(request, path.replace(":str}", "}")), 204, [(b"allow", allowed)])

    return _plain_handler(path, "OPTIONS", f"options {path}", options)


def _plain_handler(path: str, method: str, name: str, function: Callable[[Any], Any]) -> HTTPRouteHandler:
    handler = HTTPRouteHandler(
        path, http_method=[_METHODS[method]], name=name, status_code=200, include_in_schema=False
    )
    return handler(function)


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
