"""The composition root: settings -> store -> services -> app and commands. The only module that knows everything."""

import gc
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from hellojohn_server import __version__
from hellojohn_server.cli import root
from hellojohn_server.cli.parts import Parts, Tools
from hellojohn_server.cli.process_logs import configure_process_logs, log_level
from hellojohn_server.config import Settings, load_settings, with_encryption_key
from hellojohn_server.features.expiry.service import ExpiryService
from hellojohn_server.features.user_counters.service import UserCounters
from hellojohn_server.http.application import Application, build_app, declared_document
from hellojohn_server.http.lifespan import Living
from hellojohn_server.http.router import Services
from hellojohn_server.kit.clock import Clock, SystemClock
from hellojohn_server.kit.logs import make_logger
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.kit.secrets import Purpose
from hellojohn_server.kit.sightings import SightingKind
from hellojohn_server.storage.database import Database
from hellojohn_server.storage.key_check import require_key
from hellojohn_server.storage.postgres import PostgresDatabase, PostgresOptions
from hellojohn_server.storage.sqlite import SqliteDatabase
from hellojohn_server.storage.sqlite_files import SqliteOptions
from hellojohn_server.wiring import build_services, derived_key, http_settings
from hellojohn_server.worker.chores import (
    Chore,
    FoldCounters,
    PurgeChore,
    PurgeIdempotencyRecords,
    PurgeRevocations,
    PurgeSigningKeys,
    TenantChore,
)
from hellojohn_server.worker.jobs import JobWorker
from hellojohn_server.worker.loop import Worker
from hellojohn_server.worker.mail_transport import make_transport
from hellojohn_server.worker.mailer import Mailer
from hellojohn_server.worker.sightings import SightingsWriter

_COLLECT_AFTER: Final = 5_000
"""After so many objects more than before the youngest are collected; by default 700."""
_FACTORY: Final = "hellojohn_server.app:create_app"


async def open_database(settings: Settings, clock: Clock) -> Database:
    """Open the store that `settings` name, its tables brought up to date, and check that the encryption key is its own.

    Raises StoreUnavailable, StoreBusy, or WrongEncryptionKey.
    """
    database: Database
    if settings.database_url is None:
        options = SqliteOptions(open_files=settings.sqlite_open_files)
        database = await SqliteDatabase.open(settings.data_dir, clock, options)
    else:
        database = await PostgresDatabase.open(
            settings.database_url.value,
            clock,
            PostgresOptions(
                tenant_connections=settings.postgres_connections,
                control_connections=settings.postgres_control_connections,
                long_connections=settings.postgres_long_connections,
            ),
        )
    try:
        await require_key(database, derived_key(settings, Purpose.KEY_CHECK))
    except BaseException:
        await database.close()
        raise
    return database


def build_worker(services: Services, settings: Settings) -> Worker:
    """Return the housekeeping of a server."""
    expiry = ExpiryService(services.database, services.ids, services.audit_log, services.acts)
    sessions, action_tokens, emails = services.sessions, services.action_tokens, services.emails
    invitations = services.invitations
    chores: list[Chore] = [
        PurgeIdempotencyRecords(services.database),
        PurgeRevocations(services.revocation_log),
        PurgeSigningKeys(services.signing_keys.purge_ended),
        TenantChore("end_bans", expiry.end_bans, expiry.get_next_ban_end),
        TenantChore("end_locks", expiry.end_locks, expiry.get_next_lock_end),
        PurgeChore("purge_recycle_bin", expiry.purge_recycle_bin, expiry.get_next_bin_purge),
        PurgeChore("purge_sessions", sessions.purge_ended_sessions, sessions.get_next_purge),
        PurgeChore("purge_links", action_tokens.purge_expired, action_tokens.get_next_purge),
        PurgeChore("purge_mfa", services.mfa.purge, services.mfa.get_next_purge),
        PurgeChore("purge_invitations", invitations.purge_expired, invitations.get_next_purge),
        PurgeChore("purge_failures", expiry.purge_failures, expiry.get_next_failures_end),
        PurgeChore("purge_addresses", expiry.purge_addresses, expiry.get_next_address_end),
        TenantChore("find_emails", emails.ring_if_due, emails.get_next_attempt),
        PurgeChore("purge_emails", emails.purge, emails.get_next_purge),
        TenantChore("find_jobs", services.job_runner.ring_if_due, services.job_runner.get_next_due),
        PurgeChore("purge_plans", services.plans.purge, services.plans.get_next_purge),
        PurgeChore("purge_jobs", services.job_runner.purge, services.job_runner.get_next_purge),
        PurgeChore("purge_imports", services.imports.purge, services.imports.get_next_purge),
    ]
    if isinstance(services.database, PostgresDatabase):
        chores.append(FoldCounters(UserCounters(services.database).fold_counters))
    return Worker(
        services.database,
        services.clock,
        services.tenants,
        chores,
        settings.housekeeping_seconds,
        metrics=services.metrics,
    )


def build_sightings_writer(services: Services) -> SightingsWriter:
    """Return what writes when keys and users were last seen."""
    records = {SightingKind.API_KEY: services.keys.record_used, SightingKind.USER: services.users.record_active}
    return SightingsWriter(services.sightings, records)


def build_mailer(services: Services) -> Mailer:
    """Return what sends mail."""
    return Mailer(services.emails, services.bell, services.clock)


def build_job_worker(services: Services) -> JobWorker:
    """Return what works jobs off."""
    return JobWorker(services.job_runner, services.job_bell, services.clock)


def settle_memory() -> None:
    """Have the garbage collector pass over what the start made, and look less often.

    That lives as long as the process. It saves some 2 % of the processor for a small request, and no full collection
    stops everybody while it walks through all of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


class Service(Living):
    """The ASGI application. Its lifespan opens the store and starts housekeeping, and ends both in turn."""

    def __init__(self, settings: Settings, *, dev: bool = False) -> None:
        super().__init__(self._running)
        self._settings = settings
        self._dev = dev
        self._http = http_settings(settings, dev=dev)

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[Application]:
        clock = SystemClock()
        async with AsyncExitStack() as stack:
            database = await open_database(self._settings, clock)
            stack.push_async_callback(database.close)
            passwords = PasswordHasher()
            stack.callback(passwords.close)
            transport = make_transport(self._settings, dev=self._dev)
            if transport is not None:
                stack.push_async_callback(transport.close)
            services = build_services(database, self._settings, clock, passwords=passwords, transport=transport)
            app = build_app(services, self._http, log=make_logger(level=log_level(self._settings), in_turns=True))
            settle_memory()
            stack.push_async_callback(services.revocation_feed.stop)
            worker = build_worker(services, self._settings)
            worker.start()
            stack.push_async_callback(worker.stop)
            sightings = build_sightings_writer(services)
            sightings.start()
            stack.push_async_callback(sightings.stop)
            mailer = build_mailer(services)
            mailer.start()
            stack.push_async_callback(mailer.stop)
            jobs = build_job_worker(services)
            jobs.start()
            stack.push_async_callback(jobs.stop)
            yield app


def create_app() -> Service:
    """Return the production app with the settings of the environment: a factory for uvicorn's worker processes."""
    settings = with_encryption_key(load_settings(os.environ, required=("public_url",)))
    configure_process_logs(settings)
    return Service(settings)


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncGenerator[Tools]:
    """Open the store for one command, and close it after."""
    clock = SystemClock()
    database = await open_database(settings, clock)
    try:
        services = build_services(database, settings, clock, transport=make_transport(settings))
        yield Tools(
            database=database,
            clock=clock,
            ids=services.ids,
            audit=services.audit_log,
            tenants=services.tenants,
            signing_keys=services.signing_keys,
            keys=services.keys,
            users=services.users,
            access=services.access,
            user_sessions=services.user_sessions,
            search=services.search,
            mfa=services.mfa,
            loading=services.loading,
            users_export=services.users_export,
            imports=services.imports,
        )
    finally:
        await database.close()


def _dev_app(settings: Settings) -> Service:
    return Service(settings, dev=True)


PARTS: Final = Parts(
    open_tools=open_tools,
    make_app=Service,
    make_dev_app=_dev_app,
    app_factory=_FACTORY,
    make_document=declared_document,
    version=__version__,
)


def main() -> int:
    """Run `hj` with the arguments of the process, and return its exit code."""
    return root.run(PARTS)
