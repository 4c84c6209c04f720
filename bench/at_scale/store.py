"""A store full of invented users, how it is made, and a server on it."""

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from bench.search.data import filled
from bench.served.processes import Running, running
from bench.served.programs import Engine
from hellojohn_server.config import PREFIX, Settings, to_environ
from hellojohn_server.kit.setting_values import DatabaseUrl, EncryptionKey, PublicUrl

HJ: Final = Path(sys.executable).parent / "hj"
_PUBLIC_URL: Final = "http://127.0.0.1:3000"
_NOT_REACHED: Final = 1_000_000
"""A rate limit that is counted, and never used up."""

BYTES_PER_USER: Final = {Engine.SQLITE: 2_000, Engine.POSTGRES: 4_000}
"""What a user takes, with indexes and an audit entry, and a half more for what is left over while it is written."""


class Store(msgspec.Struct, frozen=True):
    """A tenant with users and a key to it that may do everything. `fill_seconds` is how long the users took."""

    engine: Engine
    settings: Settings
    tenant_id: str
    key: str
    users: int
    fill_seconds: float

    @property
    def environ(self) -> dict[str, str]:
        """The environment of our commands on it, and of nobody else's settings."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return {**others, **to_environ(self.settings)}


class NotEnoughRoom(Exception):
    """The disk has less room than what is to be made takes. The message says how much of each."""


def require_room(directory: Path, engine: Engine, users: int) -> None:
    """Raise NotEnoughRoom when the disk of `directory` cannot take a store of so many users."""
    needed, free = users * BYTES_PER_USER[engine], shutil.disk_usage(directory).free
    if free < needed:
        raise NotEnoughRoom(
            f"{users:,} users on {engine} take up to {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
        )


def keep(directory: Path, engine: Engine, url: str, users: int) -> Store:
    """Return the store in a directory, with its invented users: the one that bench.search uses too.

    It is made if it is not there, or not whole, and stays there. A key that may do everything is made each time.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    require_room(directory.parent, engine, users)
    settings, found = asyncio.run(filled(engine, directory, url, users))
    settings = msgspec.structs.replace(settings, rate_limit_bulk=_NOT_REACHED, rate_limit_writes=_NOT_REACHED)
    store = Store(engine, settings, found.tenant_id, "", users, found.fill_seconds)
    return msgspec.structs.replace(store, key=_key(store, found.tenant_id))


def fill(directory: Path, engine: Engine, url: str | None, users: int) -> Store:
    """Make a tenant with invented users in an empty store: in `directory`, or the database that `url` names."""
    require_room(directory, engine, users)
    store = Store(engine, _settings(directory / "data", url), "", "", users, 0.0)
    tenant_id = hj(store, "tenants", "create", "--name", "Bench", "--environment", "test")["id"]
    key = _key(store, tenant_id)
    started = time.monotonic()
    if users:
        hj(store, "demo", "load", "--tenant", tenant_id, "--users", str(users))
    return msgspec.structs.replace(store, tenant_id=tenant_id, key=key, fill_seconds=time.monotonic() - started)


def _key(store: Store, tenant_id: str) -> str:
    scopes = ("--scope", "*", "--scope", "admins:manage")
    key: str = hj(store, "keys", "create", "--tenant", tenant_id, "--name", "bench", *scopes)["key"]
    return key


def hj_file(store: Store, path: Path, *arguments: str) -> None:
    """Have one of our commands write a file from the store. RuntimeError with what it said when it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        [str(HJ), *arguments, "--output", str(path)], env=store.environ, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"hj {' '.join(arguments)}: {done.stderr.decode()}")


def hj(store: Store, *arguments: str) -> Any:
    """Run one of our commands on the store, and return its JSON. RuntimeError with what it said when it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        [str(HJ), *arguments, "--json"], env=store.environ, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"hj {' '.join(arguments)}: {done.stderr.decode()}")
    return msgspec.json.decode(done.stdout)


@contextmanager
def serving(store: Store, log: Path) -> Generator[Running]:
    """Run `hj serve` on the store, with its log in a file, from when it is ready until the block ends."""
    with running(store.settings, log) as server:
        yield server


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def headers_of(store: Store) -> Mapping[str, str]:
    """Return the headers of a caller who may do everything."""
    return {"Authorization": f"Bearer {store.key}"}


def wire(store: Store, port: int, path: str, *, body: Any = None, more: Sequence[str] = ()) -> bytes:
    """Return a request as it goes over a connection: GET, or POST of a body."""
    content = b"" if body is None else msgspec.json.encode(body)
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {store.key}",
        *([] if body is None else ["Content-Type: application/json", f"Content-Length: {len(content)}"]),
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _settings(data_dir: Path, url: str | None) -> Settings:
    return Settings(
        data_dir=data_dir,
        database_url=None if url is None else DatabaseUrl(url),
        encryption_key=EncryptionKey(base64.b64encode(os.urandom(32)).decode()),
        public_url=PublicUrl(_PUBLIC_URL),
        rate_limit_bulk=_NOT_REACHED,
        rate_limit_reads=_NOT_REACHED,
        rate_limit_sign_in=_NOT_REACHED,
        rate_limit_writes=_NOT_REACHED,
    )


async def execute(url: str, sql: str) -> None:
    """Run one statement at a database, on a connection of its own."""
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
