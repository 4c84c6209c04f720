"""The document and the page that are made of the declarations."""

import re
from html import unescape
from typing import Annotated, Any, Final, Literal

import msgspec
import pytest
from msgspec import Meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from hellojohn_server.http.application import Parts, assemble
from hellojohn_server.http.settings import HttpSettings
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import (
    ACCESS_TOKEN,
    MASTER_KEY,
    PUBLIC,
    PUBLISHABLE_KEY,
    SECRET_KEY,
    Answer,
    Impersonation,
    Method,
    route,
    routes_of,
)
from hellojohn_server.kit.scopes import Scope
from tests.http.things import Color, Door, Echo, Part, ThingRoutes, WrittenAuthenticator, WrittenOrigins


@pytest.fixture
async def document(ids: IdFactory) -> dict[str, Any]:
    door = Door(ids, HttpSettings(public_url="https://id.door.test"))
    return (await door.call("GET", "/openapi.json", headers={})).json()


def names_of(parameters: list[dict[str, Any]]) -> list[str]:
    return [parameter.get("name") or parameter["$ref"].rpartition("/")[2] for parameter in parameters]


def codes_of(responses: dict[str, Any], status: str) -> set[str]:
    """Return the error codes documented with a status; none when it is not there."""
    return set(responses[status]["content"]["application/json"]["examples"]) if status in responses else set()


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": "https://id.door.test"}]
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_every_declared_operation_is_in_it_and_nothing_else(document: dict[str, Any]) -> None:
    served = {
        (declared.method.value.lower(), declared.path, handler.__name__)
        for declared, handler in routes_of(ThingRoutes())
    }
    assert served == {
        (method, path, operation["operationId"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


async def test_an_operation_says_what_it_takes_and_needs(document: dict[str, Any]) -> None:
    create = document["paths"]["/v1/things"]["post"]
    assert create["summary"] == "Create a thing"
    assert create["x-required-scope"] == "users:write"
    assert create["security"] == [{"secretKey": ["users:write"]}]
    assert names_of(create["parameters"]) == [
        "limit", "flag", "email", "color", "from", "TenantId", "ActingAdmin", "IdempotencyKey",
    ]  # fmt: skip
    assert create["requestBody"]["required"] is True
    assert create["x-max-body-bytes"] == 4096
    assert set(create["responses"]) == {
        "201",
        "400",
        "401",
        "403",
        "408",
        "409",
        "413",
        "415",
        "422",
        "429",
        "431",
        "500",
        "503",
    }
    assert set(create["responses"]["201"]["headers"]) == {
        "ETag", "Idempotency-Replayed", "Location", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
        "X-Request-ID",
    }  # fmt: skip
    assert "user_deleted" in create["responses"]["409"]["content"]["application/json"]["examples"]
    update = document["paths"]["/v1/things/{thing_id}"]["patch"]
    assert "IfMatch" in names_of(update["parameters"])
    assert "412" in update["responses"]
    assert update["requestBody"]["required"] is False
    delete = document["paths"]["/v1/things/{thing_id}"]["delete"]
    assert "content" not in delete["responses"]["204"]
    assert "IfMatch" not in names_of(delete["parameters"])
    assert document["paths"]["/v1/masters"]["get"]["security"] == [{"masterKey": []}]
    assert document["paths"]["/v1/broken"]["get"]["security"] == []
    assert names_of(document["paths"]["/v1/broken"]["get"].get("parameters", [])) == []
    assert "IdempotencyKey" not in names_of(document["paths"]["/v1/search"]["post"]["parameters"])


async def test_every_error_has_the_body_of_errors_and_an_example(document: dict[str, Any]) -> None:
    error = {"$ref": "#/components/schemas/ErrorBody"}
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    content = response["content"]["application/json"]
                    assert content["schema"] == error
                    assert content["examples"]
    for name, example in document["components"]["examples"].items():
        assert example["value"]["error"]["code"] == name


class Kinds:
    """An operation of each kind of credential, and one for each thing that an impersonation may be told."""

    @route(Method.GET, "/v1/public", credentials=PUBLIC, limit=Limit.NONE)
    async def be_public(self) -> Answer[Echo]:
        """Take nothing."""
        return Answer(Echo())

    @route(Method.GET, "/v1/master", credentials=MASTER_KEY)
    async def take_master(self) -> Answer[Echo]:
        """Take master keys."""
        return Answer(Echo())

    @route(Method.GET, "/v1/publishable", credentials=PUBLISHABLE_KEY, limit=Limit.NONE)
    async def take_publishable(self) -> Answer[Echo]:
        """Take publishable keys."""
        return Answer(Echo())

    @route(Method.GET, "/v1/secret", scope=Scope.USERS_READ)
    async def take_secret(self) -> Answer[Echo]:
        """Take secret keys."""
        return Answer(Echo())

    @route(Method.GET, "/v1/refused", credentials=ACCESS_TOKEN)
    async def refuse_impersonations(self) -> Answer[Echo]:
        """Take the access tokens of users themselves."""
        return Answer(Echo())

    @route(Method.GET, "/v1/allowed", credentials=ACCESS_TOKEN, impersonation=Impersonation.ALLOWED)
    async def look(self) -> Answer[Echo]:
        """Take any access token to look."""
        return Answer(Echo())

    @route(Method.PUT, "/v1/allowed", credentials=ACCESS_TOKEN, impersonation=Impersonation.ALLOWED)
    async def act(self) -> Answer[Echo]:
        """Take access tokens that may act."""
        return Answer(Echo())

    @route(Method.DELETE, "/v1/always", credentials=ACCESS_TOKEN, impersonation=Impersonation.ALWAYS)
    async def leave(self) -> Answer[Echo]:
        """Take any access token to act."""
        return Answer(Echo())

    @route(
        Method.GET, "/v1/either", credentials=ACCESS_TOKEN | SECRET_KEY, any_scope=True,
        impersonation=Impersonation.ALWAYS,
    )  # fmt: skip
    async def take_either(self) -> Answer[Echo]:
        """Take any access token and any secret key."""
        return Answer(Echo())


ANY_401: Final = {"api_key_expired", "invalid_api_key", "invalid_token", "missing_token"}
TENANT_401: Final = ANY_401 | {"invalid_publishable_key"}
TOKEN_401: Final = TENANT_401 | {"session_expired", "session_revoked", "token_expired", "token_stale"}
ANY_403: Final = {"credential_not_allowed"}
TENANT_403: Final = ANY_403 | {"tenant_mismatch", "tenant_suspended"}
TOKEN_403: Final = TENANT_403 | {"account_banned", "account_disabled", "mfa_enrollment_required"}
IMPERSONATION: Final = {"impersonation_forbidden"}
ADDRESS: Final = {"address_not_allowed"}
ORIGIN: Final = {"origin_not_allowed"}


async def test_each_kind_of_credential_has_its_own_refusals(ids: IdFactory) -> None:
    paths = (await Door(ids, owners=[Kinds()]).call("GET", "/openapi.json", headers={})).json()["paths"]
    documented = {
        operation["operationId"]: tuple(codes_of(operation["responses"], status) for status in ("401", "403"))
        for item in paths.values()
        for operation in item.values()
    }
    assert documented == {
        "be_public": (set(), set()),
        "take_master": (ANY_401, ANY_403 | IMPERSONATION),
        "take_publishable": (TENANT_401, TENANT_403 | IMPERSONATION | ORIGIN),
        "take_secret": (TENANT_401, TENANT_403 | IMPERSONATION | ADDRESS | {"insufficient_scope"}),
        "refuse_impersonations": (TOKEN_401, TOKEN_403 | IMPERSONATION | ORIGIN),
        "look": (TOKEN_401, TOKEN_403 | ORIGIN),
        "act": (TOKEN_401, TOKEN_403 | IMPERSONATION | ORIGIN),
        "leave": (TOKEN_401, TOKEN_403 | ORIGIN),
        "take_either": (TOKEN_401, TOKEN_403 | ADDRESS | ORIGIN),
    }


async def test_objects_are_closed_and_maps_are_open(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert all(schema["additionalProperties"] is False for schema in schemas.values() if "properties" in schema)
    assert "additionalProperties" not in schemas["ThingBody"]["properties"]["metadata"]
    assert "ThingQuery" not in schemas


async def test_parameters_are_never_null(document: dict[str, Any]) -> None:
    parameters = {
        parameter["name"]: parameter
        for parameter in document["paths"]["/v1/things"]["get"]["parameters"]
        if "name" in parameter
    }
    assert parameters["limit"]["description"] == "How many"
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameters["flag"]["schema"] == {"type": "boolean"}
    assert parameters["color"]["schema"] == {"$ref": "#/components/schemas/Color"}
    assert all(parameter["required"] is False for parameter in parameters.values())


async def test_the_page_lists_every_operation_and_fetches_nothing(door: Door) -> None:
    response = await door.call("GET", "/docs", headers={})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for declared, handler in routes_of(ThingRoutes()):
        assert f'id="{handler.__name__}"' in response.text
        assert declared.summary in response.text
    assert "<script" not in response.text
    assert re.findall(r'(?:src|href)="([^"#]+)"', response.text) == ["/openapi.json"]
    assert "url(" not in response.text
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


async def test_the_page_shows_text_as_text(ids: IdFactory) -> None:
    class Sly:
        @route(Method.GET, "/v1/sly", credentials=PUBLIC, limit=Limit.NONE)
        async def be_sly(self) -> Answer[Echo]:
            """Show <script>alert(1)</script> & `code <b>`."""
            return Answer(Echo())

    page = (await Door(ids, owners=[Sly()]).call("GET", "/docs", headers={})).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    values: list[str] = []


async def test_declarations_that_cannot_be_served_are_refused_at_the_start(ids: IdFactory) -> None:
    class NoAnswer:
        @route(Method.GET, "/v1/x", scope=Scope.USERS_READ)
        async def get_x(self) -> Echo:
            """Get."""
            return Echo()

    class OddPath:
        @route(Method.GET, "/v1/x/{x_id}", scope=Scope.USERS_READ)
        async def get_x(self, y_id: str) -> Answer[Echo]:
            """Get."""
            return Answer(Echo(said=y_id))

    class PublicContext:
        @route(Method.GET, "/v1/x", credentials=PUBLIC, limit=Limit.NONE)
        async def get_x(self, context: Context) -> Answer[Echo]:
            """Get."""
            return Answer(Echo(said=context.request_id))

    class ListParameter:
        @route(Method.GET, "/v1/x", scope=Scope.USERS_READ)
        async def get_x(self, query: Query) -> Answer[Echo]:
            """Get."""
            return Answer(Echo(said=query))

    for owner in (NoAnswer(), OddPath(), PublicContext(), ListParameter()):
        with pytest.raises(TypeError):
            Door(ids, owners=[owner])
    with pytest.raises(ValueError, match="declared twice"):
        Door(ids, owners=[ThingRoutes(), ThingRoutes()])


async def test_an_app_logs_to_standard_output_when_it_is_given_no_log(ids: IdFactory) -> None:
    async def nothing(*_: object) -> None:
        return None

    parts = Parts(
        owners=[],
        authenticator=WrittenAuthenticator(),
        record_denied=nothing,
        origins=WrittenOrigins(),
        ids=ids,
    )
    assert assemble(parts) is not None


class Shelf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    count: Annotated[int, Meta(ge=3)]
    flag: bool
    lines: list[str]
    colors: list[Color]
    part: Part
    email: Annotated[str, Meta(extra_json_schema={"format": "email"})]
    mode: Literal["fast", "slow"] | None
    other: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] = 1
    anything: Any = None


class ShelfQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    confirm: str


async def test_the_page_shows_a_call_with_everything_that_is_required(ids: IdFactory) -> None:
    class Shelves:
        @route(Method.PUT, "/v1/shelves", scope=Scope.USERS_WRITE)
        async def put_shelf(self, query: ShelfQuery, body: Shelf) -> Answer[Echo]:
            """Put a shelf."""
            return Answer(Echo(said=[query, body]))

    page = unescape((await Door(ids, owners=[Shelves()]).call("GET", "/docs", headers={})).text)
    assert 'curl -X PUT "http://localhost:3000/v1/shelves?confirm=..."' in page
    assert (
        '{"count": 3, "flag": true, "lines": ["..."], "colors": ["green"], "part": {}, "email": "alice@example.com", '
        '"mode": "fast"}'
    ) in page
    assert "one of 13 names" in page
    assert "part.size" in page


async def test_a_body_that_is_no_struct_is_refused_at_the_start(ids: IdFactory) -> None:
    class Lists:
        @route(Method.POST, "/v1/x", scope=Scope.USERS_WRITE)
        async def post_x(self, body: list[str]) -> Answer[Echo]:
            """Post."""
            return Answer(Echo(said=body))

    with pytest.raises(TypeError, match="body must be a Struct"):
        Door(ids, owners=[Lists()])
