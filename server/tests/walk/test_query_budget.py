"""How many reads the hot paths make: tenant, key, and what was asked for, a page with its total included."""

from collections.abc import AsyncIterator
from typing import Any, Final, cast

import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Database
from tests.walk.account_acts import EVERY_ACT
from tests.walk.recorder import CountingDatabase
from tests.walk.world import World, send, walked_world

BUDGET: Final = {
    "add_member": 2,
    "ban_user": 2,
    "bulk_disable_users": 2,
    "delete_user": 2,
    "disable_user": 2,
    "get_api_key": 3,
    "get_audit_log": 3,
    "get_config": 3,
    "get_current_api_key": 3,
    "get_me": 3,
    "get_organization": 3,
    "get_role": 3,
    "get_session": 3,
    "get_stats": 5,
    "get_user": 3,
    "get_user_access": 3,
    "impersonate_user": 2,
    "list_api_keys": 3,
    "list_audit_logs": 3,
    "list_members": 4,
    "list_organizations": 3,
    "list_own_organizations": 3,
    "list_own_sessions": 3,
    "list_roles": 3,
    "list_sessions": 3,
    "list_users": 3,
    "revoke_user_sessions": 2,
    "search_users": 3,
    "sign_in": 3,
    "update_user": 2,
}
"""Reads outside of a write transaction."""


@pytest.fixture
def counting(database: Database) -> CountingDatabase:
    return CountingDatabase(database)


@pytest.fixture
async def counted_world(counting: CountingDatabase, clock: Clock) -> AsyncIterator[World]:
    async with walked_world(cast("Database", cast("Any", counting)), clock) as furnished:
        yield furnished


@pytest.mark.parametrize("operation", sorted(BUDGET))
async def test_a_hot_path_keeps_its_budget(counted_world: World, counting: CountingDatabase, operation: str) -> None:
    call = await EVERY_ACT[operation](counted_world)
    counting.read_statements.clear()

    answer = await send(counted_world, call)

    assert answer.is_success, answer.text
    assert len(counting.read_statements) <= BUDGET[operation], counting.read_statements
