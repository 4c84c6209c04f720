"""An app of our own for testing the door: the real build, over a few operations that have one of everything."""

import io
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import httpx
import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.http.application import Parts, assemble
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import ApiError, Conflict, InsufficientScope, InvalidToken, Unavailable
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.logs import make_logger
from hellojohn_server.kit.mail import Mailbox
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal
from hellojohn_server.kit.rate_limits import Limit, RateLimiter
from hellojohn_server.kit.routing import MASTER_KEY, PUBLIC, SECRET_KEY, Answer, Method, Replay, checked_by, route
from hellojohn_server.kit.scopes import Scope

TENANT: Final = "tnt_01HABCDEF0000000000000TEST"
MAX_BODY: Final = 4096


class Color(StrEnum):
    GREEN = "green"
    RED = "red"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    label: Annotated[str, Meta(extra=checked_by(lambda text: "Must not shout." if text.isupper() else None))] = "part"


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    label: str = "piece"


class ThingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a thing is made of."""

    name: Annotated[str, Meta(min_length=1, max_length=20)]
    count: Annotated[int, Meta(ge=0, le=1000)] = 0
    ratio: Annotated[float, Meta(ge=0, lt=1)] = 0.5
    flag: bool = False
    note: str | UnsetType | None = UNSET
    color: Color = Color.RED
    mode: Literal["fast", "slow"] = "fast"
    code: Annotated[str, Meta(pattern=r"^[a-z]{2}$", description="two small letters")] | None = None
    made_at: Annotated[datetime, Meta(tz=True)] | None = None
    tags: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(max_length=3)] = []
    parts: list[Piece] = []
    main_part: Part | None = None
    metadata: dict[str, Any] | UnsetType = UNSET
    labels: Annotated[dict[str, Any], Meta(extra=checked_by(lambda held: "Too many." if len(held) > 2 else None))] = {}


class ThingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=100, description="How many")] = 20
    flag: bool | None = None
    email: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    color: Color | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = msgspec.field(default=None, name="from")


class OptionalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    reason: Annotated[str, Meta(max_length=50)] | None = None


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """What the handler was given."""

    said: Any = None
    version: int = 1


class Taken(Conflict):
    code = ErrorCode.USER_DELETED
    message = "That is taken."


class ThingRoutes:
    """Operations that say what they were given."""

    def __init__(self) -> None:
        self.contexts: list[Context] = []
        self.deleted: list[str] = []

    @route(Method.GET, "/v1/things", scope=Scope.USERS_READ)
    async def list_things(self, context: Context, query: ThingQuery) -> Answer[Echo]:
        """List things."""
        self.contexts.append(context)
        return Answer(Echo(said=query))

    @route(Method.POST, "/v1/things", scope=Scope.USERS_WRITE, status=201, errors=(Taken,), max_body_bytes=MAX_BODY)
    async def create_thing(
        self,
        context: Context,
        query: ThingQuery,  # noqa: ARG002 - declared so that it is checked
        body: ThingBody,
    ) -> Answer[Echo]:
        """Create a thing."""
        self.contexts.append(context)
        if context.idempotency is not None:
            context.idempotency.used = True
            context.idempotency.replayed = body.name == "again"
        return Answer(Echo(said=body), version=7, location="/v1/things/thing")

    @route(Method.GET, "/v1/things/{thing_id}", scope=Scope.USERS_READ)
    async def get_thing(self, context: Context, thing_id: str) -> Answer[Echo]:
        """Get a thing."""
        self.contexts.append(context)
        return Answer(Echo(said=thing_id), version=3)

    @route(Method.PATCH, "/v1/things/{thing_id}", scope=Scope.USERS_WRITE, if_match=True)
    async def update_thing(self, context: Context, thing_id: str, body: OptionalBody) -> Answer[Echo]:
        """Change a thing, and forget its Idempotency-Key."""
        self.contexts.append(context)
        return Answer(Echo(said=[thing_id, body]))

    @route(Method.DELETE, "/v1/things/{thing_id}", scope=Scope.USERS_WRITE, status=204)
    async def delete_thing(self, context: Context, thing_id: str) -> Answer[None]:
        """Delete a thing."""
        self.contexts.append(context)
        self.deleted.append(thing_id)
        return Answer(None)

    @route(Method.POST, "/v1/things/{thing_id}/upward", scope=Scope.USERS_WRITE)
    async def promote_thing(self, context: Context, thing_id: str) -> Answer[Echo]:
        """Refuse what needs a conditional scope."""
        self.contexts.append(context)
        raise InsufficientScope([Scope.ADMINS_MANAGE], f"Not {thing_id}.")

    @route(Method.POST, "/v1/search", scope=Scope.USERS_READ, replay=Replay.IGNORED)
    async def search_things(self, context: Context, body: OptionalBody) -> Answer[Echo]:
        """Search things."""
        self.contexts.append(context)
        return Answer(Echo(said=body.reason))

    @route(Method.POST, "/v1/sign-in", credentials=SECRET_KEY, scope=Scope.USERS_READ, replay=Replay.REFUSED)
    async def sign_in(self) -> Answer[Echo]:
        """Refuse to be replayed."""
        return Answer(Echo())

    @route(Method.POST, "/v1/sign-up", credentials=frozenset({CredentialKind.PUBLISHABLE_KEY}), limit=Limit.SIGN_UP)
    async def sign_up(self) -> Answer[Echo]:
        """Take publishable keys only."""
        return Answer(Echo())

    @route(Method.GET, "/v1/masters", credentials=MASTER_KEY)
    async def list_masters(self, context: Context) -> Answer[Echo]:
        """Take master keys only."""
        return Answer(Echo(said=context.tenant_id))

    @route(Method.GET, "/v1/broken", credentials=PUBLIC, limit=Limit.NONE)
    async def break_down(self) -> Answer[Echo]:
        """Fail in a way nobody thought of."""
        raise RuntimeError("the secret is sk_live_0123456789abcdef and eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln")

    @route(Method.GET, "/v1/busy", credentials=PUBLIC, limit=Limit.NONE)
    async def be_busy(self) -> Answer[Echo]:
        """Be unavailable."""
        raise Unavailable from OSError("the disk is full")


def key_of(kind: str, *scopes: str) -> str:
    """Return a credential that the authenticator below knows: its kind, and its scopes."""
    return "~".join([kind, *scopes]).replace(":", "/").replace("*", "+")


ADMIN: Final = {"authorization": f"Bearer {key_of('secret_key', '*')}"}
_ACTORS: Final = {CredentialKind.MASTER_KEY: ActorType.MASTER_KEY}


class WrittenAuthenticator:
    """Knows whoever says so in the credential itself."""

    async def authenticate(self, credential: str) -> Principal:
        kind, *scopes = credential.replace("/", ":").replace("+", "*").split("~")
        if kind not in set(CredentialKind):
            raise InvalidToken
        known = CredentialKind(kind)
        tenant_id = CONTROL_TENANT_ID if known is CredentialKind.MASTER_KEY else TENANT
        return Principal(known, _ACTORS.get(known, ActorType.API_KEY), "key_1", "test", tenant_id, frozenset(scopes))


class WrittenOrigins:
    """Allows whatever has the word in it."""

    async def is_allowed(self, tenant_id: str, origin: str) -> bool:
        return tenant_id == TENANT and "friend" in origin


class Door:
    """An app with what it logged and what it recorded as denied."""

    def __init__(
        self,
        ids: IdFactory,
        settings: HttpSettings | None = None,
        owners: list[object] | None = None,
        limiter: RateLimiter | None = None,
        mailbox: Mailbox | None = None,
    ) -> None:
        self.things = ThingRoutes()
        self.denied: list[tuple[Context, str, ApiError]] = []
        self.metrics = Metrics()
        self._log = io.BytesIO()
        self.app = assemble(
            Parts(
                owners=[self.things] if owners is None else owners,
                authenticator=WrittenAuthenticator(),
                record_denied=self._record,
                origins=WrittenOrigins(),
                ids=ids,
                settings=settings or HttpSettings(),
                log=make_logger(self._log),
                metrics=self.metrics,
                limiter=limiter,
                mailbox=mailbox,
            )
        )

    def forget(self) -> None:
        """Forget what was called, denied and logged."""
        self.things.contexts.clear()
        self.denied.clear()
        self._log.seek(0)
        self._log.truncate()

    async def _record(self, context: Context, operation: str, error: ApiError) -> None:
        self.denied.append((context, operation, error))

    @property
    def log_text(self) -> str:
        """Everything that was logged."""
        return self._log.getvalue().decode()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Every line that was logged."""
        return [json.loads(line) for line in self.log_text.splitlines()]

    async def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | list[tuple[bytes, bytes]] | None = None,
        client: tuple[str, int] = ("192.0.2.1", 1234),
        **body: Any,
    ) -> httpx.Response:
        """Send a request with ADMIN's credential, unless `headers` are given."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://door.test") as http:
            return await http.request(method, path, headers=ADMIN if headers is None else headers, **body)

    async def post(self, content: bytes, path: str = "/v1/things", **headers: str) -> httpx.Response:
        """Post `content` as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call(
            "POST", path, headers=ADMIN | {"content-type": "application/json"} | named, content=content
        )


def faults_in(response: httpx.Response) -> dict[str, str]:
    """Return the field errors of a 422: field -> code."""
    assert response.status_code == 422, response.text
    return {fault["field"]: fault["code"] for fault in response.json()["error"].get("details", [])}


def code_in(response: httpx.Response) -> str:
    """Return the code of an error, after checking that its body agrees with the rest of the answer."""
    error = response.json()["error"]
    assert error["status"] == response.status_code
    assert error["request_id"] == response.headers["x-request-id"]
    assert error["message"]
    return str(error["code"])
