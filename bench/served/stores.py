"""The data: one tenant full of users, made through the repositories, and a copy of it for the bare side.

The programs are noted before the copy is made, by one request of each operation to the server's app in this process.
"""

import asyncio
import base64
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
import httpx
import msgspec

from bench.served.bare import Plan
from bench.served.operations import PASSWORD, Caller, Name, Person, call_of
from bench.served.programs import USER_DIGITS, Engine, Program, Recording
from hellojohn_server.app import open_database
from hellojohn_server.config import PREFIX, Settings, to_environ
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.sessions import repository as sessions_repository
from hellojohn_server.features.sessions.schemas import Session, terms_of
from hellojohn_server.features.tenant_settings.schemas import TenantConfig
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.features.users import repository as users_repository
from hellojohn_server.features.users.events import user_created
from hellojohn_server.features.users.schemas import PasswordOrigin, User, facets_of
from hellojohn_server.features.users.service import change_counters
from hellojohn_server.http.application import build_app
from hellojohn_server.http.router import Services
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.logs import Level, make_logger
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.setting_values import DatabaseUrl, EncryptionKey, PublicUrl
from hellojohn_server.kit.text import email_key, fold
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.wiring import build_services, http_settings

PEOPLE: Final = 20_000
"""How many users requests are about at most, each with a password and a session; the others are a crowd."""

_AT_A_TIME: Final = 500
_HJ: Final = Path(sys.executable).parent / "hj"
_PUBLIC_URL: Final = "http://127.0.0.1:3000"
_NOT_REACHED: Final = 1_000_000
"""A rate limit that is counted, and never used up."""

_SCOPES: Final = [Scope.USERS_READ.value, Scope.USERS_WRITE.value, Scope.USERS_IMPERSONATE.value]


class Prepared(msgspec.Struct, frozen=True):
    """A full store, the settings of the server on it, and the plan of the bare side with its copy."""

    settings: Settings
    caller: Caller
    people: list[Person]
    plan: Plan


@asynccontextmanager
async def sqlite_stores(directory: Path, users: int) -> AsyncGenerator[Prepared]:
    """Make both stores in an empty directory."""
    settings = _settings(directory / "served", None)
    filled = await _filled(settings, Engine.SQLITE, users)
    shutil.copytree(settings.data_dir, directory / "bare")
    yield _prepared(settings, Engine.SQLITE, str(directory / "bare"), filled)


@asynccontextmanager
async def postgres_stores(directory: Path, url: str, users: int) -> AsyncGenerator[Prepared]:
    """Make both stores as databases of their own beside the one that `url` names, and drop them at the end."""
    server, _, beside = url.rpartition("/")
    served, bare = (f"{beside}_{side}_{os.getpid()}" for side in ("served", "bare"))
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'CREATE DATABASE "{served}" TEMPLATE template0')
        settings = _settings(directory / "served", DatabaseUrl(f"{server}/{served}"))
        filled = await _filled(settings, Engine.POSTGRES, users)
        await _analyse(f"{server}/{served}")
        await connection.execute(f'CREATE DATABASE "{bare}" TEMPLATE "{served}"')
        yield _prepared(settings, Engine.POSTGRES, f"{server}/{bare}", filled)
    finally:
        for name in (served, bare):
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.close()


class _Filled(msgspec.Struct, frozen=True):
    caller: Caller
    people: list[Person]
    programs: dict[Name, Program]
    password_hash: str


def _prepared(settings: Settings, engine: Engine, place: str, filled: _Filled) -> Prepared:
    plan = Plan(engine, place, filled.caller.tenant_id, filled.programs, filled.password_hash)
    return Prepared(settings, filled.caller, filled.people, plan)


def _settings(data_dir: Path, url: DatabaseUrl | None) -> Settings:
    key = EncryptionKey(base64.b64encode(os.urandom(32)).decode())
    return Settings(
        data_dir=data_dir,
        database_url=url,
        encryption_key=key,
        public_url=PublicUrl(_PUBLIC_URL),
        rate_limit_reads=_NOT_REACHED,
        rate_limit_sign_in=_NOT_REACHED,
        rate_limit_writes=_NOT_REACHED,
    )


async def _filled(settings: Settings, engine: Engine, users: int) -> _Filled:
    clock = SystemClock()
    database = await open_database(settings, clock)
    passwords = PasswordHasher()
    try:
        services = build_services(database, settings, clock, passwords=passwords)
        caller = await _make_tenant(services)
        if users > PEOPLE:
            await asyncio.to_thread(_load_crowd, settings, caller.tenant_id, users - PEOPLE)
        password_hash = await passwords.hash(PASSWORD, owner=caller.tenant_id)
        people: list[Person] = []
        named = min(users, PEOPLE)
        for start in range(0, named, _AT_A_TIME):
            numbers = range(start, min(named, start + _AT_A_TIME))
            people += await _insert_users(services, caller.tenant_id, numbers, password_hash)
        programs = await _note_programs(database, settings, engine, caller, people)
    finally:
        passwords.close()
        await database.close()
    return _Filled(caller, people, programs, password_hash)


def _load_crowd(settings: Settings, tenant_id: str, users: int) -> None:
    """Have `hj` make so many others, whom no request is about. RuntimeError with what it said when it fails."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    done = subprocess.run(  # noqa: S603 - our own command
        [str(_HJ), "demo", "load", "--tenant", tenant_id, "--users", str(users)],
        env={**others, **to_environ(settings)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"hj demo load: {done.stderr.decode()}")


async def _make_tenant(services: Services) -> Caller:
    context = cli_context(services.ids.new(IdPrefix.REQUEST))
    tenant = await services.tenants.create_tenant(context, CreateTenantBody(name="Bench", environment=Environment.TEST))
    context = cli_context(services.ids.new(IdPrefix.REQUEST), tenant.id)
    secret = CreateKeyBody(name="bench", scopes=_SCOPES)
    publishable = CreateKeyBody(name="bench", type=TenantKeyType.PUBLISHABLE)
    made = [await services.keys.create_key(context, tenant.id, body) for body in (secret, publishable)]
    return Caller(tenant.id, made[0].key, made[1].key)


async def _insert_users(services: Services, tenant_id: str, numbers: Sequence[int], password_hash: str) -> list[Person]:
    """Insert users, each with one live session, in one transaction."""
    now = services.clock.now_ms()
    users = [_user(number, now) for number in numbers]
    sessions = [_session(services, user, now) for user in users]
    context = cli_context(services.ids.new(IdPrefix.REQUEST), tenant_id)
    facets = Counter(facet for user in users for facet in facets_of(user))

    async def command(tx: Transaction) -> None:
        for user in users:
            await users_repository.insert_user(tx, user, password_hash)
        await tx.slice()
        await sessions_repository.insert_sessions(tx, sessions)
        await change_counters(tx, facets)
        await services.audit_log.record_many(tx, context, [user_created(user, PasswordOrigin.SET) for user in users])

    await services.database.write(tenant_id, command, type(None))
    return [Person(user.id, user.email) for user in users]


def _user(number: int, now_ms: int) -> User:
    """Return a user whose number stands in all that must be unique, and at the end of the id."""
    digits = f"{number:0{USER_DIGITS}d}"
    email, name = f"person.{digits}@example.com", f"Person Number {digits}"
    return User(
        f"{IdPrefix.USER}_01H{'B' * 17}{digits}",
        email,
        email_key(email),
        "member",
        now_ms,
        now_ms,
        email_verified=True,
        username=f"person{digits}",
        name=name,
        name_key=fold(name),
        phone=f"+14155{digits}",
        external_id=f"crm-{digits}",
        public_metadata='{"plan":"pro","language":"en"}',
        private_metadata='{"crm_score":42}',
        last_sign_in_at=now_ms,
    )


def _session(services: Services, user: User, now_ms: int) -> Session:
    session_id = services.ids.new(IdPrefix.SESSION)
    terms = terms_of(TenantConfig())
    ends_at = terms.session_end(now_ms, now_ms)
    return Session(session_id, user.id, now_ms, ends_at, terms.access_end(ends_at, now_ms))


async def _note_programs(
    database: Database, settings: Settings, engine: Engine, caller: Caller, people: list[Person]
) -> dict[Name, Program]:
    """Let the server's app answer one request of each operation, and note what each ran.

    They are about the last of `people`, and disabled is the last but one; both are taken away.
    """
    person, disabled = people.pop(), people.pop()
    recording = Recording(database, engine)
    services = build_services(cast("Database", recording), settings, SystemClock())
    app: Any = build_app(services, http_settings(settings), log=make_logger(level=Level.CRITICAL))
    programs: dict[Name, Program] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=_PUBLIC_URL) as client:
        for name in Name:
            about = disabled if name is Name.DISABLE else person
            call = call_of(name, caller, about)
            answer = await client.request(call.method, call.path, headers=call.headers, content=call.content)
            answer.raise_for_status()
            programs[name] = recording.take(about.id, answer.content)
    return programs


async def _analyse(url: str) -> None:
    connection: asyncpg.Connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
