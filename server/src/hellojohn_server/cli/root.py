"""`hj` itself: its groups, its version, and how a run begins and ends."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from hellojohn_server.cli import (
    counters,
    demo_load,
    dev,
    keys,
    migrate,
    offline,
    openapi,
    serve,
    signing_keys,
    tenants,
    users,
    users_import,
)
from hellojohn_server.cli.console import out
from hellojohn_server.cli.exits import run_to_exit_code
from hellojohn_server.cli.lazy import PANEL, REMOTE_GROUPS, remote_group
from hellojohn_server.cli.parts import Parts, parts_of
from hellojohn_server.cli.remote import login, shortcuts

BOTH: Final = "On the store or over HTTP"

app = typer.Typer(
    name="hj",
    help="Run HelloJohn, administer users over HTTP, and work on the store from the host itself.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for single in (dev.app, serve.app, migrate.app, openapi.app, login.app, shortcuts.app):
    app.registered_commands.extend(single.registered_commands)
for word, text in REMOTE_GROUPS.items():
    app.add_typer(
        typer.Typer(help=text, no_args_is_help=True, cls=remote_group(word)), name=word, rich_help_panel=PANEL
    )
app.add_typer(tenants.app, name="tenants", cls=remote_group("tenants"), rich_help_panel=BOTH)
app.add_typer(demo_load.app, name="demo")
app.add_typer(counters.app, name="counters")
app.add_typer(keys.app, name="keys", cls=remote_group("keys"), rich_help_panel=BOTH)
app.add_typer(offline.app, name="offline")
app.add_typer(signing_keys.app, name="signing-keys")
users.app.registered_commands.extend(users_import.app.registered_commands)
app.add_typer(users.app, name="users", cls=remote_group("users"), rich_help_panel=BOTH)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Run HelloJohn, administer users over HTTP, and work on the store from the host itself."""
    if version:
        out.print(f"hj {parts_of(ctx).version}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        out.print(ctx.get_help())


def run(parts: Parts, arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: those of the process) name, and return the exit code."""
    return run_to_exit_code(lambda: app(args=arguments, prog_name="hj", obj=parts))
