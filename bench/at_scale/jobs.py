"""A job that disables nearly everybody, against one raw UPDATE and one raw INSERT of as many audit entries.

The raw side runs on the same store while no server does: what it writes is copied from entries that are there, each
with its two side rows. It also takes back what the job did, so that the next has the same to do.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from bench.at_scale.store import Store, headers_of, resident_mib, serving, wire
from bench.results import Figure, median_of
from bench.served.load import Order
from bench.served.processes import Running, load
from bench.served.programs import Engine
from hellojohn_server.storage.sqlite_driver import connect

PART: Final = "jobs"
AT_LEAST: Final = 0.25
MOST_GROWTH_MIB: Final = 64
SLOWER_AT_MOST: Final = 3.0
_CLIENTS: Final = 4
_LOOK_SECONDS: Final = 0.05
_MARKS: Final = "ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters that no entry's id begins with for some thousand years: the raw entries of each round have one."""

_ENTRY: Final = (
    "source, actor_id, actor_type, on_behalf_of_id, on_behalf_of_type, resource_id, resource_type, organization_id, "
    "request_id, result, impersonated, created_at, actor_hash, resource_hash"
)
_UPDATE: Final = """
    UPDATE users SET disabled = {no}, disabled_at = NULL, disabled_by = NULL, disabled_reason = NULL,
        updated_at = updated_at + 1, generation = generation + 1, version = version + 1
    WHERE {of_tenant} role = 'member' AND deleted_at IS NULL AND {disabled}
"""
_MARKED: Final = "SELECT id FROM audit_entries WHERE {of_tenant} id > 'evt_{mark}' AND id < 'evt_{mark}~' LIMIT 1"
_INSERT_ENTRIES: Final = """
    INSERT INTO audit_entries (tenant_id, id, type, {entry})
    SELECT tenant_id, 'evt_' || '{mark}' || substr(id, 6), 'user.enabled', {entry}
    FROM audit_entries WHERE {of_tenant} type = 'user.created' LIMIT {count}
"""
_INSERT_VALUES: Final = """
    INSERT INTO audit_values (tenant_id, entry_id, part, subject_id, salt, document, ip_address)
    SELECT tenant_id, 'evt_' || '{mark}' || substr(entry_id, 6), part, subject_id, salt, document, ip_address
    FROM audit_values WHERE {of_tenant} substr(entry_id, 5, 1) = '0' LIMIT 2 * {count}
"""


def measure(store: Store, directory: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yield the rate of jobs and of the raw statements, what memory grew by, and how others fared meanwhile."""
    jobs: list[float] = []
    raw: list[float] = []
    growths: list[float] = []
    plans: list[float] = []
    marks = _free_marks(store)
    _raw(store, next(marks), 1)
    for _ in range(rounds):
        with serving(store, directory / "served.log") as server:
            started = time.perf_counter()
            plan = _plan(store, server)
            plans.append(plan["users"] / (time.perf_counter() - started))
            before = resident_mib(server.pid)
            rate, most = _run(store, server, plan)
            jobs.append(rate)
            growths.append(most - before)
        raw.append(_raw(store, next(marks), plan["users"]))
    common: dict[str, Any] = {"part": PART, "store": store.engine.value, "users": store.users}
    limit: dict[str, Any] = {"limit": median_of(raw)["value"], "beside": "raw UPDATE and INSERT", "unit": "users/s"}
    yield Figure(**common, case="job that disables", **median_of(jobs), **limit, at_least=AT_LEAST)
    yield Figure(**common, case="plan, until it is ready", unit="users/s", **median_of(plans))
    yield Figure(**common, case="memory growth during a job", unit="MiB", **median_of(growths), at_most=MOST_GROWTH_MIB)
    yield _beside(store, directory, common, seconds)
    _raw(store, next(marks), 1)


def _plan(store: Store, server: Running) -> dict[str, Any]:
    """Plan to disable every member, and return the plan when it is ready."""
    with _client(store, server) as client:
        plan = _sent(client, "/v1/admin/plans", {"action": "disable", "filters": {"role": "member"}})
        while plan["status"] == "preparing":
            time.sleep(_LOOK_SECONDS)
            plan = client.get(f"/v1/admin/plans/{plan['id']}").raise_for_status().json()
    if plan["status"] != "ready":
        raise RuntimeError(f"the plan is {plan['status']}: {plan['error']}")
    return plan


def _run(store: Store, server: Running, plan: dict[str, Any]) -> tuple[float, float]:
    """Run a plan to its end, and return users a second and the most memory that was held meanwhile."""
    started, most = time.perf_counter(), 0.0
    with _client(store, server) as client:
        job = _sent(client, "/v1/admin/jobs", {"plan_id": plan["id"]})
        while job["status"] in {"checking", "running"}:
            most = max(most, resident_mib(server.pid))
            time.sleep(_LOOK_SECONDS)
            job = client.get(f"/v1/admin/jobs/{job['id']}").raise_for_status().json()
    taken = time.perf_counter() - started
    if job["status"] != "completed" or job["changed"] != plan["users"]:
        raise RuntimeError(f"the job is {job['status']} ({job['stop_reason']}): {job['changed']} changed")
    return job["users"] / taken, max(most, resident_mib(server.pid))


def _beside(store: Store, directory: Path, common: dict[str, Any], seconds: float) -> Figure:
    """Return what other requests' slowest hundredth takes while a job runs, and in quiet before it."""
    with serving(store, directory / "served.log") as server:
        order = Order(server.port, _CLIENTS, seconds, [wire(store, server.port, "/v1/users?limit=1")])
        plan = _plan(store, server)
        quiet = [load(order).p99_ms for _ in range(3)]
        job = threading.Thread(target=_run, args=(store, server, plan))
        job.start()
        busy = [load(order).p99_ms]
        while job.is_alive():
            busy.append(load(order).p99_ms)
        job.join()
    limit: dict[str, Any] = {"limit": median_of(quiet)["value"], "beside": "in quiet"}
    return Figure(
        **common, case="others' p99 during a job", unit="ms", **median_of(busy), **limit, at_most=SLOWER_AT_MOST
    )


def _free_marks(store: Store) -> Iterator[str]:
    """Yield letters that no entry has: what a run that was interrupted wrote is still there."""
    for mark in _MARKS:
        taken = _MARKED.format(of_tenant=_of_tenant(store), mark=mark)
        if not (_rows_sqlite if store.engine is Engine.SQLITE else _rows_postgres)(store, taken):
            yield mark


def _rows_sqlite(store: Store, statement: str) -> list[Any]:
    connection = connect(store.settings.data_dir / "tenants" / f"{store.tenant_id}.db")
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


def _rows_postgres(store: Store, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await _connected(store)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def _of_tenant(store: Store) -> str:
    return "" if store.engine is Engine.SQLITE else f"tenant_id = '{store.tenant_id}' AND "


def _raw(store: Store, mark: str, count: int) -> float:
    """Enable every member again and add so many entries in one transaction, and return users a second."""
    is_sqlite = store.engine is Engine.SQLITE
    of_tenant = _of_tenant(store)
    no, disabled = ("0", "disabled = 1") if is_sqlite else ("false", "disabled")
    texts = [_UPDATE, _INSERT_ENTRIES, _INSERT_VALUES]
    given = {"of_tenant": of_tenant, "no": no, "disabled": disabled, "mark": mark, "count": count, "entry": _ENTRY}
    statements = [text.format(**given) for text in texts]
    run = _raw_sqlite if is_sqlite else _raw_postgres
    return count / run(store, statements)


def _raw_sqlite(store: Store, statements: list[str]) -> float:
    connection = connect(store.settings.data_dir / "tenants" / f"{store.tenant_id}.db")
    started = time.perf_counter()
    for statement in ("BEGIN IMMEDIATE", *statements, "COMMIT"):
        connection.execute(statement)
    taken = time.perf_counter() - started
    connection.close()
    return taken


def _raw_postgres(store: Store, statements: list[str]) -> float:
    async def run() -> float:
        connection = await _connected(store)
        started = time.perf_counter()
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
        taken = time.perf_counter() - started
        await connection.close()
        return taken

    return asyncio.run(run())


async def _connected(store: Store) -> asyncpg.Connection:
    url = store.settings.database_url
    return await asyncpg.connect(
        None if url is None else url.value, server_settings={"search_path": "hellojohn_tenant"}
    )


def _client(store: Store, server: Running) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers_of(store), timeout=120)


def _sent(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    if not answer.is_success:
        raise RuntimeError(f"{path}: {answer.text}")
    made: dict[str, Any] = answer.json()
    return made
