"""`hj users`: users in files, on the host."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer

from hellojohn_server.cli.console import err, printable
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, checked, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.features.users.schemas import UserStatus
from hellojohn_server.features.users_export.schemas import ExportFormat, ExportUsersQuery

app = typer.Typer(help="Users in files: write them out, and import them.", no_args_is_help=True)

_FILTERS: Final = "Which users"


def _filter(flag: str, text: str) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=_FILTERS, show_default=False)


@app.callback()
def group() -> None:
    """Users in files: write them out, and import them."""


@app.command("export")
def export_users(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant's id.")],
    written_as: Annotated[ExportFormat, typer.Option("--format", help="ndjson, or csv.")] = ExportFormat.NDJSON,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file, which is there once it is complete. Without: printed.")
    ] = None,
    with_password_hashes: Annotated[
        bool, typer.Option("--with-password-hashes", help="With the hash of each password: guard the file like them.")
    ] = False,
    query: Annotated[str | None, _filter("--query", "Words that must all occur, as in the search.")] = None,
    email: Annotated[str | None, _filter("--email", "The whole address.")] = None,
    external_id: Annotated[str | None, _filter("--external-id", "Your own id of the user.")] = None,
    status: Annotated[UserStatus | None, _filter("--status", "The status; `deleted` for the recycle bin.")] = None,
    role: Annotated[str | None, _filter("--role", "The name of the role.")] = None,
    disabled: Annotated[bool | None, _filter("--disabled/--enabled", "Disabled or not.")] = None,
    mfa_enrolled: Annotated[
        bool | None, _filter("--mfa-enrolled/--no-mfa-enrolled", "With a second factor or without.")
    ] = None,
    email_verified: Annotated[
        bool | None, _filter("--email-verified/--no-email-verified", "With a verified address or without.")
    ] = None,
    organization: Annotated[str | None, _filter("--organization", "Members of this organization, by its id.")] = None,
    created_after: Annotated[str | None, _filter("--created-after", "Made later than this time.")] = None,
    created_before: Annotated[str | None, _filter("--created-before", "Made earlier than this time.")] = None,
    last_active_after: Annotated[str | None, _filter("--last-active-after", "Active after this time.")] = None,
    last_active_before: Annotated[str | None, _filter("--last-active-before", "Last active before this time.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Write every user whom the filters select, as the API shows them, newest first."""
    given = {name: value for name, value in locals().items() if name in ExportUsersQuery.__struct_fields__}
    given |= {"format": written_as, "organization_id": organization}
    wanted = checked({name: value for name, value in given.items() if value is not None}, ExportUsersQuery)
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def export(tools: Tools) -> None:
        await tools.tenants.require_tenant(tenant)
        context = tools.context(tenant)
        parts = await tools.users_export.export_users(context, wanted, with_password_hashes=with_password_hashes)
        with _opened(output) as file:
            async for part in parts:
                file.write(part)

    use_tools(parts_of(ctx), settings, export)
    if output is not None:
        err.print(f"The users are in {printable(str(output))}.", markup=False)


@contextmanager
def _opened(output: Path | None) -> Generator[BinaryIO]:
    """Open standard output, or a file that is put in its place once all of it is on the disk; its owner alone reads it.

    A reader of standard output that stops early ends the command without a complaint.
    """
    if output is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError as gone:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from gone
        return
    partial = output.with_name(f"{output.name}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"{output} cannot be written: {error.strerror or error}.") from error
