"""What an operation takes and answers, read from the declaration that the server serves it by."""

import keyword
from collections.abc import Iterator
from enum import Enum, StrEnum
from typing import Any, Final, cast, get_args, get_type_hints

import msgspec
from msgspec import inspect

from hellojohn_server.cli.remote.access import Credential
from hellojohn_server.cli.remote.commands import Handler
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.routing import Content, Method, Replay, Route, route_of

SECRETS: Final = frozenset({"current_password", "new_password", "password", "password_hash", "refresh_token", "token"})
"""Fields that are read from a prompt or standard input: everybody on the machine sees what a command is given."""

_OPENED: Final = frozenset({"filters", "parameters", "sort"})
"""Objects of a body whose fields are options of their own."""
_PAGING: Final = frozenset({"cursor", "limit"})
_CREDENTIALS: Final = {
    CredentialKind.ACCESS_TOKEN: Credential.ACCESS_TOKEN,
    CredentialKind.MASTER_KEY: Credential.MASTER_KEY,
    CredentialKind.PUBLISHABLE_KEY: Credential.PUBLISHABLE_KEY,
    CredentialKind.SECRET_KEY: Credential.SECRET_KEY,
}


class Kind(StrEnum):
    """What is typed for a field."""

    BOOLEAN = "boolean"
    CHOICE = "choice"
    INTEGER = "integer"
    JSON = "json"
    SECRET = "secret"
    TEXT = "text"
    TEXTS = "texts"


class Place(StrEnum):
    """Where a field stands in a request."""

    BODY = "body"
    PATH = "path"
    QUERY = "query"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a request, under its name on the wire. `within` is the object of the body that holds it, or ""."""

    name: str
    place: Place
    kind: Kind = Kind.TEXT
    required: bool = False
    nullable: bool = False
    choices: type[Enum] | None = None
    description: str = ""
    within: str = ""

    @property
    def path(self) -> str:
        """Its name among all fields of the request."""
        return f"{self.within}.{self.name}" if self.within else self.name

    @property
    def parameter(self) -> str:
        """Its name in Python, which knows some names as its own words."""
        name = self.path.replace(".", "__")
        return f"{name}_" if keyword.iskeyword(name) else name


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """An operation: its name and route, the credential and fields that it takes, and what it answers.

    `answers` are the fields of the object that it answers or, if `is_list`, of each that it lists.
    """

    name: str
    route: Route
    credential: Credential
    fields: tuple[Field, ...]
    is_list: bool
    is_paged: bool
    is_stream: bool
    answers: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return self.route.method is not Method.GET and self.route.replay is not Replay.IGNORED

    @property
    def is_formatted(self) -> bool:
        """Whether the server writes it as it is asked to."""
        return any(field.name == "format" for field in self.fields)

    @property
    def has_clearing(self) -> bool:
        """Whether it can set something to null."""
        return self.route.method is Method.PATCH and any(field.nullable for field in self.fields)


def read_declaration(handler: Handler) -> Declared:
    """Return what the operation that `handler` declares takes and answers."""
    route = route_of(handler)
    hints = get_type_hints(handler, include_extras=True)
    answer = get_args(hints.pop("return"))[0]
    fields = [Field(name=name, place=Place.PATH, required=True) for name, kind in hints.items() if kind is str]
    for place in (Place.QUERY, Place.BODY):
        if place.value in hints:
            fields += _fields_of(hints[place.value], place)
    is_paged = any(field.name == "cursor" for field in fields)
    listed = _listed(answer)
    kinds = sorted(route.credentials)
    return Declared(
        name=handler.__name__,
        route=route,
        credential=_CREDENTIALS[kinds[0]] if kinds else Credential.NONE,
        fields=tuple(field for field in fields if not (is_paged and field.name in _PAGING)),
        is_list=listed is not None,
        is_paged=is_paged,
        is_stream=Content.NDJSON in route.contents,
        answers=tuple(_names(answer if listed is None else listed)),
    )


def _fields_of(struct: Any, place: Place, within: str = "") -> Iterator[Field]:
    for field in _struct_type(struct).fields:
        kind, nullable, description = _unwrapped(field.type)
        if isinstance(kind, inspect.StructType) and field.encode_name in _OPENED:
            yield from _fields_of(kind.cls, place, field.encode_name)
            continue
        yield Field(
            name=field.encode_name,
            place=place,
            kind=_kind_of(kind, field.encode_name),
            required=field.required,
            nullable=nullable,
            choices=kind.cls if isinstance(kind, inspect.EnumType) else None,
            description=description,
            within=within,
        )


def _struct_type(struct: Any) -> inspect.StructType:
    found = inspect.type_info(struct)
    if not isinstance(found, inspect.StructType):
        raise TypeError(f"{struct} is no object")
    return found


def _unwrapped(kind: inspect.Type) -> tuple[inspect.Type, bool, str]:
    """Return a type without what is said of it, whether null is one of its values, and its description."""
    nullable, description = False, ""
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            said = cast("dict[str, Any]", kind.extra_json_schema or {})
            description = description or str(said.get("description", ""))
            kind = kind.type
        else:
            nullable = nullable or any(isinstance(each, inspect.NoneType) for each in kind.types)
            kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind, nullable, description


def _kind_of(kind: inspect.Type, name: str) -> Kind:
    match kind:
        case inspect.StrType() if name in SECRETS:
            return Kind.SECRET
        case inspect.BoolType():
            return Kind.BOOLEAN
        case inspect.EnumType():
            return Kind.CHOICE
        case inspect.IntType():
            return Kind.INTEGER
        case inspect.ListType() | inspect.CollectionType():
            return Kind.TEXTS
        case inspect.StrType() | inspect.DateTimeType() | inspect.LiteralType():
            return Kind.TEXT
        case _:
            return Kind.JSON


def _listed(answer: Any) -> Any:
    """Return what a list lists; None for an answer that is no list."""
    if not (isinstance(answer, type) and issubclass(answer, msgspec.Struct)):
        return None
    fields = {field.name: field.type for field in msgspec.structs.fields(answer)}
    return get_args(fields["data"])[0] if "data" in fields else None


def _names(answer: Any) -> Iterator[str]:
    if isinstance(answer, type) and issubclass(answer, msgspec.Struct):
        yield from (field.encode_name for field in msgspec.structs.fields(answer))
