"""`hj users export`: users in a file, from the store or over HTTP."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hellojohn_server.cli.console import err, printable
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.files import opened
from hellojohn_server.cli.lazy import load
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, checked, is_on_store, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.remote.access import ProfileOption
from hellojohn_server.features.users.schemas import UserStatus
from hellojohn_server.features.users_export.schemas import ExportFormat, ExportUsersQuery

app = typer.Typer(help="Users: find, make, change, disable, ban, delete, export, import.", no_args_is_help=True)

_FILTERS: Final = "Which users"


def _filter(flag: str, text: str) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=_FILTERS, show_default=False)


@app.callback()
def group() -> None:
    """Users: find, make, change, disable, ban, delete, export, import."""


@app.command("export")
def export_users(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", help="The tenant's id, on the store.")] = None,
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
    profile: ProfileOption = None,
) -> None:
    """Write every user whom the filters select, as the API shows them, newest first.

    From the store if that is named, else over HTTP, where the secret key says which tenant it is.
    """
    given = {name: value for name, value in locals().items() if name in ExportUsersQuery.__struct_fields__}
    given |= {"format": written_as, "organization_id": organization}
    wanted = checked({name: value for name, value in given.items() if value is not None}, ExportUsersQuery)
    if not is_on_store(data_dir, database_url, profile):
        if tenant is not None or with_password_hashes:
            raise CommandFailed(ExitCode.USAGE, "--tenant and --with-password-hashes go with a store: name it.")
        with opened(output) as file:
            load("twins").export_users(profile, wanted, file.write)
        _say_where(output)
        return
    if tenant is None:
        raise CommandFailed(ExitCode.USAGE, "Name the tenant with --tenant.")
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def export(tools: Tools) -> None:
        await tools.tenants.require_tenant(tenant)
        context = tools.context(tenant)
        parts = await tools.users_export.export_users(context, wanted, with_password_hashes=with_password_hashes)
        with opened(output) as file:
            async for part in parts:
                file.write(part)

    use_tools(parts_of(ctx), settings, export)
    _say_where(output)


def _say_where(output: Path | None) -> None:
    if output is not None:
        err.print(f"The users are in {printable(str(output))}.", markup=False)
