"""Runs a command over HTTP: reads what was typed, asks, calls, and shows what came back."""

import json
import sys
from collections.abc import Iterator, Mapping
from getpass import getpass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec

import hellojohn
from hellojohn_server.cli.confirm import confirm
from hellojohn_server.cli.console import err
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.files import printed_to
from hellojohn_server.cli.remote.access import Credential, find_access, find_profile
from hellojohn_server.cli.remote.calls import PAGE, Client, connected, find_user, plain, rows_of, user_id_of
from hellojohn_server.cli.remote.commands import Command, Request
from hellojohn_server.cli.remote.declared import Declared, Field, Kind, Place
from hellojohn_server.cli.remote.output import Format, Layout, layout_of, show_one, show_rows

_USERS: Final = frozenset({"actor_id", "user_id"})


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """The options that commands have in common."""

    profile: str | None = None
    written_as: Format | None = None
    columns: str | None = None
    output: Path | None = None
    limit: int | None = None
    everything: bool = False
    clear: list[str] | None = None
    if_match: int | None = None
    acting_admin: str | None = None
    yes: bool = False


def run_command(command: Command, declared: Declared, given: Mapping[str, Any], common: Common) -> None:
    """Do what was typed; CommandFailed."""
    access = find_access(declared.credential, common.profile)
    layout = layout_of(_format_of(command, common), common.columns, command.columns, declared.answers)
    values = _values(command, declared, given, common)
    with connected(access, declared.credential, acting_admin=common.acting_admin) as client:
        _name_users(client, declared, values)
        asked = _question_of(command, values)
        if asked and not common.yes:
            confirm(_question(client, command, asked, values), yes=False)
        path = tuple(values.pop(field.parameter) for field in declared.fields if field.place is Place.PATH)
        request = Request(
            client=client,
            method=command.method,
            path=path,
            named=_named(declared, values, common),
            layout=layout,
            is_list=declared.is_list,
            is_paged=declared.is_paged,
            is_stream=declared.is_stream,
            most=None if common.everything else common.limit,
            switches=frozenset(name for name in command.switches if given.get(name)),
            api_url=access.api_url,
            profile=common.profile,
        )
        with printed_to(common.output):
            (command.performer or call_and_show)(request)


def _format_of(command: Command, common: Common) -> Format | None:
    """Return the format that is asked for, or that of the file; None: that of where it is printed."""
    if common.written_as is not None or not command.is_file:
        return common.written_as
    is_csv = common.output is not None and common.output.suffix.lower() == ".csv"
    return Format.CSV if is_csv else Format.JSON


def call_and_show(request: Request) -> None:
    """Call, and print the answer: of a list as much as is wanted, and whether there is more."""
    answer = request.send()
    if request.is_stream:
        show_rows((plain(row) for row in answer), request.layout)
        return
    if not request.is_list:
        show_answer(answer, request.layout)
        return
    shown = 0
    most = request.most if request.is_paged else None

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal shown
        for row in rows_of(answer if request.is_paged else answer.data, most):
            shown += 1
            yield row

    show_rows(counted(), request.layout)
    if most is not None:
        _say_more(answer.pagination, shown)


def show_answer(answer: Any, layout: Layout) -> None:
    """Print one object; where nothing comes back, say that it is done."""
    if answer is None:
        err.print("Done.", markup=False)
    else:
        show_one(plain(answer), layout)


def _say_more(pagination: Any, shown: int) -> None:
    """Say on standard error that a list goes on."""
    if shown < pagination.total:
        least = "" if pagination.total_is_exact else "more than "
        err.print(f"{shown:,} of {least}{pagination.total:,}: --all shows every one.", markup=False)


def _values(command: Command, declared: Declared, given: Mapping[str, Any], common: Common) -> dict[str, Any]:
    """Return what was given by parameter: what was left out is absent, JSON is read, secrets are asked for."""
    values: dict[str, Any] = {}
    for field in declared.fields:
        value = given.get(field.parameter)
        if field.kind is Kind.SECRET and (value or field.required or field.path in command.required):
            values[field.parameter] = _kept(command, field, common) or ask_secret(field.name)
        elif value is not None and field.kind is not Kind.SECRET:
            values[field.parameter] = _read(field, value)
    if declared.is_formatted and "format" not in values and _format_of(command, common) is Format.CSV:
        values["format"] = Format.CSV.value
    for name in common.clear or ():
        values[_clearable(declared, name).parameter] = None
    return values


def _kept(command: Command, field: Field, common: Common) -> str | None:
    """Return what the profile holds for a field; None where it holds nothing, or is not asked."""
    profile = find_profile(common.profile)[1] if field.path in command.kept else None
    return getattr(profile, command.kept[field.path], None) if profile is not None else None


def _clearable(declared: Declared, name: str) -> Field:
    wanted = name.replace("-", "_")
    for field in declared.fields:
        if field.name == wanted and field.nullable:
            return field
    known = ", ".join(field.name for field in declared.fields if field.nullable)
    raise CommandFailed(ExitCode.USAGE, f"--clear: {name} cannot be set to nothing; these can: {known}.")


def _read(field: Field, value: Any) -> Any:
    if field.kind is Kind.JSON:
        try:
            return json.loads(value)
        except ValueError as error:
            raise CommandFailed(ExitCode.USAGE, f"--{field.name.replace('_', '-')}: not JSON ({error}).") from error
    if field.name == "user_ids" and value == ["-"]:
        return [line.strip() for line in sys.stdin if line.strip()]
    return value.value if field.choices is not None else value


def ask_secret(name: str) -> str:
    """Return a secret that was typed at the terminal and not shown, or the next line of standard input."""
    words = name.replace("_", " ").capitalize()
    if sys.stdin.isatty():
        return getpass(f"{words}: ")
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CommandFailed(ExitCode.USAGE, f"{words}: expected on a line of standard input.")
    return line


def _name_users(client: Client, declared: Declared, values: dict[str, Any]) -> None:
    """Put the ids of users in the place of their e-mail addresses. Only a secret key can look them up."""
    if declared.credential is not Credential.SECRET_KEY:
        return
    for field in declared.fields:
        value = values.get(field.parameter)
        if value is None:
            continue
        if field.name in _USERS and "@" in value:
            values[field.parameter] = user_id_of(client, value)
        elif field.name == "user_ids":
            values[field.parameter] = [user_id_of(client, each) if "@" in each else each for each in value]


def _named(declared: Declared, values: Mapping[str, Any], common: Common) -> dict[str, Any]:
    """Return the arguments of the SDK's method: the fields of inner objects go into these."""
    named: dict[str, Any] = {} if common.if_match is None else {"if_match": common.if_match}
    if declared.is_paged:
        named["limit"] = PAGE if common.everything else min(common.limit or PAGE, PAGE)
    for field in declared.fields:
        if field.parameter not in values:
            continue
        if field.within:
            named.setdefault(field.within, {})[field.name] = values[field.parameter]
        else:
            named[field.parameter] = values[field.parameter]
    return named


def _question_of(command: Command, values: Mapping[str, Any]) -> str:
    """Return the question that goes with what was typed; "" when there is none."""
    return next((text for name, text in command.asks.items() if values.get(name)), command.ask)


def _question(client: Client, command: Command, asked: str, values: Mapping[str, Any]) -> str:
    """Return a question with its words filled in. A key that may not look them up is told what was typed."""
    words = dict(values)
    if "user_ids" in values:
        words["count"] = _counted(len(values["user_ids"]), "user")
    try:
        if command.subject == "users.get":
            words |= find_user(client, values["user_id"])
        elif command.subject:
            words |= plain(attrgetter(command.subject)(client)(next(iter(values.values()))))
        if "{sessions}" in asked:
            words["sessions"] = _counted(client.users.sessions(words["id"], limit=1).pagination.total, "session")
    except hellojohn.PermissionDeniedError:
        return f"hj {command.words} {' '.join(str(value) for value in values.values())}?"
    return asked.format_map(words)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
