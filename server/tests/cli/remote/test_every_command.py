"""Each command over HTTP, typed at a live server, is the operation that it is for; every operation has a command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import typer.main

from hellojohn_server.cli.lazy import REMOTE_GROUPS
from hellojohn_server.cli.remote.access import VARIABLES, Credential
from hellojohn_server.cli.remote.commands import Command
from hellojohn_server.cli.remote.declared import read_declaration
from hellojohn_server.cli.remote.tables import GROUPS, commands
from hellojohn_server.cli.root import app
from tests.cli.remote.conftest import Person
from tests.cli.remote.typing import environ_of, typed
from tests.sdk.typescript.recorder import Site
from tests.walk.account_acts import EVERY_ACT
from tests.walk.acts import Call
from tests.walk.world import another_tenant
from tools.sdk.__main__ import ROOT
from tools.sdk.reading import read_model

OPERATIONS: Final = {operation.id: operation for operation in read_model(ROOT / "sdk").operations()}
FOLLOWING: Final = "audit tail"
"""It ends only when it is interrupted: test_audit_tail.py has it."""

DECLARED: Final = [command for command in commands() if command.words not in {FOLLOWING, "stats"}]


def id_in(call: Call, after: str) -> str:
    return call.path.split(f"/{after}/")[1].split("/")[0]


def key_options(call: Call) -> list[str]:
    scopes = [part for scope in call.body.get("scopes") or () for part in ("--scope", scope)]
    return ["--name", call.body["name"], "--type", call.body.get("type", "secret"), *scopes]


def file_of(call: Call, directory: Path) -> str:
    file = directory / "users.json"
    file.write_bytes(msgspec.json.encode(call.body))
    return str(file)


Line = Callable[[Call, Path], list[str]]
WRITTEN: Final[dict[str, tuple[str, Line]]] = {
    "config set": ("update_config", lambda *_: ["lockout.failures=7", "mfa.required=null", "--yes"]),
    "impersonate": (
        "impersonate_user",
        lambda call, _: [call.body["user_id"], "--reason", call.body["reason"], "--read-only"],
    ),
    "keys create": ("create_api_key", lambda call, _: key_options(call)),
    "keys create ": (
        "create_tenant_api_key",
        lambda call, _: [*key_options(call), "--tenant", id_in(call, "tenants")],
    ),
    "keys revoke": ("revoke_api_key", lambda call, _: [id_in(call, "api-keys"), "--yes"]),
    "keys rotate": ("rotate_api_key", lambda call, _: [id_in(call, "api-keys"), "--overlap", "1h", "--yes"]),
    "server health": ("check_health", lambda *_: []),
    "server ready": ("check_readiness", lambda *_: []),
    "stats": ("get_stats", lambda *_: []),
    "tenants create": ("create_tenant", lambda call, _: ["--name", call.body["name"]]),
    "users export": ("export_users", lambda *_: ["--format", "csv", "--role", "member"]),
    "users import": ("create_import", lambda call, directory: [file_of(call, directory)]),
    "users import ": (
        "resume_import",
        lambda call, directory: [file_of(call, directory), "--resume", id_in(call, "imports")],
    ),
}
"""The commands that are written by hand: the operation, and what is typed after the words for a request of it."""

PARTLY: Final = {"users import": 10}
"""The file of the walk has a row that is refused."""


@pytest.mark.parametrize("command", DECLARED, ids=lambda command: command.words)
async def test_a_declared_command_is_the_operation_that_it_is_for(site: Site, person: Person, command: Command) -> None:
    declared = read_declaration(command.handler)
    world = await another_tenant(site.world, command.words)
    call = await EVERY_ACT[declared.name](world)
    line = typed(command, call)
    person.has(**environ_of(declared.credential, call, world, site.url))
    site.recorder.seen.clear()

    ended = await person.types(line.arguments, *line.lines)

    assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err
    assert any(seen.is_of(OPERATIONS[declared.name]) and seen.status < 300 for seen in site.recorder.seen), line


@pytest.mark.parametrize("words", WRITTEN)
async def test_a_written_command_is_the_operation_that_it_is_for(
    site: Site, person: Person, words: str, tmp_path: Path
) -> None:
    name, line = WRITTEN[words]
    world = await another_tenant(site.world, words)
    call = await EVERY_ACT[name](world)
    credential = Credential.MASTER_KEY if call.by_master else Credential.SECRET_KEY
    person.has(**environ_of(credential, call, world, site.url))
    site.recorder.seen.clear()

    ended = await person.types([*words.split(), *line(call, tmp_path)])

    assert ended.code == PARTLY.get(words, 0), ended.err
    assert any(seen.is_of(OPERATIONS[name]) and seen.status < 300 for seen in site.recorder.seen), words


def test_every_operation_has_a_command() -> None:
    declared = {command.handler.__name__ for command in DECLARED}
    assert declared | {name for name, _ in WRITTEN.values()} == OPERATIONS.keys()


def test_each_command_calls_the_method_that_the_table_of_methods_names() -> None:
    for command in commands():
        assert command.method == ".".join(OPERATIONS[command.handler.__name__].method_path), command.words


def test_every_group_over_http_has_its_table_and_its_credentials_their_variables() -> None:
    assert REMOTE_GROUPS.keys() | {"keys", "tenants", "users"} == GROUPS.keys()
    assert VARIABLES.keys() | {Credential.NONE} == set(Credential)


def test_every_command_and_option_has_its_help() -> None:
    def walk(command: Any, words: str) -> None:
        assert command.help, words
        for one in command.params:
            assert one.help, (words, one.name)
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{words} {name}")

    walk(typer.main.get_command(app), "hj")
