"""Signing up and in on both stores: who gets in, what is said to the others, and the lock."""

import asyncio
import time

import httpx
import pytest

from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.sightings import SightingKind
from hellojohn_server.storage.database import Database
from tests.conftest import START_MS, ManualClock
from tests.features.auth.parts import PASSWORD, Front, make_front, said
from tests.support import CHEAP, RunningApp, running_app

BCRYPT = "$2b$04$h9mW91nIm8Xg5Iq7lbWL9eXhItIq67NE7KOyTqR4i8lOpkO0Kj8nO"
"""correct horse battery, by the bcrypt program of another system."""


async def test_sign_up_makes_a_member_who_is_signed_in(front: Front) -> None:
    answer = await front.post(
        "sign-up", {"email": "Alice@Example.com", "password": PASSWORD, "name": "Alice", "username": "alice"}
    )
    assert answer.status_code == 201, answer.text
    body = answer.json()
    session = body.pop("session")
    user_id = body["user"].pop("id")
    assert body == {
        "user": {
            "email": "Alice@Example.com",
            "email_verified": False,
            "username": "alice",
            "name": "Alice",
            "phone": None,
            "phone_verified": False,
            "avatar_url": None,
            "role": "member",
            "mfa_enrolled": False,
            "public_metadata": {},
            "created_at": "2026-09-21T14:13:20.000Z",
            "updated_at": "2026-09-21T14:13:20.000Z",
            "last_sign_in_at": "2026-09-21T14:13:20.000Z",
            "version": 1,
        }
    }
    assert session["access_token_expires_at"] == "2026-09-21T14:28:20.000Z"
    assert session["refresh_token_expires_at"] == "2026-10-21T14:13:20.000Z"
    assert session["refresh_token"].startswith("rft_")
    assert await front.me(session["access_token"]) == (200, "")
    entries = await front.entries()
    assert [(entry.type, entry.actor.id, entry.actor.type) for entry in entries[2:]] == [
        ("user.created", user_id, "user"),
        ("user.signed_in", user_id, "user"),
    ]
    assert entries[-1].metadata == {"session_id": session["id"], "amr": ["pwd"]}


@pytest.mark.parametrize("state", ["taken", "binned", "banned", "erased while banned"])
async def test_a_closed_address_is_said_to_be_taken_and_no_more(front: Front, state: str) -> None:
    made = (await front.admin("POST", "/v1/users", {"email": "alice@example.com"})).json()["id"]
    if state == "binned":
        assert (await front.admin("DELETE", f"/v1/users/{made}")).is_success
    if state in {"banned", "erased while banned"}:
        assert (await front.admin("POST", f"/v1/users/{made}/ban", {"reason": "spam"})).is_success
    if state == "erased while banned":
        assert (await front.admin("DELETE", f"/v1/users/{made}?permanent=true")).is_success
    answer = await front.post("sign-up", {"email": "ALICE@example.com", "password": PASSWORD})
    assert said(answer) == (409, "email_already_exists")


async def test_of_16_sign_ups_with_one_address_one_succeeds(front: Front) -> None:
    body = {"email": "alice@example.com", "password": PASSWORD}
    answers = await asyncio.gather(*(front.post("sign-up", body) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [(201, ""), *[(409, "email_already_exists")] * 15]
    assert [entry.type for entry in await front.entries()].count("user.created") == 1


async def test_sign_in_with_any_form_of_the_address(front: Front, clock: ManualClock) -> None:
    first = await front.sign_up("Zoë@Example.com")
    clock.advance(60)
    second = await front.sign_in("ZOË@example.COM")
    assert (second.user_id, second.session_id != first.session_id) == (first.user_id, True)
    user = (await front.admin("GET", f"/v1/users/{first.user_id}")).json()
    assert (user["last_sign_in_at"], user["version"]) == ("2026-09-21T14:14:20.000Z", 1)
    assert user["updated_at"] == "2026-09-21T14:13:20.000Z"


async def test_wrong_and_unknown_are_answered_alike(front: Front) -> None:
    await front.sign_up()
    made = await front.admin("POST", "/v1/users", {"email": "nopassword@example.com"})
    binned = await front.sign_up("binned@example.com")
    await front.admin("DELETE", f"/v1/users/{binned.user_id}")
    answers = [
        await front.post("sign-in", {"email": email, "password": password})
        for email, password in (
            ("alice@example.com", "wrong"),
            ("nobody@example.com", "wrong"),
            ("not an address", PASSWORD),
            ("nopassword@example.com", PASSWORD),
            ("binned@example.com", PASSWORD),
        )
    ]
    bodies = []
    for answer in answers:
        body = answer.json()["error"]
        del body["request_id"]
        bodies.append(body)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert [body["code"] for body in bodies] == ["invalid_credentials"] * 5
    assert all(body == bodies[0] for body in bodies)
    failures = [entry for entry in await front.entries() if entry.type == "user.sign_in_failed"]
    assert [(entry.result, entry.resource and entry.resource.id) for entry in failures] == [
        ("failure", (await front.admin("GET", "/v1/users?email=alice@example.com")).json()["data"][0]["id"]),
        ("failure", made.json()["id"]),
    ]
    assert not [entry for entry in await front.entries() if entry.type == "operation.denied"]


async def test_a_refusal_takes_its_time(database: Database, clock: Clock, ids: IdFactory) -> None:
    environ = {"HELLOJOHN_SIGN_IN_FLOOR_MS": "300"}
    async with running_app(database, clock, ids, environ) as app:
        front = await make_front(app)
        await front.sign_up()
        for email in ("alice@example.com", "nobody@example.com"):
            started = time.monotonic()
            assert await front.try_sign_in(email, "wrong") == (401, "invalid_credentials")
            assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("known", [True, False])
async def test_ten_failures_lock_an_address_whether_or_not_anybody_has_it(
    front: Front, clock: ManualClock, known: bool
) -> None:
    if known:
        await front.sign_up()
    for _ in range(10):
        clock.advance(50)
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    assert await front.try_sign_in(password="wrong") == (403, "account_locked")
    assert await front.try_sign_in("ALICE@example.com") == (403, "account_locked")
    assert await front.try_sign_in("bob@example.com", "wrong") == (401, "invalid_credentials")
    clock.advance(899)
    assert await front.try_sign_in() == (403, "account_locked")
    clock.advance(1)
    assert await front.try_sign_in() == ((200, "") if known else (401, "invalid_credentials"))


async def test_a_lock_shows_and_ends_no_session(front: Front) -> None:
    alice = await front.sign_up()
    for _ in range(10):
        await front.try_sign_in(password="wrong")
    user = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert (user["status"], user["locked_until"], user["version"]) == ("locked", "2026-09-21T14:28:20.000Z", 1)
    assert await front.me(alice.access) == (200, "")
    assert (await front.refresh(alice.refresh)).session_id == alice.session_id
    entries = await front.entries()
    assert [entry.type for entry in entries].count("user.sign_in_failed") == 10
    assert entries[-1].type == "user.locked"
    assert entries[-1].changes == {"locked_until": (None, "2026-09-21T14:28:20.000Z")}


async def test_failures_that_lie_apart_do_not_lock(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    for _ in range(9):
        await front.try_sign_in(password="wrong")
    clock.advance(600)
    for _ in range(9):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    assert await front.try_sign_in() == (200, "")
    for _ in range(9):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    assert await front.try_sign_in() == (200, "")


async def test_ten_failures_in_any_ten_minutes_lock(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    clock.advance(540)
    for _ in range(8):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    clock.advance(60)
    for _ in range(2):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    assert await front.try_sign_in() == (403, "account_locked")


async def test_failures_that_come_slower_than_ten_in_ten_minutes_never_lock(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    for _ in range(30):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
        clock.advance(67)
    assert await front.try_sign_in() == (200, "")


async def test_after_a_lock_failures_begin_anew(front: Front, clock: ManualClock) -> None:
    await front.sign_up()
    for _ in range(2):
        for _ in range(10):
            assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
        assert await front.try_sign_in(password="wrong") == (403, "account_locked")
        clock.advance(900)
    for _ in range(9):
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
    assert await front.try_sign_in() == (200, "")


async def test_of_wrong_guesses_at_once_no_more_than_ten_are_answered_as_wrong(front: Front) -> None:
    await front.sign_up()
    answers = await asyncio.gather(*(front.try_sign_in(password="wrong") for _ in range(24)))
    assert sorted(answers) == [*[(401, "invalid_credentials")] * 10, *[(403, "account_locked")] * 14]
    assert await front.try_sign_in() == (403, "account_locked")


async def test_what_the_account_is_in_the_way_of_is_said_after_the_right_password_only(front: Front) -> None:
    alice = await front.sign_up()
    path = f"/v1/users/{alice.user_id}"
    for act, undo, code in (("disable", "enable", "account_disabled"), ("ban", "unban", "account_banned")):
        await front.admin("POST", f"{path}/{act}", {"reason": "x"})
        assert await front.try_sign_in(password="wrong") == (401, "invalid_credentials")
        assert await front.try_sign_in() == (403, code)
        entry = (await front.entries())[-1]
        assert (entry.type, entry.metadata) == ("user.sign_in_failed", {"code": code})
        await front.admin("POST", f"{path}/{undo}")
        assert await front.try_sign_in() == (200, "")


async def test_a_hash_of_another_system_is_replaced_at_the_first_sign_in(front: Front) -> None:
    body = {"email": "imported@example.com", "password_hash": BCRYPT}
    assert (await front.admin("POST", "/v1/users", body)).status_code == 201
    assert await front.try_sign_in("imported@example.com", "wrong") == (401, "invalid_credentials")
    slowest = front.app.services.auth
    first = await front.sign_in("imported@example.com")
    stored = await slowest.verify_password(front.app.context(front.tenant_id), first.user_id, PASSWORD)
    assert stored.startswith(f"$argon2id$v=19$m={CHEAP.memory_kib},t={CHEAP.passes},p=1$")
    assert (await front.sign_in("imported@example.com")).user_id == first.user_id


async def test_16_sign_ins_at_once_all_get_in_and_the_hash_is_replaced_once(front: Front) -> None:
    await front.admin("POST", "/v1/users", {"email": "imported@example.com", "password_hash": BCRYPT})
    answers = await asyncio.gather(*(front.try_sign_in("imported@example.com") for _ in range(16)))
    assert answers == [(200, "")] * 16


async def test_disable_against_sign_in_leaves_no_session(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    for _ in range(4):
        await asyncio.gather(
            *(front.try_sign_in() for _ in range(8)),
            front.admin("POST", f"/v1/users/{alice.user_id}/disable"),
            *(front.try_sign_in() for _ in range(8)),
        )
        listed = await front.admin("GET", f"/v1/users/{alice.user_id}/sessions")
        assert listed.json()["data"] == []
        assert await front.try_sign_in() == (403, "account_disabled")
        await front.admin("POST", f"/v1/users/{alice.user_id}/enable")


@pytest.mark.parametrize("path", ["sign-up", "sign-in", "token/refresh"])
async def test_an_idempotency_key_is_refused(front: Front, path: str) -> None:
    answer = await front.app.call(front.publishable, "POST", f"/v1/auth/{path}", {}, headers={"Idempotency-Key": "k"})
    assert said(answer) == (422, "idempotency_not_supported")


async def test_another_tenant_knows_nobody(front: Front, app: RunningApp) -> None:
    alice = await front.sign_up()
    other = await make_front(app)
    assert await other.try_sign_in() == (401, "invalid_credentials")
    assert await other.try_refresh(alice.refresh) == (401, "refresh_token_invalid")
    assert (await other.sign_up()).user_id != alice.user_id


async def test_activity_is_noted_at_most_once_in_five_minutes(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    sightings = front.app.services.sightings
    sightings.drain()
    clock.advance(299)
    assert await front.me(alice.access) == (200, "")
    assert not [kind for kind, _ in sightings.drain() if kind is SightingKind.USER]
    clock.advance(1)
    assert await front.me(alice.access) == (200, "")
    seen = {(SightingKind.USER, front.tenant_id): {alice.user_id: START_MS + 300_000}}
    assert {place: ids for place, ids in sightings.drain().items() if place[0] is SightingKind.USER} == seen
