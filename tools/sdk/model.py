"""What the emitters are told: the operations and the types of the contract, as frozen Structs that know no language."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec


class ScalarKind(StrEnum):
    """What a plain value is. A time is text in RFC 3339 on the wire."""

    ANY = "any"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    TIME = "time"


class Scalar(msgspec.Struct, frozen=True, tag=True):
    """A plain value."""

    kind: ScalarKind


class Literals(msgspec.Struct, frozen=True, tag=True):
    """One of some written values; `true` alone is one too."""

    values: tuple[str | bool | int, ...]


class Named(msgspec.Struct, frozen=True, tag=True):
    """An enum or an object of the contract, by its name in the SDKs."""

    name: str


class ListOf(msgspec.Struct, frozen=True, tag=True):
    """A JSON array."""

    item: "Type"


class MapOf(msgspec.Struct, frozen=True, tag=True):
    """A JSON object with keys of anybody's choosing."""

    value: "Type"


class TupleOf(msgspec.Struct, frozen=True, tag=True):
    """A JSON array of fixed length, such as an old and a new value."""

    items: "tuple[Type, ...]"


class Nullable(msgspec.Struct, frozen=True, tag=True):
    """A value or null."""

    inner: "Type"


Type: TypeAlias = Scalar | Literals | Named | ListOf | MapOf | TupleOf | Nullable

ANYTHING: Final = Scalar(ScalarKind.ANY)


class Field(msgspec.Struct, frozen=True):
    """A field of an object, or a parameter, under its name on the wire.

    One that is not `required` may be left out. `default` is what it then is, UNSET where the contract does not say.
    """

    name: str
    type: Type
    required: bool
    description: str
    default: Any = msgspec.UNSET

    @property
    def is_nullable(self) -> bool:
        """Whether null is a value of it."""
        return isinstance(self.type, Nullable)


class ObjectType(msgspec.Struct, frozen=True):
    """An object of the contract. `in_answers`: it is read by the SDKs; `in_requests`: callers make it."""

    name: str
    description: str
    fields: tuple[Field, ...]
    in_answers: bool
    in_requests: bool


class EnumType(msgspec.Struct, frozen=True):
    """Some texts with a name. A later server may answer others."""

    name: str
    description: str
    values: tuple[str, ...]
    in_answers: bool
    in_requests: bool


class Repeat(StrEnum):
    """When a call may be sent again after a failure that leaves open whether it was executed."""

    ALWAYS = "always"
    """It changes nothing."""

    NEVER = "never"

    WITH_KEY = "with_key"
    """With the same Idempotency-Key it is executed once."""


class AnswerKind(StrEnum):
    """What comes back. A page is `data` and `pagination`; a stream is read while it comes."""

    JSON = "json"
    NOTHING = "nothing"
    PAGE = "page"
    STREAM = "stream"


class Answer(msgspec.Struct, frozen=True):
    """What an operation answers.

    `type` is the type of the JSON, of each item of a page, or of each line of a stream in NDJSON. `contents` are the
    media types that it can be written in; which one, a parameter called `format` says if there are several.
    `may_be_empty`: in place of the JSON there may be a 204.
    """

    kind: AnswerKind
    type: Type | None
    contents: tuple[str, ...]
    may_be_empty: bool


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `method_path` is the path of its method in the SDKs: ("admin", "plans", "create").

    `credential` is the kind that it takes as the document calls it (`secretKey`, `accessToken`, ...); None: none.
    `body` are the fields of its JSON body, None when it takes none; without any the body may be left out if
    `body_is_optional`. `uploads` are the media types of a file that it takes in place of a body.
    """

    id: str
    method_path: tuple[str, ...]
    method: str
    path: str
    summary: str
    description: str
    credential: str | None
    scope: str | None
    path_parameters: tuple[Field, ...]
    query: tuple[Field, ...]
    body: tuple[Field, ...] | None
    body_is_optional: bool
    body_description: str
    uploads: tuple[str, ...]
    answer: Answer
    repeat: Repeat
    takes_acting_admin: bool
    takes_if_match: bool
    takes_tenant_id: bool

    @property
    def name(self) -> str:
        """The name of the method, in snake_case."""
        return self.method_path[-1]

    @property
    def takes_idempotency_key(self) -> bool:
        """Whether it honours an Idempotency-Key."""
        return self.repeat is Repeat.WITH_KEY


class Resource(msgspec.Struct, frozen=True):
    """A node of the tree: its path (("admin", "plans")), its operations, and the resources below it, by name."""

    path: tuple[str, ...]
    operations: tuple[Operation, ...]
    children: "tuple[Resource, ...]"

    @property
    def name(self) -> str:
        """Its name in snake_case; "" is the client itself."""
        return self.path[-1] if self.path else ""

    def walk(self) -> "Iterator[Resource]":
        """Yield this resource and every one below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Model(msgspec.Struct, frozen=True):
    """The whole contract: every type by its name in the SDKs, sorted, and the tree of resources."""

    objects: tuple[ObjectType, ...]
    enums: tuple[EnumType, ...]
    root: Resource

    def operations(self) -> Iterator[Operation]:
        """Yield every operation."""
        for resource in self.root.walk():
            yield from resource.operations
