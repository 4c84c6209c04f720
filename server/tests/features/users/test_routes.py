"""Users over HTTP on both stores: headers, bodies as they are sent, and what the request boundary says of bad ones."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.support import RunningApp, running_app

BCRYPT: Final = "$2b$12$abcdefghijklmnopqrstuu5s0t1uhxKQXGJ4Z6ZyJcQ0yWvVbYfK2"


@pytest.fixture
async def app(database: Database, clock: ManualClock, ids: IdFactory) -> AsyncIterator[RunningApp]:
    started: asyncio.Future[RunningApp] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def live() -> None:
        async with running_app(database, clock, ids) as running:
            started.set_result(running)
            await ended.wait()

    living = asyncio.create_task(live())  # the app is left by the task that entered it
    await asyncio.wait((started, living), return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        living.result()
    yield started.result()
    ended.set()
    await living


@pytest.fixture
async def key(app: RunningApp) -> str:
    return await app.make_key(await app.make_tenant())


async def make(app: RunningApp, key: str, **values: Any) -> dict[str, Any]:
    answer = await app.call(key, "POST", "/v1/users", {"email": "alice@example.com", **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def types(app: RunningApp, key: str) -> list[str]:
    """Return the types of the audit entries about users, oldest first."""
    answer = await app.call(key, "GET", "/v1/audit-logs?limit=200")
    return [entry["type"] for entry in answer.json()["data"] if entry["type"].startswith("user")][::-1]


async def faults(
    app: RunningApp, key: str, method: str, path: str, body: Any, headers: dict[str, str] | None = None
) -> list[str]:
    """Return the fields that a refusal names, sorted."""
    answer = await app.call(key, method, path, body, headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_failed"), answer.text
    return sorted(detail["field"] for detail in answer.json()["error"]["details"])


async def test_creating_and_getting(app: RunningApp, key: str) -> None:
    answer = await app.call(
        key, "POST", "/v1/users", {"email": "alice@example.com", "name": "Alice", "password": "correct horse"}
    )
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/users/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert "password" not in answer.text.replace("password_reset_required", "")

    answer = await app.call(key, "GET", f"/v1/users/{made['id']}")
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, made, '"1"')
    assert list(made) == [
        *("id", "email", "email_verified", "username", "name", "phone", "phone_verified", "avatar_url"),
        *("external_id", "role", "status", "disabled", "disabled_reason", "banned", "ban", "locked_until"),
        *("mfa_enrolled", "password_reset_required", "public_metadata", "private_metadata", "created_at"),
        *("updated_at", "last_sign_in_at", "last_active_at", "version"),
    ]


async def test_the_acts_of_the_page(app: RunningApp, key: str) -> None:
    user = await make(app, key)
    path = f"/v1/users/{user['id']}"
    disabled = await app.call(key, "PATCH", path, {"disabled": True})
    assert (disabled.status_code, disabled.headers["etag"]) == (200, '"2"')
    assert disabled.json()["access_stopped"] == {"sessions_revoked": 0, "residual_seconds": 0}
    access = await app.call(key, "GET", f"{path}/access")
    assert access.status_code == 200
    assert access.json()["can_sign_in"] is False
    assert [reason["code"] for reason in access.json()["reasons"]] == ["disabled"]
    again = await app.call(key, "PATCH", path, {"disabled": True, "revoke_sessions": True})
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert "access_stopped" not in again.json()
    enabled = await app.call(key, "PATCH", path, {"disabled": False})
    assert (enabled.status_code, enabled.json()["status"]) == (200, "active")
    by_verb = await app.call(key, "POST", f"{path}/disable", {"reason": "left"})
    assert (by_verb.status_code, by_verb.json()["disabled_reason"]) == (200, "left")
    without_body = await app.call(key, "POST", f"{path}/enable")
    assert (without_body.status_code, without_body.json()["version"]) == (200, 5)
    bulk = await app.call(
        key, "POST", "/v1/admin/users/bulk-disable", {"user_ids": [user["id"]], "revoke_sessions": True}
    )
    assert (bulk.status_code, bulk.json()) == (200, {"disabled": 1, "sessions_revoked": 0})
    assert await types(app, key) == [
        *("user.created", "user.disabled", "user.enabled", "user.disabled", "user.enabled"),
        *("user.disabled", "users.bulk_disabled"),
    ]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": None}, ["email"]),
        ({"email": "a@example.com", "unknown": 1, "id": "usr_1"}, ["unknown", "id"]),
        ({"email": "a@example.com", "password": "short"}, ["password"]),
        ({"email": "a@example.com", "password": "x" * 1025}, ["password"]),
        ({"email": "a@example.com", "password_hash": "nonsense"}, ["password_hash"]),
        ({"email": "a@example.com", "phone": "030 123"}, ["phone"]),
        ({"email": "a@example.com", "phone": "+14155552671\n"}, ["phone"]),
        ({"email": "a@example.com", "username": "a b"}, ["username"]),
        ({"email": "a@example.com", "avatar_url": "javascript:alert(1)"}, ["avatar_url"]),
        ({"email": "a@example.com", "name": "  "}, ["name"]),
        ({"email": "a@example.com", "role": "nobody"}, ["role"]),
        ({"email": "a@example.com", "public_metadata": []}, ["public_metadata"]),
        ({"email": "a@example.com", "private_metadata": {"a": "x" * 16384}}, ["private_metadata"]),
        ({"email": "a@example.com", "email_verified": "yes"}, ["email_verified"]),
        ({"email": "a@example.com", "send_invitation": True, "password": "long enough"}, ["send_invitation"]),
        (
            {"email": "a", "password": "x", "phone": "1", "name": "\n", "avatar_url": "x", "email_verified": 1},
            ["email", "password", "phone", "name", "avatar_url", "email_verified"],
        ),
    ],
)
async def test_bad_bodies_say_every_field_and_write_nothing(
    app: RunningApp, key: str, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await app.call(key, "POST", "/v1/users", body)
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert error["code"] == "validation_failed"
    assert sorted(detail["field"] for detail in error["details"]) == sorted(fields)
    assert await types(app, key) == []


@pytest.mark.parametrize(
    ("password_hash", "limit"),
    [
        ("$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "at most 14 as the cost of bcrypt"),
        (
            f"pbkdf2_sha512$5000000$salt${'A' * 86}==",
            "at most 600,000 iterations times blocks of the hash for PBKDF2 with sha512",
        ),
    ],
)
async def test_a_hash_that_is_too_costly_is_refused_with_the_limit(
    app: RunningApp, key: str, password_hash: str, limit: str
) -> None:
    answer = await app.call(key, "POST", "/v1/users", {"email": "a@example.com", "password_hash": password_hash})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "validation_failed")
    [detail] = error["details"]
    assert (detail["field"], detail["code"]) == ("password_hash", "invalid")
    assert detail["message"].endswith(f"more memory or time than is allowed: {limit}.")
    assert await types(app, key) == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {"email": "bad", "password": "long enough", "password_hash": BCRYPT, "phone_verified": True},
            ["email", "phone_verified", "password_hash"],
        ),
        ({"email": "bad", "send_invitation": True, "password_hash": BCRYPT}, ["email", "send_invitation"]),
        ({"password": "short", "password_hash": BCRYPT}, ["email", "password", "password_hash"]),
        ({"email": 1, "phone": "030 123", "phone_verified": True}, ["email", "phone"]),
        ({"email": "bad", "phone": None, "phone_verified": True, "x": 1}, ["email", "phone_verified", "x"]),
        (
            {
                "email": "a@example.com",
                "password": "long enough",
                "password_hash": BCRYPT,
                "phone_verified": True,
                "role": "nobody",
                "send_invitation": True,
            },
            ["password_hash", "phone_verified", "role", "send_invitation"],
        ),
    ],
)
async def test_what_is_wrong_between_fields_of_a_new_user_is_said_with_the_rest(
    app: RunningApp, key: str, body: dict[str, Any], fields: list[str]
) -> None:
    assert await faults(app, key, "POST", "/v1/users", body) == sorted(fields)
    assert await types(app, key) == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {"revoke_sessions": True, "role": "nobody", "phone_verified": True},
            ["phone_verified", "revoke_sessions", "role"],
        ),
        ({"revoke_sessions": True, "email": "bad"}, ["revoke_sessions", "email"]),
        ({"revoke_sessions": True, "disabled": False, "name": 1}, ["revoke_sessions", "name"]),
        ({"revoke_sessions": True, "disabled": "yes"}, ["disabled"]),
        ({"phone": None, "phone_verified": True}, ["phone_verified"]),
        ({"phone": None, "phone_verified": True, "role": "nobody"}, ["phone_verified", "role"]),
        ({"phone": None, "phone_verified": True, "name": " "}, ["name", "phone_verified"]),
        ({"phone": "1", "phone_verified": True}, ["phone"]),
    ],
)
async def test_what_is_wrong_between_fields_of_a_change_is_said_with_the_rest(
    app: RunningApp, key: str, body: dict[str, Any], fields: list[str]
) -> None:
    user = await make(app, key)
    path = f"/v1/users/{user['id']}"
    assert await faults(app, key, "PATCH", path, body) == sorted(fields)
    headers = {"If-Match": "1", "X-Acting-Admin": "x" * 201}
    found = await faults(app, key, "PATCH", path, {"revoke_sessions": False}, headers)
    assert found == ["If-Match", "X-Acting-Admin", "revoke_sessions"]
    assert (await app.call(key, "GET", path)).json() == user


async def test_null_and_absent_differ(app: RunningApp, key: str) -> None:
    user = await make(app, key, name="Alice", phone="+14155552671")
    path = f"/v1/users/{user['id']}"
    answer = await app.call(key, "PATCH", path, {"name": None})
    assert (answer.json()["name"], answer.json()["phone"]) == (None, "+14155552671")
    for body in ({"email": None}, {"role": None}, {"disabled": None}, {"public_metadata": None}):
        refused = await app.call(key, "PATCH", path, body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "validation_failed")


async def test_if_match(app: RunningApp, key: str) -> None:
    user = await make(app, key)
    path = f"/v1/users/{user['id']}"
    good = await app.call(key, "PATCH", path, {"name": "A"}, {"If-Match": '"1"'})
    assert (good.status_code, good.headers["etag"]) == (200, '"2"')
    for method, where, body in (
        ("PATCH", path, {"name": "B"}),
        ("POST", f"{path}/disable", {}),
        ("POST", f"{path}/enable", {}),
    ):
        stale = await app.call(key, method, where, body, {"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["error"]["code"]) == (412, "version_mismatch")
    assert await types(app, key) == ["user.created", "user.updated"]


async def test_a_retry_has_the_first_answer(app: RunningApp, key: str) -> None:
    retry = {"Idempotency-Key": "one"}
    body = {"email": "alice@example.com", "password": "correct horse"}
    answers = await asyncio.gather(*(app.call(key, "POST", "/v1/users", body, retry) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {f"/v1/users/{answers[0].json()['id']}"}
    other = await app.call(key, "POST", "/v1/users", {"email": "bob@example.com"}, retry)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert await types(app, key) == ["user.created"]


async def test_of_200_creations_at_once_one_wins(app: RunningApp, key: str) -> None:
    answers = await asyncio.gather(
        *(app.call(key, "POST", "/v1/users", {"email": "alice@example.com"}) for _ in range(200))
    )
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(409)) == (1, 199)
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} == {
        "email_already_exists"
    }
    assert await types(app, key) == ["user.created"]


async def test_another_tenants_user_is_not_there(app: RunningApp, key: str) -> None:
    user = await make(app, key)
    stranger = await app.make_key(await app.make_tenant("Other"))
    path = f"/v1/users/{user['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/access", None),
        ("PATCH", path, {"name": "A"}),
        ("POST", f"{path}/disable", {}),
        ("POST", f"{path}/enable", {}),
    ):
        answer = await app.call(stranger, method, where, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "user_not_found")
    bulk = await app.call(stranger, "POST", "/v1/admin/users/bulk-disable", {"user_ids": [user["id"]]})
    assert bulk.json() == {"disabled": 0, "sessions_revoked": 0, "not_found": [user["id"]]}
    assert (await app.call(key, "GET", path)).json() == user


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "user_ids"),
        ({"user_ids": []}, "user_ids"),
        ({"user_ids": ["usr_1"] * 1001}, "user_ids"),
        ({"user_ids": [1]}, "user_ids[0]"),
        ({"user_ids": ["x", "y\x00"]}, "user_ids[1]"),
        ({"user_ids": "usr_1"}, "user_ids"),
        ({"user_ids": ["x"], "reason": " "}, "reason"),
        ({"user_ids": ["x"], "revoke_sessions": None}, "revoke_sessions"),
    ],
)
async def test_bad_bulk_bodies(app: RunningApp, key: str, body: dict[str, Any], field: str) -> None:
    answer = await app.call(key, "POST", "/v1/admin/users/bulk-disable", body)
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]


async def test_malformed_ids_are_not_found_and_the_others_go_on(app: RunningApp, key: str) -> None:
    user = await make(app, key)
    malformed = ["", " ", "y" * 201, user["id"] + "0", user["id"].lower(), "usr_", "😀", "z" * 200_000]
    body = {"user_ids": [*malformed, user["id"], ""]}
    answer = await app.call(key, "POST", "/v1/admin/users/bulk-disable", body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"disabled": 1, "sessions_revoked": 0, "not_found": malformed},
    )


async def test_a_bulk_body_that_is_too_large(app: RunningApp, key: str) -> None:
    answer = await app.call(key, "POST", "/v1/admin/users/bulk-disable", {"user_ids": ["x" * 300_000]})
    assert answer.status_code == 413
