"""The composition root: everything it makes fits together, on both stores."""

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.support import running_app


async def test_the_app_serves_users_with_a_key_made_through_its_own_services(
    database: Database, clock: ManualClock, ids: IdFactory
) -> None:
    async with running_app(database, clock, ids) as app:
        tenant_id = await app.make_tenant()
        key = await app.make_key(tenant_id)
        made = await app.call(key, "POST", "/v1/users", {"email": "alice@example.com", "name": "Alice"})
        assert made.status_code == 201, made.text
        found = await app.call(key, "POST", "/v1/admin/users/search", {"query": "ali"})
        assert [user["id"] for user in found.json()["data"]] == [made.json()["id"]]
        ready = await app.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
