"""Group commit at Database.write against one transaction each, on the disk that the repository is on.

    make bench-commit                                # prints PASS or FAIL: at least 1.5 times as many writes
    python -m bench.group_commit --seconds 1 --quiet-verdict

Both sides run the same command (one row, one audit entry with its two side rows) on the same kind of file, in turns, so
that a busy machine slows both. "One each" admits one caller at a time, so that every command has a COMMIT of its own.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.audit_types import AuditType
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite import SqliteDatabase

CALLERS: Final = 16
WANTED_RATIO: Final = 1.5
FSYNCS: Final = 200
ROUNDS: Final = 3

INSERT_ORGANIZATION = Statement(
    "INSERT INTO organizations (tenant_id, id, name, created_at, updated_at, version)"
    " VALUES (:tenant_id, :id, 'x', 1, 1, 1)"
)


def fsync_seconds(directory: Path) -> list[float]:
    """Return how long it takes this disk to append a page to a file and make it durable, sorted."""
    page = os.urandom(4096)
    taken: list[float] = []
    with (directory / "fsync").open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            started = time.perf_counter()
            file.write(page)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    return sorted(taken)


class Bench:
    """A store on the disk with one tenant, and the command that both sides run."""

    def __init__(self, database: SqliteDatabase, tenant_id: str, ids: IdFactory) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._ids = ids
        self._audit = AuditLog(ids, SystemClock())
        self._context = cli_context("req_bench", tenant_id)

    async def write_once(self) -> None:
        """Write one row and its entry, durably."""

        async def command(tx: Transaction) -> str:
            row_id = self._ids.new(IdPrefix.ORGANIZATION)
            await tx.execute(INSERT_ORGANIZATION, id=row_id)
            await self._audit.record(tx, self._context, Event(AuditType.USER_CREATED, resource_id=row_id))
            return row_id

        await self._database.write(self._tenant_id, command, str)


async def writes_per_second(
    write: Callable[[], Awaitable[None]], seconds: float, turn: Callable[[], AbstractAsyncContextManager[Any]]
) -> float:
    """Return how many writes CALLERS callers make each second, every one made inside `turn()`."""
    written = 0
    deadline = time.perf_counter() + seconds

    async def call() -> None:
        nonlocal written
        while time.perf_counter() < deadline:
            async with turn():
                await write()
            written += 1

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return written / (time.perf_counter() - started)


async def measure(directory: Path, seconds: float) -> tuple[float, float]:
    """Return (grouped, one each) in writes a second, medians of alternating rounds."""
    clock = SystemClock()
    ids = IdFactory(clock)
    database = await SqliteDatabase.open(directory, clock)
    tenant_id = ids.new(IdPrefix.TENANT)
    await database.create_tenant(tenant_id)
    bench = Bench(database, tenant_id, ids)
    alone = asyncio.Lock()
    grouped: list[float] = []
    one_each: list[float] = []
    await bench.write_once()
    for _ in range(ROUNDS):
        one_each.append(await writes_per_second(bench.write_once, seconds, lambda: alone))
        grouped.append(await writes_per_second(bench.write_once, seconds, nullcontext))
    await database.close()
    return statistics.median(grouped), statistics.median(one_each)


def main() -> int:
    """Print the disk's fsync time and both rates; return 1 when the ratio is not what is wanted."""
    parser = argparse.ArgumentParser(description="Group commit against one transaction each.")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each of the rounds takes")
    parser.add_argument("--directory", type=Path, default=Path(__file__).parents[1], help="a directory on the disk")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=options.directory) as name:
        directory = Path(name)
        fsyncs = fsync_seconds(directory)
        grouped, one_each = asyncio.run(measure(directory / "data", options.seconds))
    ratio = grouped / one_each
    write = sys.stdout.write
    write(f"fsync of a 4 KiB append: median {statistics.median(fsyncs) * 1e6:.0f} us, p90 {fsyncs[-20] * 1e6:.0f} us\n")
    write(f"one transaction each, {CALLERS} callers: {one_each:,.0f} writes/s\n")
    write(f"group commit,         {CALLERS} callers: {grouped:,.0f} writes/s\n")
    if options.quiet_verdict:
        write(f"ratio {ratio:.2f}\n")
        return 0
    verdict = "PASS" if ratio >= WANTED_RATIO else "FAIL"
    write(f"ratio {ratio:.2f}, wanted at least {WANTED_RATIO}: {verdict}\n")
    return 0 if verdict == "PASS" else 1


if __name__ == "__main__":
    sys.exit(main())
