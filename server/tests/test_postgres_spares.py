"""The databases that tests use one after another: each test finds an empty one of the newest schema."""

from collections.abc import Iterator

import pytest

from tests.conftest import TEMPLATE
from tests.postgres_cluster import Cluster
from tests.postgres_spares import Spares

ADD = "INSERT INTO hellojohn_tenant.tenant_stores (id) VALUES ('one')"
ANY_INDEX = """
    SELECT indexname FROM pg_indexes WHERE schemaname = 'hellojohn_tenant' AND indexdef LIKE 'CREATE INDEX %' LIMIT 1
"""
COUNT = "SELECT count(*) FROM hellojohn_tenant.tenant_stores"


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[Spares]:
    made = Spares(cluster, TEMPLATE, prefix="tried")
    yield made
    made.close()
    cluster.drop_database("tried_1")
    cluster.drop_database("tried_2")


def test_what_a_test_wrote_is_gone_for_the_next(cluster: Cluster, fresh: Spares) -> None:
    first = fresh.take()
    cluster.psql(ADD, first.name)

    assert fresh.give_back(first)
    assert fresh.take() is first
    assert cluster.psql(COUNT, first.name) == "0"
    assert fresh.give_back(first)


def test_two_at_once_have_each_their_own(cluster: Cluster, fresh: Spares) -> None:
    first, second = fresh.take(), fresh.take()
    cluster.psql(ADD, first.name)
    assert cluster.psql(COUNT, second.name) == "0"
    assert fresh.give_back(first)
    assert fresh.give_back(second)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE hellojohn_tenant.more (id int)",
        "DROP INDEX hellojohn_tenant.{index}",
        "ALTER TABLE hellojohn_tenant.users ADD COLUMN more int",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER SCHEMA hellojohn_tenant OWNER TO postgres",
        "GRANT USAGE ON SCHEMA hellojohn_tenant TO pg_monitor",
        "DELETE FROM hellojohn_control.schema_migrations",
        "ALTER DATABASE {name} SET lock_timeout = 7",
        "ALTER DATABASE {name} CONNECTION LIMIT 7",
        "INSERT INTO hellojohn_tenant.tenant_stores (id) VALUES ('one'); ANALYZE hellojohn_tenant.tenant_stores",
    ],
)
def test_a_changed_one_is_replaced(cluster: Cluster, fresh: Spares, change: str) -> None:
    first = fresh.take()
    index = cluster.psql(ANY_INDEX, first.name)
    cluster.psql(change.format(name=first.name, index=index), first.name)

    assert not fresh.give_back(first)
    assert cluster.psql(f"SELECT count(*) FROM pg_database WHERE datname = '{first.name}'") == "0"
    second = fresh.take()
    assert second is not first
    assert fresh.give_back(second)
