"""Reads the contract: from the OpenAPI document and the table of methods to the model."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from tools.sdk.model import (
    ANYTHING,
    Answer,
    AnswerKind,
    EnumType,
    Field,
    ListOf,
    Literals,
    MapOf,
    Model,
    Named,
    Nullable,
    ObjectType,
    Operation,
    Repeat,
    Resource,
    Scalar,
    ScalarKind,
    TupleOf,
    Type,
)

_REFERENCE: Final = "#/components/schemas/"
_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"
_CSV: Final = "text/csv"
_PAGE: Final = {"data", "pagination"}
_SCALARS: Final = {
    "boolean": ScalarKind.BOOLEAN,
    "integer": ScalarKind.INTEGER,
    "number": ScalarKind.NUMBER,
    "string": ScalarKind.STRING,
}
_REFUSES_KEYS: Final = "idempotency_not_supported"


class ContractError(Exception):
    """The document or the table of methods is not what the generator knows how to read. The message says where."""


def read_model(directory: Path) -> Model:
    """Return the model of openapi.json and methods.toml in `directory`; ContractError when they do not go together."""
    document = json.loads((directory / "openapi.json").read_text(encoding="utf-8"))
    methods = tomllib.loads((directory / "methods.toml").read_text(encoding="utf-8"))["methods"]
    return model_of(document, methods)


def model_of(document: dict[str, Any], methods: dict[str, str]) -> Model:
    """Return the model of a document; `methods` has the path of the method of each operationId."""
    reader = _Reader(document)
    operations = [reader.operation(method, path, item, methods) for path, method, item in _declared(document)]
    _require_whole(operations, methods)
    in_requests = reader.closure(_types_sent(operations))
    in_answers = reader.closure(_types_answered(operations))
    objects, enums = reader.types(in_requests, in_answers)
    return Model(objects, enums, _tree((), operations))


def _declared(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _require_whole(operations: list[Operation], methods: dict[str, str]) -> None:
    unknown = methods.keys() - {operation.id for operation in operations}
    if unknown:
        raise ContractError(f"methods.toml names operations that do not exist: {', '.join(sorted(unknown))}")
    paths = [operation.method_path for operation in operations]
    twice = {".".join(path) for path in paths if paths.count(path) > 1}
    if twice:
        raise ContractError(f"methods.toml gives the same method to several operations: {', '.join(sorted(twice))}")


def _tree(path: tuple[str, ...], operations: list[Operation]) -> Resource:
    depth = len(path)
    own = [operation for operation in operations if len(operation.method_path) == depth + 1]
    below = sorted({operation.method_path[depth] for operation in operations if len(operation.method_path) > depth + 1})
    clash = {operation.name for operation in own} & set(below)
    if clash:
        raise ContractError(f"both a method and a resource: {', '.join('.'.join((*path, name)) for name in clash)}")
    children = [
        _tree(
            (*path, name),
            [one for one in operations if len(one.method_path) > depth + 1 and one.method_path[depth] == name],
        )
        for name in below
    ]
    return Resource(path, tuple(sorted(own, key=lambda operation: operation.name)), tuple(children))


def _types_sent(operations: Iterable[Operation]) -> Iterator[Type]:
    for operation in operations:
        for field in (*operation.query, *(operation.body or ())):
            yield field.type


def _types_answered(operations: Iterable[Operation]) -> Iterator[Type]:
    for operation in operations:
        if operation.answer.type is not None:
            yield operation.answer.type


def names_in(kind: Type) -> Iterator[str]:
    """Yield the name of every enum and object that a type mentions itself."""
    match kind:
        case Named(name):
            yield name
        case ListOf(inner) | MapOf(inner) | Nullable(inner):
            yield from names_in(inner)
        case TupleOf(items):
            for item in items:
                yield from names_in(item)
        case Scalar() | Literals():
            return


class _Reader:
    """Reads one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
        self._names = _short_names(self._schemas)
        self._by_name = {short: self._schemas[name] for name, short in self._names.items()}

    def operation(self, method: str, path: str, item: dict[str, Any], methods: dict[str, str]) -> Operation:
        """Return one operation of the document."""
        name = item["operationId"]
        if name not in methods:
            raise ContractError(f"methods.toml has no method for {name}")
        headers = {each["$ref"].rpartition("/")[2] for each in item.get("parameters", ()) if "$ref" in each}
        content = item.get("requestBody", {}).get("content", {})
        body = self._body(content) if content.keys() == {_JSON} and "$ref" in content[_JSON]["schema"] else None
        return Operation(
            id=name,
            method_path=tuple(methods[name].split(".")),
            method=method.upper(),
            path=path,
            summary=item["summary"],
            description=item.get("description", ""),
            credential=next((scheme for each in item.get("security", ()) for scheme in each), None),
            scope=item.get("x-required-scope"),
            path_parameters=tuple(self._parameters(item, "path")),
            query=tuple(self._parameters(item, "query")),
            body=None if body is None else body.fields,
            body_is_optional=body is not None and not item["requestBody"]["required"],
            body_description="" if body is None else body.description,
            uploads=tuple(sorted(content)) if body is None else (),
            answer=self._answer(name, item["responses"]),
            repeat=_repeat(method, headers, item["responses"]),
            takes_acting_admin="ActingAdmin" in headers,
            takes_if_match="IfMatch" in headers,
            takes_tenant_id="TenantId" in headers,
        )

    def closure(self, roots: Iterable[Type]) -> frozenset[str]:
        """Return the names of all that types mention, themselves and through others."""
        found: set[str] = set()
        waiting = [name for root in roots for name in names_in(root)]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            for field in self._fields(self._by_name[name]):
                waiting.extend(names_in(field.type))
        return frozenset(found)

    def types(
        self, in_requests: frozenset[str], in_answers: frozenset[str]
    ) -> tuple[tuple[ObjectType, ...], tuple[EnumType, ...]]:
        """Return the objects and the enums that are used, sorted by name."""
        objects: list[ObjectType] = []
        enums: list[EnumType] = []
        for name in sorted(in_requests | in_answers):
            schema = self._by_name[name]
            use = (name in in_answers, name in in_requests)
            if "enum" in schema:
                enums.append(EnumType(name, schema.get("description", ""), tuple(schema["enum"]), *use))
            else:
                fields = tuple(self._fields(schema))
                objects.append(ObjectType(name, schema.get("description", ""), fields, *use))
        return tuple(objects), tuple(enums)

    def _body(self, content: dict[str, Any]) -> ObjectType:
        reference = content[_JSON]["schema"]["$ref"]
        schema = self._schemas[reference.removeprefix(_REFERENCE)]
        fields = tuple(self._fields(schema))
        return ObjectType("", schema.get("description", ""), fields, in_answers=False, in_requests=True)

    def _parameters(self, item: dict[str, Any], where: str) -> Iterator[Field]:
        for each in item.get("parameters", ()):
            if each.get("in") == where:
                yield self._field(each["name"], each["schema"], required=each["required"], described=each)

    def _fields(self, schema: dict[str, Any]) -> Iterator[Field]:
        required = set(schema.get("required", ()))
        for name, each in schema.get("properties", {}).items():
            yield self._field(name, each, required=name in required, described=each)

    def _field(self, name: str, schema: dict[str, Any], *, required: bool, described: dict[str, Any]) -> Field:
        members = [described, *(member for member in schema.get("anyOf", ()) if "description" in member)]
        description = next((each["description"] for each in members if "description" in each), "")
        return Field(name, self.type_of(schema), required, description, schema.get("default", msgspec.UNSET))

    def type_of(self, schema: dict[str, Any]) -> Type:
        """Return the type that a schema describes; ContractError for one that the generator does not know."""
        if "$ref" in schema:
            return Named(self._names[schema["$ref"].removeprefix(_REFERENCE)])
        if "anyOf" in schema:
            members = [member for member in schema["anyOf"] if member.get("type") != "null"]
            if len(members) != 1:
                raise ContractError(f"a choice of several types: {schema}")
            return Nullable(self.type_of(members[0]))
        if "enum" in schema:
            return Literals(tuple(schema["enum"]))
        match schema.get("type"):
            case "array":
                return self._array(schema)
            case "object":
                of_values: dict[str, Any] | bool = schema.get("additionalProperties", True)
                return MapOf(ANYTHING if isinstance(of_values, bool) else self.type_of(of_values))
            case "string" if schema.get("format") == "date-time":
                return Scalar(ScalarKind.TIME)
            case None:
                return ANYTHING
            case kind:
                return Scalar(_SCALARS[kind])

    def _array(self, schema: dict[str, Any]) -> Type:
        if "prefixItems" in schema:
            return TupleOf(tuple(self.type_of(item) for item in schema["prefixItems"]))
        return ListOf(self.type_of(schema.get("items", {})))

    def _answer(self, name: str, responses: dict[str, Any]) -> Answer:
        good = {status: each for status, each in responses.items() if status.startswith("2")}
        written: list[dict[str, Any]] = [each["content"] for each in good.values() if each.get("content")]
        contents = written[0] if written else {}
        may_be_empty = bool(contents) and "204" in good
        if not contents:
            return Answer(AnswerKind.NOTHING, None, (), may_be_empty=False)
        if _JSON in contents:
            schema = contents[_JSON]["schema"]
            declared = self._schemas[schema["$ref"].removeprefix(_REFERENCE)]
            if declared["properties"].keys() == _PAGE:
                item = self.type_of(declared["properties"]["data"]["items"])
                return Answer(AnswerKind.PAGE, item, (_JSON,), may_be_empty)
            return Answer(AnswerKind.JSON, self.type_of(schema), (_JSON,), may_be_empty)
        if not contents.keys() <= {_NDJSON, _CSV}:
            raise ContractError(f"{name} answers {', '.join(contents)}")
        line = contents.get(_NDJSON, {}).get("x-line-schema")
        return Answer(
            AnswerKind.STREAM, None if line is None else self.type_of(line), tuple(sorted(contents)), may_be_empty
        )


def _repeat(method: str, headers: set[str], responses: dict[str, Any]) -> Repeat:
    if "IdempotencyKey" in headers:
        return Repeat.WITH_KEY
    if method == "get":
        return Repeat.ALWAYS
    refusals = {
        code
        for response in responses.values()
        for code in response.get("content", {}).get(_JSON, {}).get("examples", {})
    }
    return Repeat.NEVER if _REFUSES_KEYS in refusals else Repeat.ALWAYS


def _short_names(schemas: dict[str, Any]) -> dict[str, str]:
    """Return the name of each schema in the SDKs: without `Body`, unless another one has that name."""
    short = {name: re.sub(r"(?<=.)Body$", "", name) for name in schemas}
    return {name: one if one == name or one not in schemas else name for name, one in short.items()}
