"""A tenant's figures through the app on both stores: after every act, at the turn of days, and with many at once."""

import asyncio
from typing import Any

import httpx

from hellojohn_server.features.stats.schemas import StatsBody
from hellojohn_server.features.user_counters.service import UserCounters
from hellojohn_server.kit.day_counters import DAY_MS
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import Front
from tests.features.mfa.parts import begin, confirm

AT_MIDNIGHT = START_MS // DAY_MS * DAY_MS + DAY_MS


async def stats(front: Front) -> dict[str, Any]:
    answer = await front.admin("GET", "/v1/admin/stats")
    assert answer.status_code == httpx.codes.OK, answer.text
    body: dict[str, Any] = answer.json()
    assert body.keys() == set(StatsBody.__struct_fields__)
    return body


def window(week: int, month: int | None = None) -> dict[str, int]:
    return {"last_7_days": week, "last_30_days": week if month is None else month}


async def test_of_an_empty_tenant_everything_is_nothing(front: Front) -> None:
    assert await stats(front) == {
        "as_of": "2026-09-21T14:13:20.000Z",
        "users": {
            "total": 0,
            "disabled": 0,
            "email_verified": 0,
            "by_role": {},
            "new": window(0),
            "active": window(0),
        },
        "mfa": {"enrolled": 0},
        "sessions": {"active": 0, "active_is_exact": True},
        "organizations": {"total": 0, "total_is_exact": True},
        "sign_ins": {"succeeded": window(0), "failed": window(0)},
    }


async def test_each_act_is_seen_at_once(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    bob = (await front.admin("POST", "/v1/users", {"email": "bob@example.com", "role": "admin"})).json()["id"]
    await front.sign_in()
    await front.try_sign_in(password="a wrong password")
    await front.try_sign_in("nobody@example.com")
    await front.admin("POST", "/v1/organizations", {"name": "Acme"})
    await confirm(front, alice.access, await begin(front, alice.access, clock))
    await front.admin("POST", f"/v1/users/{bob}/disable")

    body = await stats(front)

    assert body["users"] == {
        "total": 2,
        "disabled": 1,
        "email_verified": 0,
        "by_role": {"admin": 1, "member": 1},
        "new": window(2),
        "active": window(1),
    }
    assert (body["mfa"], body["sessions"]["active"], body["organizations"]["total"]) == ({"enrolled": 1}, 2, 1)
    assert body["sign_ins"] == {"succeeded": window(2), "failed": window(2)}

    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    gone = await stats(front)
    assert (gone["users"]["total"], gone["users"]["new"], gone["users"]["active"]) == (1, window(1), window(0))
    assert (gone["mfa"], gone["sessions"]["active"]) == ({"enrolled": 0}, 0)
    assert gone["sign_ins"] == body["sign_ins"]

    await front.admin("POST", f"/v1/users/{alice.user_id}/restore")
    back = await stats(front)
    assert (back["users"], back["mfa"]) == (body["users"], body["mfa"])

    await front.admin("DELETE", f"/v1/users/{alice.user_id}?permanent=true")
    erased = await stats(front)
    assert (erased["users"], erased["sign_ins"]) == (gone["users"], body["sign_ins"])


async def test_days_pass(front: Front, clock: ManualClock) -> None:
    clock.set(AT_MIDNIGHT - 1)
    alice = await front.sign_up()
    clock.set(AT_MIDNIGHT)
    await front.sign_up("bob@example.com")
    for day, new, active, signed_in in (
        (0, window(2), window(2), window(2)),
        (5, window(2), window(2), window(2)),
        (6, window(1, 2), window(1, 2), window(1, 2)),
        (7, window(0, 2), window(0, 2), window(0, 2)),
        (28, window(0, 2), window(0, 2), window(0, 2)),
        (29, window(0, 1), window(0, 1), window(0, 1)),
        (30, window(0), window(0), window(0)),
    ):
        clock.set(AT_MIDNIGHT + day * DAY_MS)
        body = await stats(front)
        told = (body["users"]["new"], body["users"]["active"], body["sign_ins"]["succeeded"])
        assert told == (new, active, signed_in), day
    await front.sign_in()
    body = await stats(front)
    assert (body["users"]["total"], body["users"]["new"], body["users"]["active"]) == (2, window(0), window(1))
    clock.advance(8 * 86_400)
    users = front.app.services.users
    await users.record_active(front.tenant_id, {alice.user_id: clock.now_ms(), "usr_x": clock.now_ms()})
    await users.record_active(front.tenant_id, {alice.user_id: clock.now_ms() - DAY_MS})
    assert (await stats(front))["users"]["active"] == window(1)


async def test_many_at_once_are_all_counted(front: Front, clock: ManualClock) -> None:
    people = [await front.sign_up(f"u{number}@example.com") for number in range(4)]
    clock.advance(86_400)
    users, counters = front.app.services.users, UserCounters(front.app.services.database)
    now = clock.now_ms()
    await asyncio.gather(
        *(front.sign_in(f"u{number % 4}@example.com") for number in range(16)),
        *(front.try_sign_in(f"u{number % 4}@example.com", "a wrong password") for number in range(16)),
        *(users.record_active(front.tenant_id, {one.user_id: now for one in people}) for _ in range(16)),
        *(counters.fold_counters(front.tenant_id) for _ in range(4)),
        counters.rebuild_counters(front.tenant_id),
    )
    body = await stats(front)
    assert (body["users"]["total"], body["users"]["active"]) == (4, window(4))
    assert body["sign_ins"] == {"succeeded": window(20), "failed": window(16)}
    await counters.rebuild_counters(front.tenant_id)
    assert await stats(front) == body
    clock.advance(7 * 86_400)
    assert (await stats(front))["users"]["active"] == window(0, 4)


async def test_another_tenant_counts_for_itself(front: Front) -> None:
    await front.sign_up()
    other = await front.app.make_key(await front.app.make_tenant("Other"))
    answer = await front.app.call(other, "GET", "/v1/admin/stats")
    assert (answer.json()["users"]["total"], answer.json()["sign_ins"]["succeeded"]) == (0, window(0))
