"""Users who were there before days were counted: the migration counts them."""

from contextlib import closing
from pathlib import Path

import apsw
import asyncpg
import pytest

from hellojohn_server.storage.migrations import Engine, Plane, load_migrations
from tests.features.auth.parts import Front
from tests.features.stats.test_stats import stats

DELETED = "DELETE FROM user_counters WHERE facet LIKE 'created:%' OR facet LIKE 'active:%'"


def migration_of(engine: Engine) -> str:
    return next(one.sql for one in load_migrations(engine, Plane.TENANT) if one.name == "day_counters")


async def test_who_is_there_already_is_counted(
    front: Front, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await front.sign_up()
    await front.admin("POST", "/v1/users", {"email": "bob@example.com"})
    binned = await front.sign_up("carol@example.com")
    await front.admin("DELETE", f"/v1/users/{binned.user_id}")
    before = await stats(front)
    if engine == "postgres":
        path = {"search_path": "hellojohn_tenant"}
        connection = await asyncpg.connect(request.getfixturevalue("postgres_url"), server_settings=path)
        await connection.execute(DELETED)
        await connection.execute(
            "DELETE FROM user_counter_deltas WHERE facet LIKE 'created:%' OR facet LIKE 'active:%'"
        )
        emptied = await stats(front)
        await connection.execute(migration_of(Engine.POSTGRES))
        await connection.close()
    else:
        with closing(apsw.Connection(str(tmp_path / "data" / "tenants" / f"{front.tenant_id}.db"))) as file:
            file.execute(DELETED)
            emptied = await stats(front)
            file.execute(migration_of(Engine.SQLITE))
    assert emptied["users"]["new"] == emptied["users"]["active"] == {"last_7_days": 0, "last_30_days": 0}
    assert await stats(front) == before
    assert (before["users"]["new"]["last_7_days"], before["users"]["active"]["last_7_days"]) == (2, 1)
