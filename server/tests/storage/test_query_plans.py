"""Every statement that stands in a module, as SQLite would run it without statistics: by an index or a key."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import hellojohn_server
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement
from hellojohn_server.storage.sqlite import SqliteDatabase

SCANS_MEANT = {
    "features.auth.repository.GET_CANDIDATE": "one row of nothing, to which user and failures are joined by their keys",
    "features.imports.repository.LIST_AFTER": "a page, and a count that ends at a bound",
    "features.imports.repository.LIST_FIRST": "a page, and a count that ends at a bound",
    "features.revocations.repository.LIST_REVOCATIONS": "the newest row, of which its number is asked",
    "features.signing_keys.repository.DELETE_ENDED": "a ring of a few keys",
    "features.signing_keys.repository.LIST_KEYS": "a ring of a few keys",
    "features.signing_keys.repository.UPDATE_ENDS": "a ring of a few keys",
    "features.tenants.repository.LIST_UNFINISHED": "the tenants left in between, looked for when a server starts",
    "features.users.repository.INSERT_USER": "no table, but the walk to the next free number, bounded by its runs",
    "features.user_counters.repository.REBUILD_COUNTERS": "counts every user again, on demand",
    "features.user_counters.repository.LIST_WRONG_COUNTERS": "counts every user, on demand",
    "storage.sqlite.PROBE": "one row",
}
_SCAN = re.compile(r"^SCAN (?!CONSTANT)\w+\b(?! VIRTUAL TABLE)")


def statements() -> Iterator[tuple[str, Statement]]:
    """Yield every Statement of the package with where it stands."""
    for module_info in pkgutil.walk_packages(hellojohn_server.__path__, "hellojohn_server."):
        module = importlib.import_module(module_info.name)
        for name, value in vars(module).items():
            if isinstance(value, Statement) and name.isupper() and not name.startswith("_"):
                place = f"{module_info.name.removeprefix('hellojohn_server.')}.{name}"
                yield place, value


async def test_every_statement_goes_by_an_index(tmp_path: Path) -> None:
    clock = SystemClock()
    database = await SqliteDatabase.open(tmp_path, clock)
    tenant_id = IdFactory(clock).new(IdPrefix.TENANT)
    await database.create_tenant(tenant_id)
    for scope in (tenant_id, CONTROL_TENANT_ID):
        await database.read(scope, _touch)
    await database.close()
    files = [apsw.Connection(str(tmp_path / name)) for name in (f"tenants/{tenant_id}.db", "control.db")]
    scanning: dict[str, list[str]] = {}
    seen: set[int] = set()
    for place, statement in statements():
        if id(statement) in seen:
            continue
        seen.add(id(statement))
        plan = _plan(files, statement)
        if any(_SCAN.search(step) for step in plan):
            scanning[place] = plan

    assert len(seen) > 20
    assert {place: plan for place, plan in scanning.items() if place not in SCANS_MEANT} == {}
    for connection in files:
        connection.close()


def test_the_check_sees_a_scan(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "x.db"))
    connection.execute("CREATE TABLE things (seq INTEGER PRIMARY KEY, tenant_id TEXT, name TEXT)")
    by_name = "SELECT 1 FROM things WHERE tenant_id = 'x' AND name = 'y'"
    assert any(_SCAN.search(step) for step in _explain(connection, by_name))
    connection.execute("CREATE INDEX things_name ON things (name)")
    assert not any(_SCAN.search(step) for step in _explain(connection, by_name))
    connection.close()


async def _touch(_: Reader) -> None:
    return None


def _plan(files: list[apsw.Connection], statement: Statement) -> list[str]:
    """Return the plan on the tenant's file, or on the control store's where the tenant has no such table."""
    for connection in files:
        try:
            return _explain(connection, statement.sqlite)
        except apsw.SQLError as error:
            if "no such table" not in str(error):
                raise
    pytest.fail(f"no store has the tables of {statement!r}")


def _explain(connection: apsw.Connection, sql: str) -> list[str]:
    names = dict.fromkeys(re.findall(r":([a-z_][a-z0-9_]*)", sql))
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", names)]
