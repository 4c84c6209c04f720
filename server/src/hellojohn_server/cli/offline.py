"""`hj offline`: breaking the glass. Keys and users on the store itself, whether or not a server runs."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias, TypeVar

import msgspec
import typer
from msgspec import UnsetType

from hellojohn_server.cli.confirm import Yes, confirm
from hellojohn_server.cli.console import out, printable, show_json
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.keys import Reason, TenantsKey, require_one_place, show_made
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, checked, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.config import Settings
from hellojohn_server.features.keys.schemas import (
    ApiKeyBody,
    CreateKeyBody,
    MadeKeyBody,
    RevokeKeyBody,
    key_body,
    made_key_body,
)
from hellojohn_server.features.search.schemas import ListUsersQuery
from hellojohn_server.features.sessions.schemas import AccessStopped
from hellojohn_server.features.user_access.schemas import DisableUserBody, ReasonBody
from hellojohn_server.features.user_sessions.schemas import ListUserSessionsQuery
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import ChangedUserBody, UserBody, UserStatus
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, is_id
from hellojohn_server.kit.principal import Context

T = TypeVar("T")

app = typer.Typer(
    help="Break the glass: keys and users on the store itself, with the server down or up.", no_args_is_help=True
)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's id.")]
WhichUser = Annotated[str, typer.Argument(metavar="USER", help="The user's id (usr_01H...) or e-mail address.")]
Master = Annotated[bool, typer.Option("--master", help="A master key, for the control plane: it has no tenant.")]

Question: TypeAlias = Callable[[UserBody, int], str]
"""Says what will happen to a user, who has so many active sessions."""


class _Asked(msgspec.Struct, frozen=True):
    """Which user of which tenant, and whether to ask."""

    tenant_id: str
    user: str
    yes: bool


@app.command("create-key")
def create_key(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="What it is for, such as the incident: 1 to 200 characters.")],
    tenant: TenantsKey = None,
    master: Master = False,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="A scope; may be repeated. Without any: * (docs/scopes.md). Not of a master key."),
    ] = None,
    expires_in: Annotated[str, typer.Option("--expires-in", help="How long it lasts.")] = "1h",
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Make a secret key that ends by itself, in an hour unless told otherwise, and print it."""
    require_one_place(tenant, master=master)
    if master and scope:
        raise CommandFailed(ExitCode.USAGE, "A master key has no scopes: leave out --scope.")
    body = checked({"name": name, "scopes": scope or None, "expires_in": expires_in}, CreateKeyBody)
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def create(tools: Tools) -> MadeKeyBody:
        if tenant is None:
            confirm(f"Make a master key, which manages every tenant, for {expires_in}?", yes=yes)
            return made_key_body(await tools.keys.create_master_key(tools.context(), body.name, body.expires_in))
        of = await tools.tenants.require_tenant(tenant)
        scopes = " ".join(body.scopes or ["*"])
        confirm(f"Make a secret key of {of.name} ({of.id}) with {scopes} for {expires_in}?", yes=yes)
        return made_key_body(await tools.keys.create_key(tools.context(tenant), tenant, body))

    show_made(use_tools(parts_of(ctx), settings, create), as_json=as_json)


@app.command("revoke-key")
def revoke_key(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    key_id: Annotated[str, typer.Argument(help="The key's id: key_01H...")],
    tenant: TenantsKey = None,
    master: Master = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Revoke a key, and end the impersonations that it made."""
    require_one_place(tenant, master=master)
    body = checked({"reason": reason}, RevokeKeyBody)
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def revoke(tools: Tools) -> ApiKeyBody:
        context = tools.context(CONTROL_TENANT_ID if tenant is None else tenant)
        if tenant is not None:
            await tools.tenants.require_tenant(tenant)
        key = await tools.keys.require_key(context.tenant_id, key_id)
        confirm(f"Revoke the {key.type} key {key.name} ({key.id}), and end the impersonations it made?", yes=yes)
        return key_body(await tools.keys.revoke_key(context, key_id, body.reason), tools.clock.now_ms())

    revoked = use_tools(parts_of(ctx), settings, revoke)
    if as_json:
        show_json(revoked)
    else:
        out.out(f"{revoked.id} ({printable(revoked.name)}) is revoked since {revoked.revoked_at}.")


@app.command("disable")
def disable(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    user: WhichUser,
    tenant: Tenant,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Disable a user, and end the user's sessions."""
    body = checked({"reason": reason}, DisableUserBody)

    async def change(tools: Tools, context: Context, user_id: str) -> ChangedUserBody:
        return await tools.access.disable_user(context, user_id, body)

    def question(found: UserBody, sessions: int) -> str:
        return f"Disable {found.email} ({found.id}) and end their {_sessions(sessions)}?"

    settings = settings_with({"data_dir": data_dir, "database_url": database_url})
    _show_user(_on_user(ctx, settings, _Asked(tenant, user, yes), question, change), as_json=as_json)


@app.command("enable")
def enable(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    user: WhichUser,
    tenant: Tenant,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Let a disabled user sign in again."""
    body = checked({"reason": reason}, ReasonBody)

    async def change(tools: Tools, context: Context, user_id: str) -> ChangedUserBody:
        return await tools.access.enable_user(context, user_id, body)

    def question(found: UserBody, sessions: int) -> str:
        del sessions
        return f"Enable {found.email} ({found.id}), whose status is {found.status}?"

    settings = settings_with({"data_dir": data_dir, "database_url": database_url})
    _show_user(_on_user(ctx, settings, _Asked(tenant, user, yes), question, change), as_json=as_json)


@app.command("unlock")
def unlock(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    user: WhichUser,
    tenant: Tenant,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Lift a lock by failed sign-ins, and forget these."""
    body = checked({"reason": reason}, ReasonBody)

    async def change(tools: Tools, context: Context, user_id: str) -> ChangedUserBody:
        return await tools.access.unlock_user(context, user_id, body)

    def question(found: UserBody, sessions: int) -> str:
        del sessions
        until = f"locked until {found.locked_until}" if found.locked_until else "not locked"
        return f"Unlock {found.email} ({found.id}), who is {until}, and forget the failed sign-ins?"

    settings = settings_with({"data_dir": data_dir, "database_url": database_url})
    _show_user(_on_user(ctx, settings, _Asked(tenant, user, yes), question, change), as_json=as_json)


@app.command("end-sessions")
def end_sessions(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    user: WhichUser,
    tenant: Tenant,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """End every session of a user, who may sign in again."""
    body = checked({"reason": reason}, ReasonBody)

    async def change(tools: Tools, context: Context, user_id: str) -> AccessStopped:
        return await tools.access.revoke_sessions(context, user_id, body)

    def question(found: UserBody, sessions: int) -> str:
        return f"End the {_sessions(sessions)} of {found.email} ({found.id})?"

    settings = settings_with({"data_dir": data_dir, "database_url": database_url})
    stopped = _on_user(ctx, settings, _Asked(tenant, user, yes), question, change)
    if as_json:
        show_json(stopped)
    else:
        out.out(f"Sessions ended: {stopped.sessions_revoked}.")


def _on_user(
    ctx: typer.Context,
    settings: Settings,
    asked: _Asked,
    question: Question,
    change: Callable[[Tools, Context, str], Awaitable[T]],
) -> T:
    """Find the user, ask, do `change`, and return what came of it."""

    async def work(tools: Tools) -> T:
        await tools.tenants.require_tenant(asked.tenant_id)
        found = await _find_user(tools, asked)
        query = ListUserSessionsQuery(limit=1)
        sessions = await tools.user_sessions.list_user_sessions(asked.tenant_id, found.id, query)
        confirm(question(found, sessions.pagination.total), yes=asked.yes)
        return await change(tools, tools.context(asked.tenant_id), found.id)

    return use_tools(parts_of(ctx), settings, work)


async def _find_user(tools: Tools, asked: _Asked) -> UserBody:
    """Return the user of this id or address, also one in the recycle bin; UserNotFound."""
    if is_id(asked.user, IdPrefix.USER):
        return await tools.users.get_user(asked.tenant_id, asked.user)
    for status in (None, UserStatus.DELETED):
        query = checked({"email": asked.user, "status": status}, ListUsersQuery)
        for found in (await tools.search.list_users(asked.tenant_id, query)).rows:
            return found
    raise UserNotFound


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _show_user(user: ChangedUserBody, *, as_json: bool) -> None:
    if as_json:
        show_json(user)
        return
    ended = (
        ""
        if isinstance(user.access_stopped, UnsetType)
        else f" Sessions ended: {user.access_stopped.sessions_revoked}."
    )
    out.out(f"{printable(user.email)} ({user.id}) is {user.status.value}.{ended}")
