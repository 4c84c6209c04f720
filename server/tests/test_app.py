"""The composition root: everything it makes fits together, on both stores."""

import gc

from hellojohn_server.app import settle_memory
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


def test_what_the_start_made_is_not_collected_again_and_what_comes_later_is() -> None:
    kept = gc.get_threshold()
    try:
        settle_memory()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > kept[0]
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() > 0
    finally:
        gc.set_threshold(*kept)
        gc.unfreeze()
