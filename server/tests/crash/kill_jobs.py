"""kill -9 of the server while a job runs, again and again: in the end nobody was done twice, and no entry is missing.

    make jobs-crash                                         # ten times during a job over 200,000 users, on each store
    python -m tests.crash.kill_jobs --users 2000 --kills 2       # in server/

A plan is made for every user of a tenant, and run. Each time the job has come further the server process gets SIGKILL,
and another one is started, which goes on with it. Then the store itself is read: each user of the plan has one version
more, one entry and one line in the report, the job's numbers add up, and so do the counters.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec

from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement
from tests.crash.kill_nine import COUNT_ENTRIES_WITHOUT_VALUES, Store, new_store, run_hj, server

DEADLINE_SECONDS: Final = 600
POLL_SECONDS: Final = 0.02
LIST_USERS = Statement("SELECT id, version, disabled FROM users WHERE tenant_id = :tenant_id")
LIST_ENTRIES = Statement(
    "SELECT resource_id FROM audit_entries WHERE tenant_id = :tenant_id AND type = 'user.disabled'"
)
LIST_RESULTS = Statement(
    "SELECT user_id, outcome, version FROM job_users WHERE tenant_id = :tenant_id AND job_id = :job_id"
)
COUNTED_DISABLED = Statement(
    "SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = 'disabled'",
    """
    SELECT CAST(sum(users) AS bigint) FROM (
        SELECT users FROM user_counters WHERE tenant_id = :tenant_id AND facet = 'disabled'
        UNION ALL SELECT users FROM user_counter_deltas WHERE tenant_id = :tenant_id AND facet = 'disabled'
    ) AS parts
    """,
)

User = tuple[int, bool]
"""A version, and whether the user is disabled."""


class Found(msgspec.Struct, frozen=True):
    """How many users the job was for, and how far it had come at each kill."""

    users: int
    killed_at: list[int]


class Plan(msgspec.Struct, frozen=True):
    """A tenant with a plan that is ready."""

    tenant_id: str
    key: str
    id: str
    users: int


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Send a request that is to succeed, and return what it answers."""
    answer = await client.request(method, path, json=body)
    if not answer.is_success:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def client_of(url: str, key: str) -> httpx.AsyncClient:
    """Return a client of a server."""
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


async def make_plan(store: Store, tenant_id: str, key: str) -> Plan:
    """Have a server make a plan for everybody, and wait until it is ready."""
    async with server(store) as (url, _), client_of(url, key) as client:
        plan = await ask(client, "POST", "/v1/admin/plans", {"action": "disable", "filters": {"disabled": False}})
        async with asyncio.timeout(DEADLINE_SECONDS):
            while plan["status"] == "preparing":
                await asyncio.sleep(POLL_SECONDS)
                plan = await ask(client, "GET", f"/v1/admin/plans/{plan['id']}")
    assert plan["status"] == "ready", plan
    return Plan(tenant_id, key, plan["id"], plan["users"])


async def run_until(client: httpx.AsyncClient, job_id: str, done: int) -> dict[str, Any]:
    """Wait until a job has come to so many users or its end, and return it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        job = await ask(client, "GET", f"/v1/admin/jobs/{job_id}")
        if job["done"] >= done or job["status"] not in {"checking", "running"}:
            return job
        await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"the job did not come to {done} users")


async def run_through(store: Store, plan: Plan, kills: int) -> tuple[dict[str, Any], list[int]]:
    """Run a plan, killing the server so often, and return the job at its end and how far it had come at each kill."""
    job_id, killed_at = "", list[int]()
    for number in range(kills + 1):
        async with server(store) as (url, process), client_of(url, plan.key) as client:
            if not job_id:
                job_id = (await ask(client, "POST", "/v1/admin/jobs", {"plan_id": plan.id}))["id"]
            if number == kills:
                return await run_until(client, job_id, plan.users + 1), killed_at
            job = await run_until(client, job_id, plan.users * (number + 1) // (kills + 2))
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed_at.append(job["done"])
    raise AssertionError("there is always a last one")


async def users_of(store: Store, tenant_id: str) -> dict[str, User]:
    """Return every user of a tenant."""

    async def query(reader: Reader) -> dict[str, User]:
        return {str(row[0]): (int(row[1]), bool(row[2])) for row in await reader.fetch_all(LIST_USERS)}

    database = await store.open()
    try:
        return await database.read(tenant_id, query, long=True)
    finally:
        await database.close()


async def inspect(reader: Reader, job: dict[str, Any], before: dict[str, User]) -> None:
    """Compare the users, the entries and the report with each other and with the job. AssertionError."""
    users = {str(row[0]): (int(row[1]), bool(row[2])) for row in await reader.fetch_all(LIST_USERS)}
    results = {str(row[0]): (row[1], row[2]) for row in await reader.fetch_all(LIST_RESULTS, job_id=job["id"])}
    entries = [str(row[0]) for row in await reader.fetch_all(LIST_ENTRIES)]
    changed = {user_id for user_id, (outcome, _) in results.items() if outcome == "changed"}
    assert job["status"] == "completed", job
    assert job["done"] == job["users"] == len(results) == sum(job[each] for each in ("changed", "unchanged", "failed"))
    assert job["changed"] == len(changed)
    assert len(entries) == len(set(entries)), "somebody was recorded twice"
    assert set(entries) == changed
    for user_id, (version, disabled) in users.items():
        then, was_disabled = before[user_id]
        assert disabled == (was_disabled or user_id in changed), user_id
        assert version == then + (user_id in changed), f"{user_id}: version {version} after {then}"
        assert user_id not in changed or results[user_id][1] == version, user_id
    sideless = await reader.fetch_one(COUNT_ENTRIES_WITHOUT_VALUES)
    assert sideless is not None
    assert sideless[0] == 0, f"{sideless[0]} entries without both of their side rows"
    counted = await reader.fetch_one(COUNTED_DISABLED)
    assert counted is not None
    assert counted[0] == sum(disabled for _, disabled in users.values())


async def crash_job(store: Store, tenant_id: str, key: str, kills: int) -> Found:
    """Plan, run and kill, then read the store."""
    plan = await make_plan(store, tenant_id, key)
    before = await users_of(store, tenant_id)
    job, killed_at = await run_through(store, plan, kills)
    database = await store.open()
    try:
        await database.read(tenant_id, lambda reader: inspect(reader, job, before), long=True)
    finally:
        await database.close()
    return Found(plan.users, killed_at)


def crash(kind: str, users: int, kills: int) -> Found:
    """Return how it went on a new store of a kind."""
    with new_store(kind) as store:
        tenant = run_hj(store, "tenants", "create", "--name", "Crash", "--environment", "test")["id"]
        scopes = ("--scope", "users:*", "--scope", "jobs:*")
        key = run_hj(store, "keys", "create", "--tenant", tenant, "--name", "load", *scopes)["key"]
        run_hj(store, "demo", "load", "--tenant", tenant, "--users", str(users))
        return asyncio.run(crash_job(store, tenant, key, kills))


def _lines(options: argparse.Namespace) -> Iterator[str]:
    for kind in options.store or ["sqlite", "postgres"]:
        found = crash(kind, options.users, options.kills)
        yield f"{kind}: a job over {found.users} users, killed at {', '.join(map(str, found.killed_at))}; it adds up\n"
    yield "PASS\n"


def main() -> int:
    """Kill a big job many times on each store and print how it went."""
    parser = argparse.ArgumentParser(description="kill -9 during a job.")
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--store", choices=["sqlite", "postgres"], action="append")
    for line in _lines(parser.parse_args()):
        sys.stdout.write(line)
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
