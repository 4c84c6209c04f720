"""kill -9 under load, again and again, on one set of data: what was acknowledged is there, and nothing is half there.

    make crash                                    # fifty times on each store
    python -m tests.crash.kill_nine --rounds 5    # in server/

Eight clients create users and change them over HTTP and keep what each 2xx said. At a random moment after at least a
hundred of them the server process gets SIGKILL. Then the store itself is read: every acknowledged version must be
there, every version must have its audit entry, every entry its row, and the counters must say what a recount says.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.postgres import PostgresDatabase
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite import SqliteDatabase
from tests.postgres_cluster import running_cluster

CLIENTS: Final = 8
ACKNOWLEDGED_AT_LEAST: Final = 100
LONGEST_EXTRA_SECONDS: Final = 0.4
START_SECONDS: Final = 30
LOAD_SECONDS: Final = 60
HJ: Final = Path(sys.executable).parent / "hj"

LIST_USERS = Statement("SELECT id, version, name FROM users WHERE tenant_id = :tenant_id")
LIST_ENTRIES = Statement(
    "SELECT resource_id, type FROM audit_entries"
    " WHERE tenant_id = :tenant_id AND type IN ('user.created', 'user.updated')"
)
COUNT_ENTRIES_WITHOUT_VALUES = Statement(
    """
    SELECT count(*) FROM audit_entries AS entry WHERE entry.tenant_id = :tenant_id AND (
        SELECT count(*) FROM audit_values AS side WHERE side.tenant_id = :tenant_id AND side.entry_id = entry.id
    ) <> 2
    """
)
COUNTED_USERS = Statement(
    "SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = 'total'",
    """
    SELECT CAST(sum(users) AS bigint) FROM (
        SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = 'total'
        UNION ALL SELECT users FROM user_counter_deltas WHERE tenant_id = :tenant_id AND facet = 'total'
    ) AS parts
    """,
)


class Acknowledged(msgspec.Struct):
    """What the last 2xx about one user said, and how many changes were sent since without an answer."""

    version: int
    name: str
    unanswered: int = 0


class Store(msgspec.Struct, frozen=True):
    """Where the data is: the environment for `hj`."""

    kind: str
    environment: Mapping[str, str]

    async def open(self) -> Database:
        """Open the store in this process, as recovery finds it."""
        if self.kind == "sqlite":
            return await SqliteDatabase.open(Path(self.environment["HELLOJOHN_DATA_DIR"]), SystemClock())
        return await PostgresDatabase.open(self.environment["HELLOJOHN_DATABASE_URL"], SystemClock())


class Found(msgspec.Struct, frozen=True):
    """How a round ended."""

    acknowledged: int
    users: int
    entries: int


@contextmanager
def new_store(kind: str) -> Iterator[Store]:
    """Give an empty store of a kind, durable as in production, and remove it afterwards."""
    key = base64.b64encode(os.urandom(32)).decode()
    with tempfile.TemporaryDirectory(prefix="hj-crash-") as directory, contextlib.ExitStack() as stack:
        common = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HELLOJOHN_")},
            "HELLOJOHN_ENCRYPTION_KEY": key,
            "HELLOJOHN_PUBLIC_URL": "http://localhost:3000",
            "HELLOJOHN_DATA_DIR": directory,
            "HELLOJOHN_RATE_LIMIT_ENABLED": "false",
        }
        if kind == "postgres":
            cluster = stack.enter_context(running_cluster())
            common["HELLOJOHN_DATABASE_URL"] = cluster.create_database("crash")
        yield Store(kind, common)


def run_hj(store: Store, *arguments: str) -> dict[str, Any]:
    """Run an `hj` command with --json and return what it printed."""
    done = subprocess.run(
        [HJ, *arguments, "--json"], env=dict(store.environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"hj {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@asynccontextmanager
async def server(store: Store) -> AsyncIterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start `hj serve` on a free loopback port; give its URL and process when it is ready; kill it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes a moment, and nothing else runs yet
        [HJ, "serve", "--host", "127.0.0.1", "--port", str(port)],
        env=dict(store.environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _wait_ready(url, process)
        yield url, process
    finally:
        process.kill()
        process.wait()


async def _wait_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient() as client:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/ready")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"hj serve did not become ready (exit code {process.poll()})")


class Load:
    """Clients that write and remember what they were told."""

    def __init__(self, url: str, key: str, users: dict[str, Acknowledged], seed: int) -> None:
        self._url = url
        self._key = key
        self._users = users
        self._random = random.Random(seed)
        self.acknowledged = 0

    async def run_client(self, number: int) -> None:
        """Create users and change them until the server is gone."""
        headers = {"Authorization": f"Bearer {self._key}"}
        async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=LOAD_SECONDS) as client:
            with contextlib.suppress(httpx.TransportError):
                while True:
                    user_id = await self._create(client, number)
                    for _ in range(self._random.randrange(4)):
                        await self._change(client, user_id)

    async def _create(self, client: httpx.AsyncClient, number: int) -> str:
        name = f"Client {number} {self._random.getrandbits(64):x}"
        address = f"{name.replace(' ', '.').lower()}@example.com"
        answer = await client.post("/v1/users", json={"email": address, "name": name})
        if answer.status_code != httpx.codes.CREATED:
            raise RuntimeError(f"create: {answer.status_code} {answer.text}")
        user = answer.json()
        self._users[user["id"]] = Acknowledged(user["version"], user["name"])
        self.acknowledged += 1
        return str(user["id"])

    async def _change(self, client: httpx.AsyncClient, user_id: str) -> None:
        known = self._users[user_id]
        known.unanswered += 1
        answer = await client.patch(f"/v1/users/{user_id}", json={"name": f"Changed {self._random.getrandbits(64):x}"})
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"change: {answer.status_code} {answer.text}")
        user = answer.json()
        self._users[user_id] = Acknowledged(user["version"], user["name"])
        self.acknowledged += 1


async def run_round(store: Store, tenant_id: str, key: str, users: dict[str, Acknowledged], seed: int) -> Found:
    """Load a server, kill it, read the store; AssertionError says what is wrong with it."""
    async with server(store) as (url, process):
        load = Load(url, key, users, seed)
        clients = [asyncio.create_task(load.run_client(number)) for number in range(CLIENTS)]
        deadline = time.monotonic() + LOAD_SECONDS
        while load.acknowledged < ACKNOWLEDGED_AT_LEAST and time.monotonic() < deadline:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.005)
        await asyncio.sleep(random.Random(seed).random() * LONGEST_EXTRA_SECONDS)
        process.send_signal(signal.SIGKILL)
        await asyncio.gather(*clients)
    assert load.acknowledged >= ACKNOWLEDGED_AT_LEAST, f"only {load.acknowledged} answers in {LOAD_SECONDS} s"
    database = await store.open()
    try:
        found = await database.read(tenant_id, lambda reader: inspect(reader, users, load.acknowledged), long=True)
    finally:
        await database.close()
    return found


async def inspect(reader: Reader, users: dict[str, Acknowledged], acknowledged: int) -> Found:
    """Compare the store with what was acknowledged, rows with entries, and counters with rows."""
    rows = {str(row[0]): (int(row[1]), str(row[2])) for row in await reader.fetch_all(LIST_USERS)}
    entries = await reader.fetch_all(LIST_ENTRIES)
    for user_id, known in users.items():
        assert user_id in rows, f"{user_id} was acknowledged and is missing"
        version, name = rows[user_id]
        assert known.version <= version <= known.version + known.unanswered, f"{user_id}: {version} after {known}"
        assert version != known.version or name == known.name, f"{user_id}: {name!r} after {known}"
    recorded: dict[str, int] = {}
    for resource_id, entry_type in entries:
        assert resource_id in rows, f"{entry_type} of {resource_id}, which does not exist"
        recorded[resource_id] = recorded.get(resource_id, 0) + 1
    for user_id, (version, _) in rows.items():
        assert recorded.get(user_id) == version, f"{user_id}: version {version}, {recorded.get(user_id)} entries"
    sideless = await reader.fetch_one(COUNT_ENTRIES_WITHOUT_VALUES)
    assert sideless is not None
    assert sideless[0] == 0, f"{sideless[0]} entries without both of their side rows"
    counted = await reader.fetch_one(COUNTED_USERS)
    assert counted is not None
    assert counted[0] == len(rows), f"counter {counted[0]}, rows {len(rows)}"
    for user_id, (version, name) in rows.items():
        users[user_id] = Acknowledged(version, name)
    return Found(acknowledged, len(rows), len(entries))


def crash(kind: str, rounds: int, seed: int) -> Iterator[Found]:
    """Yield what each round found; the data of all rounds is one."""
    with new_store(kind) as store:
        tenant_id = run_hj(store, "tenants", "create", "--name", "Crash")["id"]
        key = run_hj(store, "keys", "create", "--tenant", tenant_id, "--name", "load", "--scope", "users:*")["key"]
        users: dict[str, Acknowledged] = {}
        for number in range(rounds):
            yield asyncio.run(run_round(store, tenant_id, key, users, seed + number))


def main() -> int:
    """Run many rounds on each store and print what each found."""
    parser = argparse.ArgumentParser(description="kill -9 under load.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--store", choices=["sqlite", "postgres"], action="append")
    options = parser.parse_args()
    for kind in options.store or ["sqlite", "postgres"]:
        sys.stdout.write(f"{kind}, seed {options.seed}\n")
        for number, found in enumerate(crash(kind, options.rounds, options.seed), 1):
            sys.stdout.write(
                f"  {number}: {found.acknowledged} acknowledged, then kill -9;"
                f" {found.users} users and {found.entries} entries, all there\n"
            )
            sys.stdout.flush()
    sys.stdout.write("PASS\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
