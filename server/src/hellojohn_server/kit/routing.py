"""Routes as declarations: what a feature says of an operation, and what http/ needs to serve, guard and document it.

A feature's routes.py holds one class whose async methods carry @route. The types of the parameters say what is read:
`context: Context`, `query: <Struct>`, `body: <Struct>` or `upload: Upload`, one `str` for each {name} in the path, and
`events: Events | None` where the answer may be a stream of events, which it is when the client accepts one;
the return type `Answer[<Struct>]` says what goes out. http/ reads them once, at start-up.

A field of a body or query whose rule no type can say has it in its metadata: `Meta(extra=checked_by(email_fault))`. The
request boundary applies it, so that its fault is listed beside those of all other fields.

A rule between fields of a body stands before its struct: `@checked_together(one_password_fault)`. When something else
in the request is wrong, the boundary lists its fault beside that; when nothing is, the service does (faults_together),
beside what only the store can tell.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from hellojohn_server.kit.errors import ApiError, FieldError
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.scopes import Scope

T = TypeVar("T")
Body = TypeVar("Body", bound=msgspec.Struct)
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])

Rule: TypeAlias = Callable[[Any], str | None]
"""Takes a value of the field's type and returns what is wrong with it as a sentence, or None."""

JointRule: TypeAlias = Callable[[Mapping[str, object]], FieldError | None]
"""Takes every field of a body by its name in the request, and returns what is wrong between them, or None.

A field that is wrong by itself is FAULTY: it is there, and nothing else is known of it. What a rule says must hold even
so, and be no guess at what was meant. An object is its struct or, when something in the request is wrong, a mapping in
which the members that are wrong are FAULTY, and so are those of the objects in it.
"""


class Faulty(Enum):
    """What stands for the value of a field that is wrong by itself."""

    FAULTY = "faulty"


FAULTY: Final = Faulty.FAULTY

STOPPING: Final = "stopping"
"""What the server calls, of its lifespan's state, when it begins to stop and before it waits for running answers."""
RULE: Final = "rule"
_COUNTED_BY_SERVICES: Final = frozenset({Limit.FORGOT, Limit.KEY_FAILURES})
_JOINT: Final = "__hellojohn_joint_rules__"
_MARK: Final = "__hellojohn_route__"


def checked_by(rule: Rule) -> dict[str, Any]:
    """Return the `extra` of a msgspec.Meta that has a field checked by `rule` at the request boundary."""
    return {RULE: rule}


def checked_together(*rules: JointRule) -> Callable[[type[Body]], type[Body]]:
    """Give the body below rules between its fields. The service that takes it applies them by faults_together."""

    def declare(body: type[Body]) -> type[Body]:
        setattr(body, _JOINT, rules)
        return body

    return declare


def joint_rules_of(declared: type) -> tuple[JointRule, ...]:
    """Return the rules between the fields of a struct, in the order in which they were given; mostly none."""
    return getattr(declared, _JOINT, ())


def faults_together(body: msgspec.Struct) -> list[FieldError]:
    """Return what is wrong between the fields of a body, each of which is right by itself."""
    given = {field.encode_name: getattr(body, field.name) for field in msgspec.structs.fields(body)}
    found = (rule(given) for rule in joint_rules_of(type(body)))
    return [fault for fault in found if fault is not None]


class Method(StrEnum):
    DELETE = "DELETE"
    GET = "GET"
    PATCH = "PATCH"
    POST = "POST"
    PUT = "PUT"


class Replay(StrEnum):
    """What an Idempotency-Key does on a route. GET routes have none."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    REFUSED = "refused"


class Impersonation(StrEnum):
    """Whether an impersonation may enter a route. Most it may not: those that it may are few, and say so."""

    ALLOWED = "allowed"
    """Whoever acts in the user's place; one that only looks, if the route is a GET."""

    ALWAYS = "always"
    """One that only looks too."""

    REFUSED = "refused"


ACCESS_TOKEN: Final = frozenset({CredentialKind.ACCESS_TOKEN})
PUBLISHABLE_KEY: Final = frozenset({CredentialKind.PUBLISHABLE_KEY})
SECRET_KEY: Final = frozenset({CredentialKind.SECRET_KEY})
MASTER_KEY: Final = frozenset({CredentialKind.MASTER_KEY})
PUBLIC: Final[frozenset[CredentialKind]] = frozenset()


class Content(StrEnum):
    """What a body is written in. Of NDJSON each line is one JSON text, of CSV one row after a line of names."""

    CSV = "text/csv"
    EVENT_STREAM = "text/event-stream"
    JSON = "application/json"
    NDJSON = "application/x-ndjson"


class Parts(msgspec.Struct, frozen=True):
    """A body that is made while it goes out, so that it need not fit in memory; it may be of any length.

    What can refuse the request comes before it: once the first part is out, an error breaks the answer off. When the
    client goes away no further part is asked for. HEAD asks for none. `file_name` (letters, digits and . _ -) is what
    the answer is saved as.
    """

    parts: AsyncGenerator[bytes, None]
    content: Content = Content.JSON
    file_name: str | None = None


class Events(msgspec.Struct, frozen=True):
    """The client wants events as they come (Server-Sent Events, HTML section 9.2). `last_id` is of the last it has."""

    last_id: str | None


class Disconnected(Exception):
    """The client went away: there is nobody to answer."""


class Upload(msgspec.Struct, frozen=True):
    """A body that is read while it comes in, so that it need not fit in memory: as long as the setting allows.

    `content` is what it says it is written in. To ask for a part raises what ends the upload: a client that went away
    or sends nothing more, a body that is too large, a credential that holds no more.
    """

    content: Content
    parts: AsyncIterator[bytes]


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """What a route returns. `body` None: no content. `version` becomes the ETag, `location` the Location header.

    `max_age` lets caches keep a public answer for so many seconds; without it nothing is kept.
    """

    body: T | Parts
    version: int | None = None
    location: str | None = None
    max_age: int | None = None


class Route(msgspec.Struct, frozen=True):
    """One operation of the API.

    `scope` is the base scope of a secret key; conditional ones are in docs/scopes.md and the checked-in table.
    `scope` None with a secret key: any may enter. `credentials` empty means public.
    `errors` are what it can answer beyond those of its kind (401, 403, 422, 5xx).
    `if_match` says that If-Match is honoured. `max_body_bytes` is the largest body it takes.
    `limit` is the limit that its calls count for. `contents` are what the answer can be written in; of NDJSON, what the
    handler returns is a line. `uploads` are what an upload can be written in; its size is limited by a setting.
    """

    method: Method
    path: str
    summary: str
    scope: Scope | None
    credentials: frozenset[CredentialKind]
    status: int
    errors: tuple[type[ApiError], ...]
    replay: Replay
    if_match: bool
    max_body_bytes: int
    limit: Limit
    description: str = ""
    conditional_scopes: tuple[Scope, ...] = ()
    impersonation: Impersonation = Impersonation.REFUSED
    enrolling: bool = False
    contents: tuple[Content, ...] = (Content.JSON,)
    uploads: tuple[Content, ...] = ()


def route(  # noqa: PLR0913 - a declaration names each of its facts
    method: Method,
    path: str,
    *,
    scope: Scope | None = None,
    credentials: frozenset[CredentialKind] = SECRET_KEY,
    status: int = 200,
    errors: tuple[type[ApiError], ...] = (),
    replay: Replay = Replay.HONOURED,
    if_match: bool = False,
    max_body_bytes: int = 262_144,
    conditional_scopes: tuple[Scope, ...] = (),
    impersonation: Impersonation = Impersonation.REFUSED,
    any_scope: bool = False,
    enrolling: bool = False,
    limit: Limit | None = None,
    contents: tuple[Content, ...] = (Content.JSON,),
    uploads: tuple[Content, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare the method below as an operation. The first line of its docstring is the operation's summary.

    `any_scope` lets any secret key in, in place of a scope; `enrolling` lets in users who must first have a second
    factor. Without `limit` its calls count as reads if they change nothing, else as writes; a route for anybody, or any
    visitor of an application, names its limit. ValueError at import when a secret-key route names no scope, another
    names one, impersonations are let in where no access token is, uploads have replays, or the limit cannot be its own.
    """
    declared = Route(
        method=method,
        path=path,
        summary="",
        scope=scope,
        credentials=credentials,
        status=status,
        errors=errors,
        replay=replay,
        if_match=if_match,
        max_body_bytes=max_body_bytes,
        limit=limit or (Limit.READS if method is Method.GET or replay is Replay.IGNORED else Limit.WRITES),
        conditional_scopes=conditional_scopes,
        impersonation=impersonation,
        enrolling=enrolling,
        contents=contents,
        uploads=uploads,
    )
    _require_sound(declared, any_scope=any_scope, limit=limit)

    def declare(handler: Handler) -> Handler:
        summary, _, description = (handler.__doc__ or "").strip().partition("\n")
        if not summary:
            raise ValueError(f"{method.value} {path}: needs a docstring, its first line is the summary")
        told = "\n".join(line.strip() for line in description.strip().splitlines())
        described = msgspec.structs.replace(declared, summary=summary.rstrip("."), description=told)
        setattr(handler, _MARK, described)
        return handler

    return declare


def _require_sound(declared: Route, *, any_scope: bool, limit: Limit | None) -> None:
    """Raise ValueError for a declaration that contradicts itself. `limit` is the one that was named."""
    where = f"{declared.method.value} {declared.path}"
    credentials, scope = declared.credentials, declared.scope
    if (CredentialKind.SECRET_KEY in credentials) != (scope is not None or any_scope) or (scope and any_scope):
        raise ValueError(f"{where}: a secret key needs a scope, and only a secret key has one")
    if declared.impersonation is not Impersonation.REFUSED and CredentialKind.ACCESS_TOKEN not in credentials:
        raise ValueError(f"{where}: an impersonation comes with an access token")
    if limit is None and (not credentials or CredentialKind.PUBLISHABLE_KEY in credentials):
        raise ValueError(f"{where}: name the limit of what strangers may call")
    if declared.uploads and declared.replay is not Replay.REFUSED:
        raise ValueError(f"{where}: what is read while it comes in cannot be compared with a retry")
    if limit in _COUNTED_BY_SERVICES:
        raise ValueError(f"{where}: this limit is counted by a service, which knows whom it is about")


def route_of(handler: Callable[..., Awaitable[Any]]) -> Route:
    """Return what a method of a routes class was declared as; AttributeError for one that was not."""
    declared: Route = getattr(handler, _MARK)
    return declared


def routes_of(owner: object) -> Iterator[tuple[Route, Callable[..., Awaitable[Answer[Any]]]]]:
    """Yield each declared operation of a feature's routes object with its bound method, in the order of the source."""
    for name in type(owner).__dict__:
        method = getattr(owner, name)
        declared = getattr(method, _MARK, None)
        if declared is not None:
            yield declared, method
