"""What the commands are given by the composition root, which alone knows how it is made."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar

import msgspec
import typer

from hellojohn_server.cli.data_dir import require_data_dir
from hellojohn_server.config import Settings
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.imports.service import ImportService
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.search.service import UserSearch
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.user_access.service import UserAccess
from hellojohn_server.features.user_loading.service import UserLoading
from hellojohn_server.features.user_sessions.service import UserSessionService
from hellojohn_server.features.users.service import UserService
from hellojohn_server.features.users_export.service import UsersExportService
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context, cli_context
from hellojohn_server.storage.database import Database

T = TypeVar("T")

AsgiApp: TypeAlias = Callable[..., Awaitable[Any]]


class Tools(msgspec.Struct, frozen=True):
    """The open store and what works on it, for one command. `context` is recorded as `cli`."""

    database: Database
    clock: Clock
    ids: IdFactory
    audit: AuditLog
    tenants: TenantService
    signing_keys: SigningKeyService
    keys: KeyService
    users: UserService
    access: UserAccess
    user_sessions: UserSessionService
    search: UserSearch
    mfa: MfaService
    loading: UserLoading
    users_export: UsersExportService
    imports: ImportService

    def context(self, tenant_id: str = CONTROL_TENANT_ID) -> Context:
        """Return the context of one act of this command in a tenant, or on the control store."""
        return cli_context(self.ids.new(IdPrefix.REQUEST), tenant_id)


class Parts(msgspec.Struct, frozen=True):
    """How to make what a command needs.

    `open_tools` opens the store (making or migrating its tables) and checks the encryption key. `make_app` is the ASGI
    app with its own lifespan, `make_dev_app` the same for `hj dev`. `app_factory` is the import string of the former,
    for worker processes, which read their settings from the environment. `make_document` is the OpenAPI document of a
    server at a URL.
    """

    open_tools: Callable[[Settings], AbstractAsyncContextManager[Tools]]
    make_app: Callable[[Settings], AsgiApp]
    make_dev_app: Callable[[Settings], AsgiApp]
    app_factory: str
    make_document: Callable[[str], dict[str, Any]]
    version: str


def parts_of(ctx: typer.Context) -> Parts:
    """Return what app.main gave to this run."""
    found = ctx.find_object(Parts)
    if found is None:
        raise RuntimeError("the commands were started without their parts")
    return found


def use_tools(parts: Parts, settings: Settings, work: Callable[[Tools], Awaitable[T]]) -> T:
    """Open the store, run `work` on it, close it, and return what `work` returned."""
    if settings.database_url is None:
        require_data_dir(settings.data_dir)

    async def run() -> T:
        async with parts.open_tools(settings) as tools:
            return await work(tools)

    return asyncio.run(run())
