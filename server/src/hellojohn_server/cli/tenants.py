"""`hj tenants`: making a tenant, on the host or over HTTP."""

from typing import Annotated

import msgspec
import typer

from hellojohn_server.cli.console import show_fields, show_json
from hellojohn_server.cli.lazy import load
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, checked, is_on_store, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.remote.access import ProfileOption
from hellojohn_server.features.tenants.schemas import CreateTenantBody, TenantBody, tenant_body
from hellojohn_server.kit.api_keys import Environment

app = typer.Typer(help="Make, list, change, suspend and delete tenants.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make, list, change, suspend and delete tenants."""


@app.command("create")
def create_tenant(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="What people call it: 1 to 200 characters.")],
    environment: Annotated[
        Environment, typer.Option("--environment", help="live, or test for a tenant with sk_test_ keys.")
    ] = Environment.LIVE,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
    profile: ProfileOption = None,
) -> None:
    """Make a tenant, and print its id: on the store if that is named, else over HTTP with a master key."""
    body = checked({"name": name, "environment": environment}, CreateTenantBody)

    async def create(tools: Tools) -> TenantBody:
        return tenant_body(await tools.tenants.create_tenant(tools.context(), body))

    if is_on_store(data_dir, database_url, profile):
        settings = settings_with({"data_dir": data_dir, "database_url": database_url})
        made = use_tools(parts_of(ctx), settings, create)
    else:
        made = load("twins").create_tenant(profile, body)
    if as_json:
        show_json(made)
    else:
        show_fields("Tenant", [(name, str(value)) for name, value in msgspec.to_builtins(made).items() if value])
