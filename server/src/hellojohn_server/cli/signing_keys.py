"""`hj signing-keys`: the keys that access tokens are signed with, looked at and turned over."""

from typing import Annotated

import msgspec
import typer

from hellojohn_server.cli.console import out, show_json
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.features.signing_keys.schemas import SigningKey
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time

app = typer.Typer(help="See and rotate the keys that access tokens are signed with.", no_args_is_help=True)


class ShownKey(msgspec.Struct, frozen=True):
    """What is shown of a signing key: never its private half."""

    id: str
    signs_from: Timestamp
    ends_at: Timestamp | None


@app.command("list")
def list_signing_keys(
    ctx: typer.Context, *, as_json: Json = False, data_dir: DataDir = None, database_url: DatabaseUrlOption = None
) -> None:
    """List the keys that are published, the one that signs first coming first."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def find(tools: Tools) -> list[ShownKey]:
        return [_shown(key) for key in await tools.signing_keys.list_keys()]

    keys = use_tools(parts_of(ctx), settings, find)
    if as_json:
        show_json(keys)
        return
    for key in keys:
        out.out(f"{key.id} signs from {key.signs_from}, ends {key.ends_at or 'with the next rotation'}")


@app.command("rotate")
def rotate_signing_keys(
    ctx: typer.Context,
    *,
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="Sign with the new key at once, and refuse every token of the old ones."),
    ] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Publish a new key now and sign with it in an hour; no valid token is refused."""
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def rotate(tools: Tools) -> ShownKey:
        return _shown(await tools.signing_keys.rotate(tools.context(), compromised=compromised))

    key = use_tools(parts_of(ctx), settings, rotate)
    if as_json:
        show_json(key)
    else:
        out.out(f"{key.id} is published and signs from {key.signs_from}.")


def _shown(key: SigningKey) -> ShownKey:
    return ShownKey(key.id, format_time(key.signs_from), format_optional_time(key.ends_at))
