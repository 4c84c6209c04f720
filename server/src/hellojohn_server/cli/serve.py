"""`hj serve`: the production server."""

from contextlib import ExitStack
from typing import Annotated

import typer

from hellojohn_server.cli.data_dir import locked
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import (
    DatabaseUrlOption,
    DataDir,
    all_settings_help,
    setting_option,
    settings_with,
)
from hellojohn_server.cli.parts import Parts, Tools, parts_of, use_tools
from hellojohn_server.cli.process_logs import configure_process_logs
from hellojohn_server.cli.serving import announce, listen, serve_app, serve_workers
from hellojohn_server.config import Settings

app = typer.Typer()


@app.command("serve", epilog=all_settings_help())
def serve(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    host: Annotated[str | None, setting_option("host", "--host")] = None,
    port: Annotated[int | None, setting_option("port", "--port")] = None,
    workers: Annotated[int | None, setting_option("workers", "--workers")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Run the server. It stops on SIGTERM or SIGINT, after the requests that are running."""
    given = {"host": host, "port": port, "workers": workers, "data_dir": data_dir, "database_url": database_url}
    settings = settings_with(given, required=("public_url",))
    if settings.database_url is None and settings.workers > 1:
        raise CommandFailed(
            ExitCode.USAGE,
            "More than one worker process needs PostgreSQL: set HELLOJOHN_DATABASE_URL, or leave out --workers. "
            "(One process serves the embedded store faster than several could.)",
        )
    run_server(parts_of(ctx), settings)


def run_server(parts: Parts, settings: Settings) -> None:
    """Check everything that can keep the server from starting, and serve until it is stopped."""
    configure_process_logs(settings)
    with ExitStack() as stack:
        if settings.database_url is None:
            stack.enter_context(locked(settings.data_dir))
        listening = stack.enter_context(listen(settings.host, settings.port, settings.backlog))
        use_tools(parts, settings, _nothing)
        announce(settings, listening)
        if settings.workers == 1:
            serve_app(parts.make_app(settings), settings, listening)
        else:
            serve_workers(parts.app_factory, settings, listening)


async def _nothing(tools: Tools) -> None:
    """Leave the store as it is: it opened, its tables are up to date, and the key is right."""
    del tools
