"""Every statement, as PostgreSQL understands it and would run it if it could: by an index that the tenant leads."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from hellojohn_server.kit.retention import ENDED_SESSION_MS, PENDING_FACTOR_MS, RECYCLE_BIN_MS
from hellojohn_server.storage.postgres import _DUE
from hellojohn_server.storage.postgres_schema import SCHEMAS
from hellojohn_server.storage.sql import TENANT_TABLES, Statement
from tests.house import test_statements

WITHOUT_STATISTICS = (
    "SET enable_seqscan = off",
    "SET plan_cache_mode = force_generic_plan",
)
SEARCH_INDEXES = {"users_search_prefixes", "users_search_text"}
"""Of all tenants together: what they find is compared with the tenant's rows."""

OTHER_ENGINE = "hellojohn_server.storage.sqlite."


@pytest.fixture
def postgres_url(own_postgres_url: str) -> str:
    """A database that nobody has used: plans depend on what was there."""
    return own_postgres_url


@pytest.fixture
async def connections(postgres_url: str) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """A connection to each schema."""
    opened = {
        schema: await asyncpg.connect(postgres_url, server_settings={"search_path": f"{schema}, public"})
        for schema in SCHEMAS.values()
    }
    for connection in opened.values():
        for setting in WITHOUT_STATISTICS:
            await connection.execute(setting)
    yield opened
    for connection in opened.values():
        await connection.close()


async def plan_of(connection: asyncpg.Connection, sql: str, parameters: int) -> dict[str, Any]:
    """Return the plan of a statement that is prepared and not run."""
    await connection.execute(f"PREPARE asked AS {sql}")
    try:
        nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        [(explained,)] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE asked{nulls}")
    finally:
        await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes_of(inner)


def faults_of(plan: dict[str, Any]) -> list[str]:
    """Return the nodes that read a tenant's table otherwise than by an index that begins with the tenant."""
    faults: list[str] = []
    for node in nodes_of(plan):
        kind, index = node["Node Type"], node.get("Index Name")
        if kind == "Seq Scan" and node["Relation Name"] in TENANT_TABLES:
            faults.append(f"reads all of {node['Relation Name']}")
        owned = index is not None and is_owned(index) and index not in SEARCH_INDEXES
        if owned and "tenant_id" not in node.get("Index Cond", ""):
            faults.append(f"reads all of index {index}")
    return faults


def is_owned(index: str) -> bool:
    return any(index.startswith(f"{table}_") for table in TENANT_TABLES)


async def test_every_statement_is_understood_and_goes_by_the_tenant(
    connections: dict[str, asyncpg.Connection],
) -> None:
    wrong: dict[str, object] = {}
    understood: set[str] = set()
    for place, statement in test_statements._statements():
        if statement.postgres in understood or place.startswith(OTHER_ENGINE):
            continue
        plan = await first_plan(connections, statement)
        understood.add(statement.postgres)
        if isinstance(plan, str):
            wrong[place] = plan
        elif faults_of(plan):
            wrong[place] = faults_of(plan)

    assert len(understood) > 100
    assert wrong == {}


async def first_plan(connections: dict[str, asyncpg.Connection], statement: Statement) -> dict[str, Any] | str:
    """Return the plan in the first schema that has the tables, or what the last one says against it."""
    said = ""
    for connection in connections.values():
        try:
            return await plan_of(connection, statement.postgres, len(statement.postgres_names))
        except asyncpg.PostgresError as error:
            said = str(error)
            if not isinstance(error, asyncpg.UndefinedTableError):
                break
    return said


async def test_who_has_due_work_is_found_by_ranges_of_times(connections: dict[str, asyncpg.Connection]) -> None:
    plan = await plan_of(connections["hellojohn_tenant"], _DUE, 3)

    indexes = {node["Index Name"]: node.get("Index Cond") for node in nodes_of(plan) if "Index Name" in node}
    ranges = {index: condition for index, condition in indexes.items() if condition is not None}
    read_whole = {index for index, condition in indexes.items() if condition is None}
    assert all(index.startswith("user_counter_deltas") for index in read_whole)
    assert not [node for node in nodes_of(plan) if node["Node Type"] == "Seq Scan"]
    assert ranges == {
        "action_tokens_expires_at": "(expires_at <= $1)",
        "banned_addresses_until": "(banned_until <= $1)",
        "emails_next_attempt_at": "(next_attempt_at <= $1)",
        "emails_purge_at": "(purge_at <= $1)",
        "idempotency_records_due": "(expires_at <= $1)",
        "jobs_due_at": "(due_at <= $1)",
        "jobs_purge_at": "(purge_at <= $1)",
        "imports_purge_at": "(purge_at <= $1)",
        "mfa_challenges_expires_at": "(expires_at <= $1)",
        "mfa_factors_pending": f"(created_at <= ($1 - {PENDING_FACTOR_MS}))",
        "mfa_failures_expires_at": "(expires_at <= $1)",
        "organization_invitations_expires_at": "(expires_at <= $1)",
        "plans_due_at": "(due_at <= $1)",
        "plans_purge_at": "(purge_at <= $1)",
        "revocations_forget_at": "(forget_at <= $1)",
        "sessions_expires_at": f"(expires_at <= ($1 - {ENDED_SESSION_MS}))",
        "sign_in_failures_expires_at": "(expires_at <= $1)",
        "used_passkey_challenges_expires_at": "(expires_at <= $1)",
        "users_banned_until": "(banned_until <= $1)",
        "users_deleted_at": f"(deleted_at <= ($1 - '{RECYCLE_BIN_MS}'::bigint))",
        "users_locked_until": "(locked_until <= $1)",
    }


async def test_the_check_sees_what_does_not_go_by_the_tenant(connections: dict[str, asyncpg.Connection]) -> None:
    connection = connections["hellojohn_tenant"]

    for sql in ("SELECT id FROM users WHERE tenant_id || '' = 'x'", "SELECT email FROM users", "TABLE memberships"):
        assert len(faults_of(await plan_of(connection, sql, 0))) == 1, sql
    assert faults_of(await plan_of(connection, "SELECT id FROM users WHERE tenant_id = $1 AND id = $2", 2)) == []
