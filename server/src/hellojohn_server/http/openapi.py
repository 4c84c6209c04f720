"""The OpenAPI 3.1 document, made from the same declarations that requests are served by."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Final

import msgspec

from hellojohn_server import __version__
from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    SessionExpired,
    SessionRevoked,
    TokenExpired,
    TokenStale,
)
from hellojohn_server.features.keys.errors import ApiKeyExpired, InvalidApiKey, InvalidPublishableKey
from hellojohn_server.features.tenants.errors import TenantSuspended
from hellojohn_server.http.answers import ErrorBody
from hellojohn_server.http.cors import is_for_browsers
from hellojohn_server.http.errors import (
    DeadlineExceeded,
    InvalidHost,
    OriginNotAllowed,
    RequestTimeout,
    ServerBusy,
    TooManyHeaders,
)
from hellojohn_server.http.operations import DeclaredOperation
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import (
    AddressNotAllowed,
    ApiError,
    BadRequest,
    CredentialNotAllowed,
    FieldError,
    IdempotencyKeyReused,
    IdempotencyNotSupported,
    ImpersonationForbidden,
    InsufficientScope,
    InternalError,
    Invalid,
    InvalidToken,
    MalformedJson,
    MfaEnrollmentRequired,
    MissingToken,
    NotFound,
    PayloadTooLarge,
    TenantMismatch,
    UnsupportedMediaType,
    VersionMismatch,
)
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.rate_limits import Limit, RateLimited
from hellojohn_server.kit.routing import Content, Impersonation, Method, Replay, Route
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy, StoreUnavailable

_SCHEMAS: Final = "#/components/schemas/"
_PARAMETERS: Final = "#/components/parameters/"
_HEADERS: Final = "#/components/headers/"
_EXAMPLES: Final = "#/components/examples/"
_EXAMPLE_REQUEST_ID: Final = "req_01JD5C7Q4V8M2N6P0R3S9T1WXY"

_SCHEMES: Final = {
    CredentialKind.ACCESS_TOKEN: ("accessToken", "A user's access token"),
    CredentialKind.MASTER_KEY: ("masterKey", "A master key, `mk_live_...`: the control plane"),
    CredentialKind.PUBLISHABLE_KEY: ("publishableKey", "A publishable key, `pk_live_...` or `pk_test_...`"),
    CredentialKind.SECRET_KEY: ("secretKey", "A secret key, `sk_live_...` or `sk_test_...`, with scopes"),
}
_PARAMETER_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    "ActingAdmin": {
        "name": "X-Acting-Admin",
        "in": "header",
        "description": "Who is behind the key, in your own terms. Kept in the audit log as `asserted`; never trusted.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a retry safe: the same key and request within 24 hours gets the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that you read. When the object has another version by now, nothing is changed: 412.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "TenantId": {
        "name": "X-Tenant-ID",
        "in": "header",
        "description": "May be left out: the credential names its tenant. When given, it must agree.",
        "schema": {"type": "string"},
    },
}
_HEADER_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    "ETag": {"description": "The version of the object, for If-Match", "schema": {"type": "string"}, "example": '"3"'},
    "IdempotencyReplayed": {
        "description": "`true` when this is the answer to an earlier request with this Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Location": {"description": "Where the new object is", "schema": {"type": "string", "format": "uri-reference"}},
    "RateLimitLimit": {
        "description": "How many calls the limit of this operation allows within its time",
        "schema": {"type": "integer"},
    },
    "RateLimitRemaining": {"description": "How many of them are left", "schema": {"type": "integer"}},
    "RateLimitReset": {
        "description": "When all of them are left again, in seconds since 1970-01-01T00:00:00Z",
        "schema": {"type": "integer"},
    },
    "RequestId": {"description": "The id of this request, also in our log", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Seconds to wait before trying again", "schema": {"type": "integer"}},
    "WwwAuthenticate": {"description": "The challenge of RFC 6750", "schema": {"type": "string"}},
}
_LIMIT_HEADERS: Final = ("RateLimitLimit", "RateLimitRemaining", "RateLimitReset")


def build_document(operations: Sequence[DeclaredOperation], public_url: str) -> dict[str, Any]:
    """Return the document of `operations`, ready to be encoded as JSON."""
    types = list(dict.fromkeys([ErrorBody, *(each for operation in operations for each in _types_of(operation))]))
    references, components = msgspec.json.schema_components(types, ref_template=f"{_SCHEMAS}{{name}}")
    schemas = dict(zip(types, references, strict=True))
    queries = {operation.signature.query for operation in operations}
    bodies = {operation.signature.body for operation in operations}
    only_queries = {_name_of(schemas[each]) for each in queries - bodies if each is not None}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        item = paths.setdefault(operation.route.path, {})
        item[operation.route.method.value.lower()] = _operation(operation, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "HelloJohn",
            "version": __version__,
            "description": "Users, and everything an administrator does with them. Every act is in the audit log.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag_of(operation.route) for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": {name: _closed(schema) for name, schema in components.items() if name not in only_queries},
            "parameters": _PARAMETER_OBJECTS,
            "headers": _HEADER_OBJECTS,
            "examples": {
                kind.code.value: {"value": _example(kind)}
                for kind in sorted(
                    {kind for operation in operations for kind in errors_of(operation)}, key=lambda kind: kind.__name__
                )
            },
            "securitySchemes": {
                name: {"type": "http", "scheme": "bearer", "description": described}
                for kind, (name, described) in _SCHEMES.items()
                if any(kind in operation.route.credentials for operation in operations)
            },
        },
    }


def _types_of(operation: DeclaredOperation) -> Iterator[Any]:
    signature = operation.signature
    for each in (signature.query, signature.body, signature.answer):
        if each is not None and each is not type(None):
            yield each


def _operation(operation: DeclaredOperation, schemas: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    route, signature = operation.route, operation.signature
    query = None if signature.query is None else components[_name_of(schemas[signature.query])]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [_tag_of(route)],
        "summary": route.summary,
        "description": _description(route),
        "security": _security(route),
        "parameters": [*_path_parameters(signature.path), *_query_parameters(query), *_header_parameters(route)],
        "responses": _successes(operation, schemas, components) | _failures(operation),
    }
    if route.scope is not None:
        described["x-required-scope"] = route.scope.value
    if route.conditional_scopes:
        described["x-conditional-scopes"] = [scope.value for scope in route.conditional_scopes]
    if signature.body is not None:
        described["requestBody"] = {
            "required": not operation.body_is_optional,
            "content": {"application/json": {"schema": schemas[signature.body]}},
        }
        described["x-max-body-bytes"] = route.max_body_bytes
    if signature.takes_upload:
        described["requestBody"] = {
            "required": True,
            "content": {each.value: _uploaded(each) for each in route.uploads},
        }
    return {key: value for key, value in described.items() if value not in ("", [])} | {"security": _security(route)}


def _uploaded(content: Content) -> dict[str, Any]:
    """Return the media type of an upload: what is in it is for the operation to say."""
    return {"schema": {} if content is Content.JSON else {"type": "string"}}


def _tag_of(route: Route) -> str:
    """Return the group of an operation: the last plain part of its collection's path, such as users or audit-logs."""
    parts = [part for part in route.path.split("/") if part and part != "v1" and not part.startswith("{")]
    collection = parts[1] if parts[0] == "admin" and len(parts) > 1 else parts[0]
    return "service" if not route.path.startswith("/v1/") else collection


def _description(route: Route) -> str:
    needs = ""
    if route.scope is not None:
        needs = f"Needs the scope `{route.scope.value}`."
        if route.conditional_scopes:
            needs += f" In some cases also {', '.join(f'`{scope.value}`' for scope in route.conditional_scopes)}."
    return "\n\n".join(part for part in (route.description, needs) if part)


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Return the requirements. Scopes stand as the role names that OpenAPI 3.1 allows beside any scheme."""
    return [
        {_SCHEMES[kind][0]: [route.scope.value] if kind is CredentialKind.SECRET_KEY and route.scope else []}
        for kind in sorted(route.credentials)
    ]


def _path_parameters(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(query: dict[str, Any] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    return [
        _query_parameter(name, schema, required=name in query.get("required", ()))
        for name, schema in query["properties"].items()
    ]


def _query_parameter(name: str, declared: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = _without_null(declared)
    described = schema.pop("description", None)
    parameter: dict[str, Any] = {"name": name, "in": "query", "required": required, "schema": schema}
    return parameter if described is None else {**parameter, "description": described}


def _without_null(declared: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: null is how its absence is declared, and nothing that can be sent."""
    kept = {key: value for key, value in declared.items() if value is not None}
    members = [member for member in kept.pop("anyOf", ()) if member.get("type") != "null"]
    if len(members) == 1:
        return {**members[0], **kept}
    return {**kept, "anyOf": members} if members else kept


def _header_parameters(route: Route) -> list[dict[str, str]]:
    named: list[str] = []
    if route.credentials - {CredentialKind.MASTER_KEY}:
        named.append("TenantId")
    if route.credentials & {CredentialKind.SECRET_KEY, CredentialKind.MASTER_KEY}:
        named.append("ActingAdmin")
    if _is_replayed(route):
        named.append("IdempotencyKey")
    if route.if_match:
        named.append("IfMatch")
    return [{"$ref": f"{_PARAMETERS}{name}"} for name in named]


def _is_replayed(route: Route) -> bool:
    return route.method is not Method.GET and route.replay is Replay.HONOURED and bool(route.credentials)


def _successes(operation: DeclaredOperation, schemas: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    described = {str(operation.route.status): _success(operation, schemas, components)}
    if operation.signature.may_be_empty:
        headers = [
            *_common_headers(operation.route),
            *(["IdempotencyReplayed"] if _is_replayed(operation.route) else []),
        ]
        empty = {"description": HTTPStatus.NO_CONTENT.phrase, "headers": _named_headers(headers)}
        described[str(HTTPStatus.NO_CONTENT.value)] = empty
    return described


def _success(operation: DeclaredOperation, schemas: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    route, answer = operation.route, operation.signature.answer
    headers = _common_headers(route)
    described: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if answer is not type(None):
        schema = schemas[answer]
        described["content"] = {content.value: _written_in(content, schema) for content in route.contents}
        if Content.JSON in route.contents and "version" in components[_name_of(schema)].get("properties", {}):
            headers.append("ETag")
    if route.status == HTTPStatus.CREATED:
        headers.append("Location")
    if _is_replayed(route):
        headers.append("IdempotencyReplayed")
    described["headers"] = _named_headers(headers)
    return described


def _written_in(content: Content, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the media type of a body. No schema of this version of OpenAPI says what each line of one is."""
    match content:
        case Content.JSON:
            return {"schema": schema}
        case Content.NDJSON:
            return {"schema": {"type": "string"}, "x-line-schema": schema}
        case Content.CSV | Content.EVENT_STREAM:
            return {"schema": {"type": "string"}}


def _common_headers(route: Route) -> list[str]:
    return ["RequestId", *(() if route.limit is Limit.NONE else _LIMIT_HEADERS)]


def _failures(operation: DeclaredOperation) -> dict[str, Any]:
    by_status: dict[int, list[type[ApiError]]] = {}
    for kind in dict.fromkeys(errors_of(operation)):
        by_status.setdefault(kind.status, []).append(kind)
    return {str(status): _failure(status, kinds) for status, kinds in sorted(by_status.items())}


def errors_of(operation: DeclaredOperation) -> Iterator[type[ApiError]]:
    """Yield every error that an operation documents: those of its kind, then those that it declares."""
    route, signature = operation.route, operation.signature
    yield from (BadRequest, InvalidHost, PayloadTooLarge, TooManyHeaders, InternalError, DeadlineExceeded, ServerBusy)
    if signature.body is not None:
        yield MalformedJson
    if signature.body is not None or signature.takes_upload:
        yield from (RequestTimeout, UnsupportedMediaType)
    if signature.path:
        yield NotFound
    yield Invalid
    yield from _refusals_of(route)
    if route.if_match:
        yield VersionMismatch
    if _is_replayed(route):
        yield IdempotencyKeyReused
    elif route.replay is Replay.REFUSED:
        yield IdempotencyNotSupported
    yield from route.errors


def _refusals_of(route: Route) -> Iterator[type[ApiError]]:
    """Yield what a caller can be told by the credentials that a route takes, and why they could not be judged."""
    if route.limit is not Limit.NONE:
        yield RateLimited
    if route.credentials:
        yield from (MissingToken, InvalidToken, InvalidApiKey, ApiKeyExpired)
        yield from (CredentialNotAllowed, StoreBusy, StoreUnavailable, QueryTimeout)
    if route.credentials - {CredentialKind.MASTER_KEY}:
        yield from (InvalidPublishableKey, TenantMismatch, TenantSuspended)
    if CredentialKind.ACCESS_TOKEN in route.credentials:
        yield from (TokenExpired, TokenStale, SessionExpired, SessionRevoked, AccountBanned, AccountDisabled)
    if CredentialKind.ACCESS_TOKEN in route.credentials and not route.enrolling:
        yield MfaEnrollmentRequired
    if CredentialKind.SECRET_KEY in route.credentials:
        yield AddressNotAllowed
    if is_for_browsers(route):
        yield OriginNotAllowed
    if _may_refuse_impersonation(route):
        yield ImpersonationForbidden
    if route.scope is not None:
        yield InsufficientScope


def _may_refuse_impersonation(route: Route) -> bool:
    """Say whether some impersonation is refused; that is judged before the kind of credential, so on every kind."""
    match route.impersonation:
        case Impersonation.ALWAYS:
            return False
        case Impersonation.ALLOWED:
            return route.method is not Method.GET
        case Impersonation.REFUSED:
            return bool(route.credentials)


def _failure(status: int, kinds: Sequence[type[ApiError]]) -> dict[str, Any]:
    headers = ["RequestId"]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append("WwwAuthenticate")
    if RateLimited in kinds:
        headers += _LIMIT_HEADERS
    if any(kind.retry_after is not None for kind in kinds):
        headers.append("RetryAfter")
    return {
        "description": ", ".join(sorted({f"`{kind.code.value}`" for kind in kinds})),
        "headers": _named_headers(headers),
        "content": {
            "application/json": {
                "schema": {"$ref": f"{_SCHEMAS}ErrorBody"},
                "examples": {
                    name: {"$ref": f"{_EXAMPLES}{name}"} for name in sorted({kind.code.value for kind in kinds})
                },
            }
        },
    }


def _example(kind: type[ApiError]) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": kind.code.value,
        "message": kind.message,
        "status": kind.status,
        "request_id": _EXAMPLE_REQUEST_ID,
    }
    if kind is Invalid:
        fault = FieldError("limit", FieldCode.OUT_OF_RANGE, "Must be a whole number from 1 to 100.")
        error["details"] = [msgspec.to_builtins(fault)]
    return {"error": error}


def _named_headers(names: Iterable[str]) -> dict[str, Any]:
    on_the_wire = {
        "IdempotencyReplayed": "Idempotency-Replayed",
        "RateLimitLimit": "X-RateLimit-Limit",
        "RateLimitRemaining": "X-RateLimit-Remaining",
        "RateLimitReset": "X-RateLimit-Reset",
        "RequestId": "X-Request-ID",
        "RetryAfter": "Retry-After",
        "WwwAuthenticate": "WWW-Authenticate",
    }
    return {on_the_wire.get(name, name): {"$ref": f"{_HEADERS}{name}"} for name in names}


def _name_of(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).removeprefix(_SCHEMAS)


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose objects say that they have no other fields. Maps (metadata) have no `properties`."""
    closed = dict(schema)
    if "properties" in closed:
        closed["additionalProperties"] = False
    if "description" in closed:
        closed["description"] = cleandoc(closed["description"])
    return closed
