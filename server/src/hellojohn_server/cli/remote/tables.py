"""Every group of commands over HTTP, by its word."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import typer

from hellojohn_server.cli.remote import admin_table, auth_table, users_table, written
from hellojohn_server.cli.remote.building import fill
from hellojohn_server.cli.remote.commands import Command, Group
from hellojohn_server.cli.remote.declared import read_declaration
from hellojohn_server.cli.remote.running import Common, run_command
from hellojohn_server.features.stats.routes import StatsRoutes

GROUPS: Final[Mapping[str, Group]] = {
    "audit": admin_table.AUDIT,
    "auth": auth_table.AUTH,
    "bulk": admin_table.BULK,
    "config": admin_table.CONFIG,
    "emails": admin_table.EMAILS,
    "imports": admin_table.IMPORTS,
    "keys": admin_table.KEYS,
    "mfa": users_table.MFA,
    "orgs": admin_table.ORGS,
    "revocations": admin_table.REVOCATIONS,
    "roles": admin_table.ROLES,
    "server": admin_table.SERVER,
    "sessions": users_table.SESSIONS,
    "tenants": admin_table.TENANTS,
    "users": users_table.USERS,
}

STATS: Final = Command(words="stats", handler=StatsRoutes.get_stats, method="admin.stats")

WRITTEN: Final[Mapping[str, Callable[[typer.Typer], None]]] = {
    "config": written.add_settings,
    "server": written.add_probes,
}
"""What puts the commands that are more than one call into their groups."""


def fill_group(app: typer.Typer, word: str) -> None:
    """Put every command of a group over HTTP into a typer application."""
    fill(app, GROUPS[word], word)
    if word in WRITTEN:
        WRITTEN[word](app)


def commands() -> Iterator[Command]:
    """Yield every declared command."""
    yield STATS
    for group in GROUPS.values():
        yield from group.commands


def run_words(words: str, given: Mapping[str, Any], common: Mapping[str, Any]) -> None:
    """Run the command that is typed so."""
    command = next(each for each in commands() if each.words == words)
    run_command(command, read_declaration(command.handler), given, Common(**common))
