"""The bare engines: the drivers with the settings that the server gives them, and nothing in between.

SQLite: one connection that reads, one that writes; changes that wait together are committed together, in a thread.
They are not kept apart by savepoints, as nothing refuses here. PostgreSQL: a pool, BEGIN, the statements, COMMIT.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import apsw
import asyncpg

from bench.served.programs import ReadyStep
from hellojohn_server.storage.sqlite_driver import Connection, connect

_CONNECTIONS: Final = 10
_STATEMENT_CACHE: Final = 500


_Waiting: TypeAlias = tuple[Sequence[ReadyStep], str, str, asyncio.Future[list[Any]]]


class BareEngine(Protocol):
    """Runs the steps of a program for a user; gives the rows of each."""

    async def read(self, steps: Sequence[ReadyStep], user_id: str) -> list[Any]: ...
    async def write(self, steps: Sequence[ReadyStep], user_id: str, number: str) -> list[Any]: ...
    async def close(self) -> None: ...


class BareSqlite(BareEngine):
    """A tenant's file and control.db."""

    def __init__(self, data_dir: Path, tenant_id: str) -> None:
        path = data_dir / "tenants" / f"{tenant_id}.db"
        self._control = connect(data_dir / "control.db", read_only=True)
        self._reader = connect(path, read_only=True)
        self._writer = connect(path)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None

    async def read(self, steps: Sequence[ReadyStep], user_id: str) -> list[Any]:
        return [
            list((self._control if step.is_control else self._reader).execute(step.sql, *step.arguments(user_id, "")))
            for step in steps
        ]

    async def write(self, steps: Sequence[ReadyStep], user_id: str, number: str) -> list[Any]:
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((steps, user_id, number, done))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await done

    async def close(self) -> None:
        for connection in (self._writer, self._reader, self._control):
            connection.close()
        self._thread.shutdown()

    async def _drain(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)
            batch, self._waiting = self._waiting, []
            try:
                found = await self._commit(batch)
            except apsw.Error as error:
                for _, _, _, done in batch:
                    done.set_exception(error)
                continue
            for (_, _, _, done), rows in zip(batch, found, strict=True):
                done.set_result(rows)
        self._draining = None

    async def _commit(self, batch: list[_Waiting]) -> list[list[Any]]:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            found = [[_run(writer, step, user_id, number) for step in steps] for steps, user_id, number, _ in batch]
            await asyncio.get_running_loop().run_in_executor(self._thread, writer.execute, "COMMIT")
        except apsw.Error:
            writer.execute("ROLLBACK")
            raise
        return found


def _run(connection: Connection, step: ReadyStep, user_id: str, number: str) -> list[Any]:
    arguments = step.arguments(user_id, number)
    if step.is_many:
        connection.executemany(step.sql, arguments)
        return []
    return list(connection.execute(step.sql, arguments[0]))


class _Connection(asyncpg.Connection):
    """A connection that nothing needs resetting on, as the server's are."""

    def get_reset_query(self) -> str:
        return ""


class BarePostgres(BareEngine):
    """Both planes through one pool: a name that both have is the tenants'."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> "BarePostgres":
        """Connect."""
        pool = await asyncpg.create_pool(
            url,
            min_size=_CONNECTIONS,
            max_size=_CONNECTIONS,
            connection_class=_Connection,
            statement_cache_size=_STATEMENT_CACHE,
            max_cached_statement_lifetime=0,
            server_settings={
                "jit": "off",
                "plan_cache_mode": "force_custom_plan",
                "search_path": "hellojohn_tenant, hellojohn_control, public",
            },
        )
        return cls(pool)

    async def read(self, steps: Sequence[ReadyStep], user_id: str) -> list[Any]:
        async with self._pool.acquire() as connection:
            return [await connection.fetch(step.sql, *step.arguments(user_id, "")[0]) for step in steps]

    async def write(self, steps: Sequence[ReadyStep], user_id: str, number: str) -> list[Any]:
        found: list[Any] = []
        async with self._pool.acquire() as connection:
            await connection.execute("BEGIN")
            for step in steps:
                arguments = step.arguments(user_id, number)
                if step.is_many:
                    await connection.executemany(step.sql, arguments)
                    found.append([])
                else:
                    found.append(await connection.fetch(step.sql, *arguments[0]))
            await connection.execute("COMMIT")
        return found

    async def close(self) -> None:
        await self._pool.close()
