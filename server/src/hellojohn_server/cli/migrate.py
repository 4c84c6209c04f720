"""`hj migrate`: bringing the tables up to date without starting a server."""

import typer

from hellojohn_server.cli.console import out
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.features.tenants.schemas import ListTenantsQuery
from hellojohn_server.storage.database import Reader

_PAGE = 100

app = typer.Typer()


@app.command("migrate")
def migrate(ctx: typer.Context, data_dir: DataDir = None, database_url: DatabaseUrlOption = None) -> None:
    """Make the tables, or bring them up to date; again is harmless. Servers do it themselves when they start."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})
    tenants = use_tools(parts_of(ctx), settings, _open_every_store)
    out.print(f"The control store and the stores of {tenants} tenants are up to date.")


async def _open_every_store(tools: Tools) -> int:
    """Open each tenant's store (an embedded one is migrated when it is opened), and return how many there are.

    Tenants that a crash left without a store get theirs first.
    """

    async def touch(reader: Reader) -> None:
        del reader

    await tools.tenants.resume_creating()
    tenants = 0
    cursor: str | None = None
    while True:
        page = await tools.tenants.list_tenants(ListTenantsQuery(limit=_PAGE, cursor=cursor))
        for tenant in page.rows:
            await tools.database.read(tenant.id, touch)
            tenants += 1
        cursor = page.pagination.next_cursor
        if cursor is None:
            return tenants
