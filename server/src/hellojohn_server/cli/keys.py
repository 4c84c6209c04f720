"""`hj keys`: making, rotating and revoking keys, on the host, so that a first key can be made, or over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from hellojohn_server.cli.confirm import Yes
from hellojohn_server.cli.console import out, printable, show_fields, show_json
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.lazy import load
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, checked, is_on_store, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.remote.access import ProfileOption
from hellojohn_server.features.keys.schemas import (
    ApiKeyBody,
    CreateKeyBody,
    KeyType,
    MadeKeyBody,
    RevokeKeyBody,
    RotateKeyBody,
    key_body,
    made_key_body,
)
from hellojohn_server.kit.ids import CONTROL_TENANT_ID

app = typer.Typer(help="Make, list, rotate and revoke keys.", no_args_is_help=True)

TenantsKey = Annotated[str | None, typer.Option("--tenant", help="The tenant's id. A master key has none.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why: shown there and in the audit log.")]


@app.command("create")
def create_key(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="What it is for: 1 to 200 characters.")],
    tenant: TenantsKey = None,
    key_type: Annotated[
        KeyType, typer.Option("--type", help="secret, publishable, or master for the control plane.")
    ] = KeyType.SECRET,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="A scope of a secret key; may be repeated. Without any: * (docs/scopes.md)."),
    ] = None,
    allowed_ip: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-ip",
            help="An address or network that a secret key may be used from; may be repeated. Without any: anywhere.",
        ),
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option("--expires-in", help="How long it lasts, as in 90d. Without: until it is revoked.")
    ] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
    profile: ProfileOption = None,
) -> None:
    """Make a key, and print it: nobody can read it again.

    On the store if that is named; else over HTTP, of the tenant of the secret key or, with a master key, of --tenant.
    """
    on_store = is_on_store(data_dir, database_url, profile)
    if not on_store and key_type is KeyType.MASTER:
        raise CommandFailed(ExitCode.USAGE, "A master key is made on the host: say --data-dir or --database-url.")
    if on_store and (key_type is KeyType.MASTER) != (tenant is None):
        raise CommandFailed(
            ExitCode.USAGE,
            "Name the tenant with --tenant. Only a master key has none: --type master, without --tenant.",
        )
    if key_type is not KeyType.SECRET and scope:
        raise CommandFailed(ExitCode.USAGE, "Only a secret key has scopes: leave out --scope.")
    if key_type is not KeyType.SECRET and allowed_ip:
        raise CommandFailed(ExitCode.USAGE, "Only a secret key has allowed addresses: leave out --allowed-ip.")
    given = {"name": name, "expires_in": expires_in, "scopes": scope or None, "allowed_ips": allowed_ip or None}
    tenant_type = None if key_type is KeyType.MASTER else key_type
    body = checked(given | ({"type": tenant_type} if tenant_type else {}), CreateKeyBody)

    async def create(tools: Tools) -> MadeKeyBody:
        if tenant is None:
            made = await tools.keys.create_master_key(tools.context(), body.name, body.expires_in)
        else:
            made = await tools.keys.create_key(tools.context(tenant), tenant, body)
        return made_key_body(made)

    if on_store:
        settings = settings_with({"data_dir": data_dir, "database_url": database_url})
        made = use_tools(parts_of(ctx), settings, create)
    else:
        made = load("twins").create_key(profile, tenant, body)
    show_made(made, as_json=as_json)


@app.command("rotate")
def rotate_key(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id: key_01H...")],
    tenant: TenantsKey = None,
    master: Annotated[bool, typer.Option("--master", help="It is a master key: it has no tenant.")] = False,
    overlap: Annotated[
        str | None, typer.Option("--overlap", help="How long the old key works on: 24h unless given, 30d at most.")
    ] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Revoke the old key at once.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
    profile: ProfileOption = None,
) -> None:
    """Make a key in the place of another, and print it: nobody can read it again.

    On the store if that is named, else over HTTP, where the secret key says which tenant it is.
    """
    on_store = _is_on_store(data_dir, database_url, profile, tenant, master=master)
    if at_once and overlap is not None:
        raise CommandFailed(ExitCode.USAGE, "Say either --overlap or --at-once.")
    given = {"reason": reason} | ({"overlap": overlap} if overlap is not None else {})
    body = checked(given | ({"overlap": None} if at_once else {}), RotateKeyBody)

    async def rotate(tools: Tools) -> MadeKeyBody:
        if tenant is not None:
            await tools.tenants.require_tenant(tenant)
        context = tools.context(CONTROL_TENANT_ID if tenant is None else tenant)
        return made_key_body(await tools.keys.rotate_key(context, key_id, body))

    if on_store:
        settings = settings_with({"data_dir": data_dir, "database_url": database_url})
        made = use_tools(parts_of(ctx), settings, rotate)
    else:
        change = {name: value for name, value in given.items() if value is not None}
        made = load("twins").rotate_key(profile, key_id, change | ({"overlap": None} if at_once else {}), yes=yes)
    show_made(made, as_json=as_json)


@app.command("revoke")
def revoke_key(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id: key_01H...")],
    tenant: TenantsKey = None,
    master: Annotated[bool, typer.Option("--master", help="It is a master key: it has no tenant.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
    profile: ProfileOption = None,
) -> None:
    """Revoke a key: every server refuses it from its next request on.

    On the store if that is named, else over HTTP, where the secret key says which tenant it is.
    """
    on_store = _is_on_store(data_dir, database_url, profile, tenant, master=master)
    body = checked({"reason": reason}, RevokeKeyBody)

    async def revoke(tools: Tools) -> ApiKeyBody:
        if tenant is not None:
            await tools.tenants.require_tenant(tenant)
        context = tools.context(CONTROL_TENANT_ID if tenant is None else tenant)
        return key_body(await tools.keys.revoke_key(context, key_id, body.reason), tools.clock.now_ms())

    if on_store:
        settings = settings_with({"data_dir": data_dir, "database_url": database_url})
        revoked = use_tools(parts_of(ctx), settings, revoke)
    else:
        revoked = load("twins").revoke_key(profile, key_id, body.reason, yes=yes)
    if as_json:
        show_json(revoked)
    else:
        out.out(f"{revoked.id} ({printable(revoked.name)}) is revoked since {revoked.revoked_at}.")


def _is_on_store(
    data_dir: Path | None, database_url: str | None, profile: str | None, tenant: str | None, *, master: bool
) -> bool:
    """Whether to work on the store, where a tenant or --master must be said; over HTTP the secret key says it."""
    if is_on_store(data_dir, database_url, profile):
        require_one_place(tenant, master=master)
        return True
    if tenant is not None or master:
        message = "Over HTTP the secret key names the tenant: leave out --tenant and --master, or name the store."
        raise CommandFailed(ExitCode.USAGE, message)
    return False


def require_one_place(tenant: str | None, *, master: bool) -> None:
    """Require a tenant, or that it is a master key; CommandFailed for both and for neither."""
    if master != (tenant is None):
        raise CommandFailed(ExitCode.USAGE, "Name the tenant with --tenant, or say --master for a master key.")


def show_made(made: MadeKeyBody, *, as_json: bool) -> None:
    """Print a key just made, with the key itself."""
    if as_json:
        show_json(made)
        return
    fields = [("id", made.id), ("name", made.name), ("type", made.type.value), ("scopes", " ".join(made.scopes))]
    fields += [
        ("allowed_ips", " ".join(made.allowed_ips)),
        ("expires_at", made.expires_at or "never"),
        ("key", made.key),
    ]
    show_fields("Key", [(name, value) for name, value in fields if value])
    if out.is_terminal:
        out.print("[yellow]Keep the key now: it is not shown again.[/]")
