"""The app: an endpoint for each declared operation in a table of paths, and our edge around all of it."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import msgspec
from structlog.typing import FilteringBoundLogger

from hellojohn_server.features.action_tokens.schemas import PAGE_PATHS
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.http.answers import Answers, Outgoing
from hellojohn_server.http.authentication import Authenticator, StoreAuthenticator
from hellojohn_server.http.call import Call
from hellojohn_server.http.cors import Origins, TenantOrigins, is_for_browsers, preflight_headers
from hellojohn_server.http.docs_page import PAGE_POLICY, render_page
from hellojohn_server.http.edge import Edge
from hellojohn_server.http.limits import CallLimits
from hellojohn_server.http.link_pages import LinkAct, LinkPages, link_acts
from hellojohn_server.http.mailbox import MailboxPage
from hellojohn_server.http.metrics import MetricsPage
from hellojohn_server.http.openapi import build_document
from hellojohn_server.http.operations import DeclaredOperation, Operation, RecordDenied, Shared
from hellojohn_server.http.router import Services, declared_routers, routers
from hellojohn_server.http.routing_table import Endpoint, RoutingTable, methods_of
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.logs import make_logger
from hellojohn_server.kit.mail import Mailbox
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.rate_limits import RateLimiter
from hellojohn_server.kit.routing import Route, routes_of


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is made of. `owners` are routes objects: their declared operations are what it serves."""

    owners: Sequence[object]
    authenticator: Authenticator
    record_denied: RecordDenied
    origins: Origins
    ids: IdFactory
    settings: HttpSettings = HttpSettings()
    log: FilteringBoundLogger | None = None
    metrics: Metrics | None = None
    limiter: RateLimiter | None = None
    mailbox: Mailbox | None = None
    link_acts: Sequence[LinkAct] = ()
    tenants: TenantService | None = None
    end_streams: Callable[[], None] | None = None


class Application:
    """Endpoints behind an edge, which sees each request first, and each answer and exception last."""

    def __init__(self, edge: Edge, table: RoutingTable, end_streams: Callable[[], None] | None = None) -> None:
        self._edge = edge
        self._table = table
        self._end_streams = end_streams

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI connection. RuntimeError for one that is not HTTP, which no server brings here."""
        if scope["type"] != "http":
            raise RuntimeError(f"HTTP is served here, not {scope['type']}")
        await self._edge.serve(self._answer, scope, receive, send)

    def end_streams(self) -> None:
        """End the streams that are open, and take no more."""
        if self._end_streams is not None:
            self._end_streams()

    async def _answer(self, call: Call, receive: Any, send: Any) -> None:
        """Answer one call. HEAD is answered like GET (RFC 9110 section 9.3.2); the edge leaves the body out."""
        method = "GET" if call.method == "HEAD" else call.method
        endpoint, call.path_values = self._table.find(method, call.scope["path"])
        call.route = endpoint.path
        answer = await endpoint.serve(call, receive)
        await answer.send(call, send)


def build_app(services: Services, settings: HttpSettings, *, log: FilteringBoundLogger | None = None) -> Application:
    """Return the app of the whole service."""
    return assemble(
        Parts(
            owners=routers(services),
            authenticator=StoreAuthenticator(services.keys, services.access_tokens),
            record_denied=partial(services.audit_log.record_denied, services.database),
            ids=services.ids,
            settings=settings,
            log=log,
            metrics=services.metrics,
            limiter=services.limiter,
            origins=TenantOrigins(
                services.tenant_settings,
                services.tenants,
                public_url=settings.public_url,
                is_dev=settings.dev_host_check is not None,
            ),
            mailbox=None if settings.dev_host_check is None else services.mailbox,
            link_acts=link_acts(services.password_resets, services.mailed_links),
            tenants=services.tenants,
            end_streams=services.revocation_feed.close,
        )
    )


def declared_document(public_url: str) -> dict[str, Any]:
    """Return the document of the whole service as a server at `public_url` answers it, without a store."""
    owners = declared_routers()
    operations = [DeclaredOperation(route, handler) for owner in owners for route, handler in routes_of(owner)]
    return build_document(operations, public_url)


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
        parts.origins,
        parts.settings.max_body_bytes,
        parts.settings.max_upload_bytes,
        parts.settings.body_seconds,
    )
    operations = [Operation(route, handler, shared) for owner in parts.owners for route, handler in routes_of(owner)]
    _require_distinct(operations)
    document = cache(partial(build_document, operations, parts.settings.public_url))
    endpoints = [Endpoint(one.route.method.value, one.route.path, one.serve) for one in operations]
    endpoints += _document(answers, document)
    endpoints.append(_metrics(MetricsPage(metrics, parts.settings.metrics_token, answers, limits)))
    if parts.mailbox is not None:
        endpoints += _mailbox(MailboxPage(parts.mailbox, answers))
    if parts.tenants is not None:
        pages = LinkPages(parts.tenants, answers, limits, parts.settings.body_seconds)
        endpoints += [endpoint for act in parts.link_acts for endpoint in _link_page(pages, act)]
    endpoints += _options(answers, endpoints, [one.route for one in operations if is_for_browsers(one.route)])
    edge = Edge(parts.settings, parts.ids, answers, make_logger() if parts.log is None else parts.log, metrics)
    return Application(edge, RoutingTable(endpoints), parts.end_streams)


def _document(answers: Answers, document: Callable[[], dict[str, Any]]) -> list[Endpoint]:
    """Return document and page. Each is made when it is first asked for, and kept."""

    @cache
    def encoded() -> bytes:
        return msgspec.json.encode(document())

    @cache
    def page() -> bytes:
        return render_page(document()).encode()

    async def openapi(call: Call, _receive: Any) -> Outgoing:
        return answers.json(call, 200, encoded())

    async def docs(call: Call, _receive: Any) -> Outgoing:
        return answers.page(call, page(), PAGE_POLICY)

    return [Endpoint("GET", "/openapi.json", openapi), Endpoint("GET", "/docs", docs)]


def _metrics(page: MetricsPage) -> Endpoint:
    async def metrics(call: Call, _receive: Any) -> Outgoing:
        return await page.answer(call)

    return Endpoint("GET", "/metrics", metrics)


def _mailbox(page: MailboxPage) -> list[Endpoint]:
    async def listed(call: Call, _receive: Any) -> Outgoing:
        return page.list_mails(call)

    async def as_json(call: Call, _receive: Any) -> Outgoing:
        return page.list_as_json(call)

    async def shown(call: Call, _receive: Any) -> Outgoing:
        return page.show_mail(call, call.path_values["mail_id"])

    return [
        Endpoint("GET", "/dev/mailbox", listed),
        Endpoint("GET", "/dev/mailbox.json", as_json),
        Endpoint("GET", "/dev/mailbox/{mail_id}", shown),
    ]


def _link_page(pages: LinkPages, act: LinkAct) -> list[Endpoint]:
    async def show(call: Call, _receive: Any) -> Outgoing:
        return await pages.show(act, call)

    async def submit(call: Call, receive: Any) -> Outgoing:
        return await pages.submit(act, call, receive)

    path = PAGE_PATHS[act.purpose]
    return [Endpoint("GET", path, show), Endpoint("POST", path, submit)]


def _options(answers: Answers, endpoints: Iterable[Endpoint], for_browsers: Iterable[Route]) -> list[Endpoint]:
    """Return OPTIONS of each path: 204, what the path takes (RFC 9110 section 9.3.7), and what a preflight asks."""
    methods: dict[str, set[str]] = {}
    from_pages: dict[str, set[str]] = {}
    for route in for_browsers:
        from_pages.setdefault(route.path, set()).add(route.method.value)
    for endpoint in endpoints:
        methods.setdefault(endpoint.path, {"OPTIONS"}).add(endpoint.method)
    return [_options_of(answers, path, taken, from_pages.get(path, set())) for path, taken in methods.items()]


def _options_of(answers: Answers, path: str, methods: Iterable[str], from_pages: set[str]) -> Endpoint:
    allow = (b"allow", ", ".join(methods_of(methods)).encode())

    async def options(call: Call, _receive: Any) -> Outgoing:
        return answers.empty(call, 204, [allow, *preflight_headers(call, from_pages)])

    return Endpoint("OPTIONS", path, options)


def _require_distinct(operations: Sequence[Operation]) -> None:
    seen: set[str] = set()
    for operation in operations:
        for fact in (operation.name, f"{operation.route.method.value} {operation.route.path}"):
            if fact in seen:
                raise ValueError(f"{fact} is declared twice")
            seen.add(fact)
