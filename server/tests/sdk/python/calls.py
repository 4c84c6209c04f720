"""A request of the walks as a call of the SDK: its method, and the arguments that make this request."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tests.walk.acts import Call
from tests.walk.world import World
from tools.sdk.model import Operation, ScalarKind, Type
from tools.sdk.python_text import python_name


class Arguments(msgspec.Struct, frozen=True):
    """What a method is called with."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def arguments_of(operation: Operation, call: Call) -> Arguments:
    """Return the arguments of an operation's method that make the request."""
    path, _, query = call.path.partition("?")
    template = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
    found = re.fullmatch(template, path)
    assert found is not None, f"{call.path} is no {operation.path}"
    positional: list[Any] = [found[field.name] for field in operation.path_parameters]
    kinds = {field.name: field.type for field in operation.query}
    named = {python_name(name): value_of(kinds[name], text) for name, text in parse_qsl(query)}
    if operation.uploads:
        positional.append(msgspec.json.encode(call.body))
        named["content_type"] = "application/json"
    elif call.body is not None:
        assert operation.body is not None
        named |= {python_name(name): value for name, value in call.body.items()}
    return Arguments(tuple(positional), named)


def value_of(kind: Type, text: str) -> Any:
    """Return the value that stands for a text in a query."""
    match getattr(kind, "kind", None):
        case ScalarKind.BOOLEAN:
            return text == "true"
        case ScalarKind.INTEGER:
            return int(text)
        case _:
            return text


def credentials_of(world: World, call: Call) -> dict[str, str]:
    """Return every credential that a client of the world has, and that of the call among them."""
    given = {
        "secret_key": world.secret_key,
        "publishable_key": world.publishable_key,
        "master_key": world.master_key,
    }
    return given if call.credential is None else {**given, kind_of(call.credential): call.credential}


def kind_of(credential: str) -> str:
    """Return what a client calls a credential."""
    kinds = {"sk_": "secret_key", "pk_": "publishable_key", "mk_": "master_key"}
    return kinds.get(credential[:3], "access_token")


def method_of(client: Any, operation: Operation) -> Any:
    """Return the method of an operation in the tree of a client."""
    found = client
    for name in operation.method_path:
        found = getattr(found, name)
    return found
