"""What a person types for a request: the words, arguments and options of a command, and the lines that it asks for."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
import typer.main

from hellojohn_server.cli.remote.access import VARIABLES, Credential
from hellojohn_server.cli.remote.commands import Command
from hellojohn_server.cli.remote.declared import Declared, Field, Kind, Place, read_declaration
from hellojohn_server.cli.root import app
from tests.walk.acts import Call
from tests.walk.world import World

_GLUED: Final = frozenset({"filters", "parameters", "sort"})


class Typed(msgspec.Struct, frozen=True):
    """A command line, and the lines that are typed when it asks."""

    arguments: list[str]
    lines: list[str] = []


def typed(command: Command, call: Call) -> Typed:
    """Return what is typed for a request of the command's operation."""
    declared = read_declaration(command.handler)
    values = _values(declared, call)
    flags = _flags_of(command)
    line = Typed([*command.words.split()])
    options: list[str] = []
    for field in declared.fields:
        if field.path not in values:
            continue
        value = values[field.path]
        is_argument = field.place is Place.PATH or field.path in command.arguments
        if field.kind is Kind.SECRET and value is not None:
            line.lines.append(str(value))
            if field.parameter in flags:
                options.append(flags[field.parameter][0])
        elif is_argument:
            line.arguments.extend(value if isinstance(value, list) else [str(value)])
        else:
            options.extend(_option(field, value, flags))
    options += [flags[name][0] for name in ("yes", "no_wait") if name in flags]
    return Typed(line.arguments + options, line.lines)


def environ_of(credential: Credential, call: Call, world: World, url: str) -> dict[str, str]:
    """Return the environment of a person who has the credential that the operation takes, and no other."""
    own = world.master_key if call.by_master else call.credential or world.secret_key
    variable = VARIABLES.get(credential)
    return {"HELLOJOHN_API_URL": url, **({variable: own} if variable else {})}


def _values(declared: Declared, call: Call) -> dict[str, Any]:
    """Return what a request holds, by the path of its field."""
    parts = urlsplit(call.path)
    match = re.fullmatch(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(declared.route.path)), parts.path)
    assert match is not None, call.path
    names = re.findall(r"\{(\w+)\}", declared.route.path)
    values: dict[str, Any] = dict(zip(names, match.groups(), strict=True))
    values |= {name: text for name, text in parse_qsl(parts.query) if name not in {"cursor", "limit"}}
    for name, value in (call.body or {}).items():
        if name in _GLUED:
            values |= {f"{name}.{inner}": each for inner, each in value.items()}
        elif name not in {"cursor", "limit"}:
            values[name] = value
    assert values.keys() <= {field.path for field in declared.fields}, values
    return values


def _flags_of(command: Command) -> dict[str, tuple[str, str]]:
    """Return the flag of each option by its parameter, and the one that says the opposite, or ""."""
    found: Any = typer.main.get_command(app)
    for word in command.words.split():
        found = found.commands[word]
    return {
        one.name: (one.opts[0], (*one.secondary_opts, "")[0]) for one in found.params if one.opts[0].startswith("-")
    }


def _option(field: Field, value: Any, flags: dict[str, tuple[str, str]]) -> Iterator[str]:
    flag, opposite = flags.get(field.parameter, ("", ""))
    if value is None:
        yield from ("--clear", field.name)
    elif field.kind is Kind.BOOLEAN:
        yield flag if value in {True, "true"} else opposite
    elif field.kind is Kind.TEXTS:
        for each in value:
            yield from (flag, str(each))
    elif field.kind is Kind.JSON:
        yield from (flag, json.dumps(value))
    else:
        yield from (flag, str(value))
