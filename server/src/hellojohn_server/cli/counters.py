"""`hj counters`: the counters that totals come from, compared with the users and counted anew."""

from typing import Annotated

import typer

from hellojohn_server.cli.console import out, show_json
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.features.user_counters.schemas import WrongCounter
from hellojohn_server.features.user_counters.service import UserCounters

app = typer.Typer(help="Check and rebuild the counters that totals come from.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's id.")]


@app.command("check")
def check(
    ctx: typer.Context,
    *,
    tenant: Tenant,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Count a tenant's users, and name each counter that says something else. Servers go on meanwhile."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def compare(tools: Tools) -> list[WrongCounter]:
        await tools.tenants.require_tenant(tenant)
        return await UserCounters(tools.database).list_wrong_counters(tenant)

    wrong = use_tools(parts_of(ctx), settings, compare)
    if as_json:
        show_json(wrong)
    for counter in () if as_json else wrong:
        out.out(f"{counter.facet}: {counter.kept} kept, {counter.counted} counted")
    if wrong:
        raise CommandFailed(
            ExitCode.DIFFERENT,
            f"{len(wrong)} counters are wrong, which is a defect: please report it. `hj counters rebuild` mends them.",
        )
    if not as_json:
        out.out("Every counter says what there is.")


@app.command("rebuild")
def rebuild(
    ctx: typer.Context, *, tenant: Tenant, data_dir: DataDir = None, database_url: DatabaseUrlOption = None
) -> None:
    """Set a tenant's counters to what its users are. On the embedded store other changes wait meanwhile."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def count(tools: Tools) -> None:
        await tools.tenants.require_tenant(tenant)
        await UserCounters(tools.database).rebuild_counters(tenant)

    use_tools(parts_of(ctx), settings, count)
    out.out("The counters were counted anew.")
