"""Commands made of their declarations: what typer needs to know of each."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hellojohn_server.cli.confirm import Yes
from hellojohn_server.cli.remote.access import Credential, ProfileOption
from hellojohn_server.cli.remote.commands import Command, Group
from hellojohn_server.cli.remote.declared import Declared, Field, Kind, Place, read_declaration
from hellojohn_server.cli.remote.helps import ARGUMENTS, FLAGS, OPTIONS
from hellojohn_server.cli.remote.output import ColumnsOption, FormatOption
from hellojohn_server.cli.remote.running import Common, run_command

_NAMES_OF_COMMON: Final = frozenset(Common.__struct_fields__)

All = Annotated[bool, typer.Option("--all", help="Every one, however many there are.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", help="The file, which is there once it is complete. Without: printed.", show_default=False
    ),
]
Clear = Annotated[
    list[str] | None, typer.Option("--clear", help="A field to set to nothing; may be repeated.", show_default=False)
]
ActingAdmin = Annotated[
    str | None,
    typer.Option("--acting-admin", help="Who is behind the key, for the audit log; never trusted.", show_default=False),
]
IfMatch = Annotated[
    int | None,
    typer.Option(
        "--if-match", help="The version that you read: with another by now, nothing changes.", show_default=False
    ),
]

_TYPES: Final[dict[Kind, Any]] = {
    Kind.BOOLEAN: bool | None,
    Kind.INTEGER: int | None,
    Kind.JSON: str | None,
    Kind.SECRET: bool,
    Kind.TEXT: str | None,
    Kind.TEXTS: list[str] | None,
}


def fill(app: typer.Typer, group: Group, word: str) -> None:
    """Put the commands of a group, whose word is `word`, into a typer application."""
    inner = {name: typer.Typer(help=text, no_args_is_help=True) for name, text in group.inner.items()}
    for command in group.commands:
        words = command.words.split()[len(word.split()) :]
        place = app if len(words) == 1 else inner[words[0]]
        declared = read_declaration(command.handler)
        place.command(words[-1], help=_help(command, declared))(_function(command, declared))
    for name, sub in inner.items():
        app.add_typer(sub, name=name)


def _help(command: Command, declared: Declared) -> str:
    told = command.help or f"{declared.route.summary}."
    more = command.more or declared.route.description
    paragraphs = [part.replace("\n", " ") for part in (told, *more.split("\n\n")) if part]
    return "\n\n".join(paragraphs)


def _function(command: Command, declared: Declared) -> Callable[..., None]:
    """Return a function with the parameters that typer is to read."""

    def run(**given: Any) -> None:
        common = Common(**{name: given.pop(name) for name in _NAMES_OF_COMMON & given.keys()})
        run_command(command, declared, given, common)

    parameters = [*_fields(command, declared), *_common(command, declared)]
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _fields(command: Command, declared: Declared) -> Iterator[inspect.Parameter]:
    arguments = [field for field in declared.fields if field.place is Place.PATH or field.path in command.arguments]
    for field in arguments:
        yield _argument(field, required=field.required or field.path in command.required)
    for field in declared.fields:
        required = field.required or field.path in command.required
        if field not in arguments and not (field.kind is Kind.SECRET and required):
            yield _option(command, field, required=required)


def _argument(field: Field, *, required: bool) -> inspect.Parameter:
    metavar, told = ARGUMENTS[field.name]
    default = inspect.Parameter.empty if required else None
    info = typer.Argument(metavar=metavar, help=told, show_default=False)
    kind: Any = field.choices or (list[str] if field.kind is Kind.TEXTS else str)
    return _parameter(field.parameter, Annotated[kind if required else kind | None, info], default)


def _option(command: Command, field: Field, *, required: bool) -> inspect.Parameter:
    flag = command.flags.get(field.path) or FLAGS.get(field.name) or f"--{field.name.replace('_', '-')}"
    if field.kind is Kind.BOOLEAN and "/" not in flag:
        flag = f"{flag}/--no-{flag.removeprefix('--')}"
    kind: Any = field.choices | None if field.choices is not None else _TYPES[field.kind]
    info = typer.Option(flag, help=option_help(field), show_default=False)
    default: Any = False if field.kind is Kind.SECRET else None
    if required:
        kind, default = field.choices or (list[str] if field.kind is Kind.TEXTS else str), inspect.Parameter.empty
    return _parameter(field.parameter, Annotated[kind, info], default)


def option_help(field: Field) -> str:
    """Return the help of a field's option: what its declaration says, or what stands in helps.py."""
    told = field.description or OPTIONS.get(field.name, "")
    if field.kind is Kind.SECRET:
        return "Ask for it, or read it from a line of standard input."
    sentence = f"{told[:1].upper()}{told[1:].rstrip('.')}."
    return f"{sentence} An object as JSON." if field.kind is Kind.JSON and "JSON" not in sentence else sentence


def _common(command: Command, declared: Declared) -> Iterator[inspect.Parameter]:
    if command.is_file:
        yield _parameter("output", Output, None)
    elif declared.is_paged:
        yield _parameter("limit", Limit, 20)
        yield _parameter("everything", All, False)  # noqa: FBT003 - the default of a flag
    if declared.has_clearing:
        yield _parameter("clear", Clear, None)
    if declared.route.if_match:
        yield _parameter("if_match", IfMatch, None)
    if declared.credential is Credential.SECRET_KEY and declared.changes:
        yield _parameter("acting_admin", ActingAdmin, None)
    for name, told in command.switches.items():
        flag = typer.Option(f"--{name.replace('_', '-')}", help=told)
        yield _parameter(name, Annotated[bool, flag], False)  # noqa: FBT003 - the default of a flag
    if command.ask or command.asks:
        yield _parameter("yes", Yes, False)  # noqa: FBT003 - the default of a flag
    if not declared.is_formatted:
        yield _parameter("columns", ColumnsOption, None)
        yield _parameter("written_as", FormatOption, None)
    yield _parameter("profile", ProfileOption, None)
