"""What tests of keys are given: the services, and a tenant of each environment."""

import pytest

from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.tenants.parts import Parts, master_context


@pytest.fixture
def parts(database: Database, ids: IdFactory, clock: ManualClock) -> Parts:
    return Parts(database, ids, clock)


@pytest.fixture
async def acme(parts: Parts) -> str:
    """A tenant with a row and a store."""
    return (await parts.tenants.create_tenant(master_context(), CreateTenantBody(name="Acme"))).id


@pytest.fixture
async def sandbox(parts: Parts) -> str:
    """A tenant of the test environment."""
    body = CreateTenantBody(name="Sandbox", environment=Environment.TEST)
    return (await parts.tenants.create_tenant(master_context(), body)).id
