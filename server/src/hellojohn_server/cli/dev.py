"""`hj dev`: a development server on this machine, with a demo tenant to look at."""

import ipaddress
from contextlib import ExitStack
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from hellojohn_server.cli.console import out
from hellojohn_server.cli.data_dir import locked
from hellojohn_server.cli.demo import insert_demo, make_demo
from hellojohn_server.cli.dev_files import DemoAccess, ensure_key_file, read_access, write_access
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, setting_option, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.process_logs import configure_process_logs
from hellojohn_server.cli.serving import address_of, announce, listen, serve_app
from hellojohn_server.config import Settings, with_encryption_key
from hellojohn_server.features.keys.errors import ApiKeyExpired, InvalidApiKey
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.search.schemas import ListUsersQuery, SortField
from hellojohn_server.features.tenants.errors import TenantSuspended
from hellojohn_server.features.tenants.schemas import CreateTenantBody, TenantStatus
from hellojohn_server.features.users import repository as users_repository
from hellojohn_server.features.users.schemas import UserBody, UserStatus
from hellojohn_server.kit.api_keys import parse_key
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.scopes import ALL_SCOPES, Scope
from hellojohn_server.kit.setting_values import PublicUrl
from hellojohn_server.storage.database import Transaction

_DEMO_NAME: Final = "Demo"
_KEY_NAME: Final = "hj dev"
_EMBEDDED: Final = "embedded"

app = typer.Typer()


@app.command("dev")
def dev(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, setting_option("host", "--host")] = None,
    port: Annotated[int | None, setting_option("port", "--port")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Run a development server on this machine only, with a demo tenant; a second start keeps the data."""
    given = {"host": host, "port": port, "data_dir": data_dir, "database_url": database_url, "workers": 1}
    settings = settings_with(given, needs_key=False)
    _require_loopback(settings.host)
    configure_process_logs(settings)
    parts = parts_of(ctx)
    with ExitStack() as stack:
        stack.enter_context(locked(settings.data_dir))
        listening = stack.enter_context(listen(settings.host, settings.port, settings.backlog))
        address = address_of(listening).replace("127.0.0.1", "localhost")
        if settings.encryption_key is None:
            ensure_key_file(settings.data_dir)
        settings = with_encryption_key(replace(settings, public_url=settings.public_url or PublicUrl(address)))

        async def prepare(tools: Tools) -> tuple[DemoAccess, UserBody | None]:
            access = await prepare_demo(tools, settings)
            return access, await _find_member(tools, access.tenant_id)

        access, member = use_tools(parts, settings, prepare)
        _show(access, member, address, settings)
        announce(settings, listening)
        serve_app(parts.make_dev_app(settings), settings, listening)


def _require_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise CommandFailed(
            ExitCode.USAGE,
            f"`hj dev` listens on this machine only, and {host} can be reached from others. Its demo keys are no "
            "secret: for a server that others reach, use `hj serve`.",
        )


async def prepare_demo(tools: Tools, settings: Settings) -> DemoAccess:
    """Make what is missing of the demo tenant and its keys, and return them. What is there stays as it is."""
    store = _EMBEDDED if settings.database_url is None else settings.database_url.place
    kept = read_access(settings.data_dir)

    def keep(access: DemoAccess) -> DemoAccess:
        kept[store] = access
        write_access(settings.data_dir, kept)
        return access

    access = kept.get(store)
    tenant = None if access is None else await tools.tenants.get_tenant(access.tenant_id)
    if access is None or tenant is None or tenant.status is TenantStatus.DELETING:
        made = await tools.tenants.create_tenant(tools.context(), CreateTenantBody(name=_DEMO_NAME))
        access = keep(DemoAccess(tenant_id=made.id, master_key=None if access is None else access.master_key))
    if not access.filled:
        await _fill(tools, access.tenant_id)
    return keep(await _with_working_keys(tools, replace(access, filled=True)))


async def _fill(tools: Tools, tenant_id: str) -> None:
    """Insert the demo's rows in one transaction, unless a start that was cut off has done it."""
    context = tools.context(tenant_id)
    demo = make_demo(tools.clock.now_ms())

    async def insert(tx: Transaction) -> None:
        if await users_repository.get_user_by_email(tx, demo.users[0].email_key) is None:
            await insert_demo(tx, demo, tools.audit, tools.mfa, context)

    await tools.database.write(tenant_id, insert, type(None))


async def _with_working_keys(tools: Tools, access: DemoAccess) -> DemoAccess:
    """Return `access` with a new key in the place of each that is missing or does not work any more."""
    tenant_id = access.tenant_id
    if not await _works(tools, access.secret_key):
        body = CreateKeyBody(name=_KEY_NAME, scopes=[ALL_SCOPES, Scope.ADMINS_MANAGE.value])
        made = await tools.keys.create_key(tools.context(tenant_id), tenant_id, body)
        access = replace(access, secret_key=made.key)
    if not await _works(tools, access.publishable_key):
        body = CreateKeyBody(name=_KEY_NAME, type=TenantKeyType.PUBLISHABLE)
        made = await tools.keys.create_key(tools.context(tenant_id), tenant_id, body)
        access = replace(access, publishable_key=made.key)
    if not await _works(tools, access.master_key):
        made = await tools.keys.create_master_key(tools.context(), _KEY_NAME)
        access = replace(access, master_key=made.key)
    return access


async def _works(tools: Tools, key: str | None) -> bool:
    parsed = None if key is None else parse_key(key)
    if parsed is None:
        return False
    try:
        await tools.keys.authenticate(parsed)
    except TenantSuspended:
        return True
    except (InvalidApiKey, ApiKeyExpired):
        return False
    return True


async def _find_member(tools: Tools, tenant_id: str) -> UserBody | None:
    """Return somebody to impersonate: the first active member by name; None when there is none any more."""
    query = ListUsersQuery(limit=1, status=UserStatus.ACTIVE, role=BuiltinRole.MEMBER.value, order_by=SortField.NAME)
    return next(iter((await tools.search.list_users(tenant_id, query)).rows), None)


def _show(access: DemoAccess, member: UserBody | None, address: str, settings: Settings) -> None:
    """Print how to reach the demo tenant: the tables of a terminal, or plain lines."""
    place = settings.data_dir.absolute() if settings.database_url is None else settings.database_url.place
    rows = [
        ("API", f"{address}/v1"),
        ("Docs", f"{address}/docs"),
        *([("Mailbox", f"{address}/dev/mailbox")] if settings.smtp_host is None else []),
        ("Data", str(place)),
        ("Tenant", access.tenant_id),
        ("Secret key", access.secret_key or ""),
        ("Publishable key", access.publishable_key or ""),
        ("Master key", access.master_key or ""),
    ]
    out.print("[bold]HelloJohn[/] is ready. A demo tenant with 200 invented users is waiting:\n")
    for name, value in rows:
        out.print(f"  [bold]{name:<17}[/]", end="")
        out.out(value, style="cyan" if "key" in name else None)
    out.print("\nTry a search:\n")
    out.out(_curl(access, f"{address}/v1/admin/users/search", '{"query": "alice", "limit": 5}'))
    if member is not None:
        body = f'{{"user_id": "{member.id}", "reason": "Trying it out", "expires_in": "1h"}}'
        out.print("\nAct in a user's place:\n")
        out.out(_curl(access, f"{address}/v1/admin/users/impersonate", body))
    out.print("\nCtrl-C stops the server; the next start has the same data and keys.")


def _curl(access: DemoAccess, url: str, body: str) -> str:
    """Return a call with the demo's secret key, to be pasted into a shell."""
    return (
        f"curl -X POST {url} \\\n"
        f'  -H "Authorization: Bearer {access.secret_key}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )
