"""The data: a directory with a store filled by `hj demo load`, kept from one run to the next.

For PostgreSQL the directory holds only what is needed to find the tenant again; its rows are in a database of their own
on the server that HELLOJOHN_DATABASE_URL names, called after the number of users.
"""

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from bench.search.cases import Facts
from bench.served.programs import Engine
from hellojohn_server.app import open_tools
from hellojohn_server.cli.parts import Tools
from hellojohn_server.config import Settings, to_environ
from hellojohn_server.features.keys.schemas import CreateKeyBody
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.setting_values import DatabaseUrl, EncryptionKey, PublicUrl
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

_KEPT: Final = "filled.json"
_PUBLIC_URL: Final = "http://127.0.0.1:3000"
_NOT_REACHED: Final = 1_000_000
_HJ: Final = Path(sys.executable).parent / "hj"

LIST_ORGANIZATIONS: Final = Statement(
    """
    SELECT organization_id, count(*) FROM memberships WHERE tenant_id = :tenant_id
    GROUP BY organization_id ORDER BY 2 DESC
    """
)
GET_ONE: Final = Statement(
    "SELECT email FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NULL AND email_verified ORDER BY id LIMIT 1"
)


class Filled(msgspec.Struct, frozen=True):
    """A store that is complete: where it is, whose it is, what the questions name, and how long filling it took."""

    engine: Engine
    encryption_key: str
    tenant_id: str
    key: str
    users: int
    facts: Facts
    one: str
    fill_seconds: float


async def filled(engine: Engine, directory: Path, url: str, users: int) -> tuple[Settings, Filled]:
    """Return the settings of a full store and what is in it: the one in `directory`, or a new one when it is not whole.

    The statistics of PostgreSQL are made when it is full, as autovacuum would a minute later.
    """
    kept = directory / _KEPT
    database = f"hellojohn_search_{users}"
    place = None if engine is Engine.SQLITE else DatabaseUrl(f"{url.rpartition('/')[0]}/{database}")
    if kept.exists():
        found = msgspec.json.decode(kept.read_bytes(), type=Filled)
        if found.users == users and (place is None or await _exists(url, database)):
            return _settings(directory, place, found.encryption_key), found
    _empty(directory)
    if place is not None:
        await _create(url, database)
    encryption_key = base64.b64encode(os.urandom(32)).decode()
    settings = _settings(directory, place, encryption_key)
    async with open_tools(settings) as tools:
        tenant_id, key = await _make_tenant(tools)
    started = time.monotonic()
    _load(settings, tenant_id, users)
    taken = time.monotonic() - started
    if place is not None:
        await _analyse(place.value)
    async with open_tools(settings) as tools:
        facts, one = await _facts(tools, tenant_id)
    made = Filled(engine, encryption_key, tenant_id, key, users, facts, one, taken)
    kept.write_bytes(msgspec.json.encode(made))
    return settings, made


def _empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def _settings(directory: Path, url: DatabaseUrl | None, encryption_key: str) -> Settings:
    return Settings(
        data_dir=directory / "data",
        database_url=url,
        encryption_key=EncryptionKey(encryption_key),
        public_url=PublicUrl(_PUBLIC_URL),
        rate_limit_reads=_NOT_REACHED,
    )


async def _make_tenant(tools: Tools) -> tuple[str, str]:
    body = CreateTenantBody(name="Search", environment=Environment.TEST)
    tenant = await tools.tenants.create_tenant(tools.context(), body)
    scopes = [Scope.USERS_READ.value]
    key = await tools.keys.create_key(tools.context(tenant.id), tenant.id, CreateKeyBody(name="bench", scopes=scopes))
    return tenant.id, key.key


def _load(settings: Settings, tenant_id: str, users: int) -> None:
    command = [str(_HJ), "demo", "load", "--tenant", tenant_id, "--users", str(users)]
    environ = {**os.environ, **to_environ(settings)}
    done = subprocess.run(command, env=environ, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise RuntimeError("`hj demo load` failed")


async def _facts(tools: Tools, tenant_id: str) -> tuple[Facts, str]:
    async def query(reader: Reader) -> tuple[Facts, str]:
        sizes = await reader.fetch_all(LIST_ORGANIZATIONS)
        one = await reader.fetch_one(GET_ONE)
        if one is None:
            raise RuntimeError("there are no users")
        digits = "".join(letter for letter in one[0].partition("@")[0] if letter.isdigit())
        return Facts(sizes[0][0], sizes[-1][0], tools.clock.now_ms()), digits

    return await tools.database.read(tenant_id, query, long=True)


async def _exists(url: str, database: str) -> bool:
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", database))
    finally:
        await connection.close()


async def _create(url: str, database: str) -> None:
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
    finally:
        await connection.close()


async def _analyse(url: str) -> None:
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
