"""`hj demo`: a crowd of invented users in a tenant for trying things out."""

import time
from typing import Annotated, Final

import msgspec
import typer

from hellojohn_server.cli.console import out, show_json
from hellojohn_server.cli.demo import sealed
from hellojohn_server.cli.demo_crowd import Crowd, Some
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.progress import progress
from hellojohn_server.features.mfa import repository as mfa_repository
from hellojohn_server.features.organizations import repository as organizations_repository
from hellojohn_server.features.roles import repository as roles_repository
from hellojohn_server.features.search.schemas import ListUsersQuery
from hellojohn_server.features.user_counters.service import UserCounters
from hellojohn_server.features.users.schemas import UserStatus
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.storage.database import Transaction

_FOLDED_EVERY: Final = 20
"""After how many transactions the counters are folded: no worker does it meanwhile, and lists read what is not."""
_AT_ONCE: Final = 500
"""Users in one transaction."""

_MOST: Final = 100_000_000

app = typer.Typer(help="Fill a test tenant with invented users.", no_args_is_help=True)


class Loaded(msgspec.Struct, frozen=True):
    """What a load has made."""

    tenant_id: str
    users: int
    organizations: int
    seed: int
    seconds: float


@app.callback()
def group() -> None:
    """Fill a test tenant with invented users."""


@app.command("load")
def load(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    tenant: Annotated[str, typer.Option("--tenant", help="A tenant with environment test, and without users.")],
    users: Annotated[int, typer.Option("--users", help="How many.", min=1, max=_MOST)] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="The same number makes the same users.", min=0)] = 1,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Make invented users in a test tenant that has none, with organizations, roles and second factors."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def run(tools: Tools) -> Loaded:
        await _require_for_trying(tools, tenant)
        return await load_crowd(tools, tenant, users, seed)

    loaded = use_tools(parts_of(ctx), settings, run)
    if as_json:
        show_json(loaded)
        return
    rate = loaded.users / loaded.seconds
    out.out(
        f"{loaded.users:,} users in {loaded.organizations} organizations, in {loaded.seconds:,.1f} s ({rate:,.0f}/s)."
    )


async def _require_for_trying(tools: Tools, tenant_id: str) -> None:
    """Refuse a tenant that may be somebody's: one that is live, or that has users."""
    tenant = await tools.tenants.require_tenant(tenant_id)
    if tenant.environment is not Environment.TEST:
        raise CommandFailed(
            ExitCode.REFUSED,
            f"{tenant_id} ({tenant.name}) is a live tenant: invented users go into one made with --environment test.",
        )
    for query in (ListUsersQuery(limit=1), ListUsersQuery(limit=1, status=UserStatus.DELETED)):
        if (await tools.search.list_users(tenant_id, query)).rows:
            raise CommandFailed(
                ExitCode.REFUSED,
                f"{tenant_id} has users already, of an earlier load perhaps. Make another tenant with "
                "`hj tenants create --environment test`.",
            )


async def load_crowd(tools: Tools, tenant_id: str, users: int, seed: int) -> Loaded:
    """Make the crowd in a tenant without users, some in each transaction."""
    begun = time.monotonic()
    crowd = Crowd(tools.clock.now_ms(), users, seed)
    counters = UserCounters(tools.database)
    with progress("Users", users) as advance:
        for number, some in enumerate(crowd.some(_AT_ONCE)):
            await _insert(tools, tenant_id, some, crowd if number == 0 else None)
            if number % _FOLDED_EVERY == 0:
                await counters.fold_counters(tenant_id)
            advance(len(some.users))
    await counters.fold_counters(tenant_id)
    return Loaded(tenant_id, users, len(crowd.organizations), seed, time.monotonic() - begun)


async def _insert(tools: Tools, tenant_id: str, some: Some, before: Crowd | None) -> None:
    """Insert some of the crowd, the first with the roles and organizations of everybody."""
    context = tools.context(tenant_id)
    factors = [sealed(tools.mfa, tenant_id, factor) for factor in some.factors]

    async def insert(tx: Transaction) -> None:
        if before is not None:
            await roles_repository.insert_roles(tx, before.roles)
            await organizations_repository.insert_organizations(tx, before.organizations)
        await tools.loading.insert_users(tx, context, some.users)
        await tx.slice()
        await organizations_repository.insert_memberships(tx, some.memberships)
        await mfa_repository.insert_factors(tx, factors)

    await tools.database.write(tenant_id, insert, type(None))
