"""Acts on a user's access over HTTP on both stores: statuses, headers, and what is said of bad bodies."""

import asyncio
from typing import Any

import pytest

from tests.support import RunningApp

IN_2100 = "2100-01-01T00:00:00.000Z"


@pytest.fixture
async def key(app: RunningApp) -> str:
    return await app.make_key(await app.make_tenant())


async def make(app: RunningApp, key: str, email: str = "alice@example.com", **values: Any) -> str:
    answer = await app.call(key, "POST", "/v1/users", {"email": email, **values})
    assert answer.status_code == 201, answer.text
    return f"/v1/users/{answer.json()['id']}"


async def test_from_ban_to_erase(app: RunningApp, key: str) -> None:
    path = await make(app, key)
    banned = await app.call(key, "POST", f"{path}/ban", {"reason": "spam", "expires_at": "2100-01-01T01:00:00+01:00"})
    assert (banned.status_code, banned.headers["etag"], banned.json()["status"]) == (200, '"2"', "banned")
    assert banned.json()["ban"]["until"] == IN_2100
    assert banned.json()["access_stopped"] == {"sessions_revoked": 0, "residual_seconds": 0}
    again = await app.call(key, "POST", f"{path}/ban", {"reason": "spam", "expires_at": IN_2100})
    assert (again.status_code, again.json()["version"], "access_stopped" in again.json()) == (200, 2, False)
    for verb, version in (("unban", 3), ("unlock", 3), ("disable", 4), ("enable", 5), ("restore", 5)):
        answer = await app.call(key, "POST", f"{path}/{verb}")
        assert (answer.status_code, answer.json()["version"]) == (200, version), answer.text
        assert answer.headers["etag"] == f'"{version}"'
    stale = await app.call(key, "DELETE", path, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "version_mismatch")
    deleted = await app.call(key, "DELETE", path, {"reason": "left"}, {"If-Match": '"5"'})
    assert (deleted.status_code, deleted.headers["etag"], deleted.json()["status"]) == (200, '"6"', "deleted")
    refused = await app.call(key, "POST", f"{path}/ban")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "user_deleted")
    erased = await app.call(key, "DELETE", f"{path}?permanent=true", {"reason": "asked to"})
    assert (erased.status_code, erased.content) == (204, b"")
    assert "etag" not in erased.headers
    for method, gone in (("GET", path), ("DELETE", path), ("DELETE", f"{path}?permanent=true")):
        assert (await app.call(key, method, gone)).status_code == 404
    listed = await app.call(key, "GET", "/v1/audit-logs?type=user.*")
    assert [entry["type"] for entry in listed.json()["data"]] == [
        *("user.erased", "user.deleted", "user.enabled", "user.disabled", "user.unbanned", "user.banned"),
        "user.created",
    ]
    assert [entry["reason"] for entry in listed.json()["data"]] == [None] * 7


async def test_erasing_needs_its_scope_and_says_which(app: RunningApp, key: str) -> None:
    path = await make(app, key)
    weak = (await app.call(key, "POST", "/v1/api-keys", {"name": "w", "scopes": ["users:write"]})).json()["key"]
    answer = await app.call(weak, "DELETE", f"{path}?permanent=true")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    assert [detail["message"] for detail in answer.json()["error"]["details"]] == ["Needs the scope users:erase."]
    assert (await app.call(weak, "DELETE", f"{path}?permanent=false")).status_code == 200


async def test_an_erase_is_replayed_after_the_user_is_gone(app: RunningApp, key: str) -> None:
    path = f"{await make(app, key, role='admin')}?permanent=true"
    headers = {"Idempotency-Key": "erase-1"}
    at_once = await asyncio.gather(*(app.call(key, "DELETE", path, headers=headers) for _ in range(8)))
    later = await app.call(key, "DELETE", path, headers=headers)
    assert {answer.status_code for answer in (*at_once, later)} == {204}
    replayed = [answer.headers.get("idempotency-replayed") for answer in (*at_once, later)]
    assert replayed.count("true") == 8
    other = await app.call(key, "DELETE", path, {"reason": "x"}, headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_an_erased_users_kept_answers_are_gone(app: RunningApp, key: str) -> None:
    path = await make(app, key)
    headers = {"Idempotency-Key": "ban-1"}
    assert (await app.call(key, "POST", f"{path}/ban", headers=headers)).status_code == 200
    await app.call(key, "DELETE", f"{path}?permanent=true")
    assert (await app.call(key, "POST", f"{path}/ban", headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("POST", "ban", {"expires_in": "soon"}, ["expires_in"]),
        ("POST", "ban", {"expires_in": "101y"}, ["expires_in"]),
        ("POST", "ban", {"expires_in": "0d"}, ["expires_in"]),
        ("POST", "ban", {"expires_at": "2020-01-01T00:00:00Z"}, ["expires_at"]),
        ("POST", "ban", {"expires_at": "2100-01-01T00:00:00"}, ["expires_at"]),
        ("POST", "ban", {"expires_in": "1h", "expires_at": IN_2100}, ["expires_at"]),
        ("POST", "ban", {"expires_in": "soon", "expires_at": IN_2100, "x": 1}, ["expires_at", "expires_in", "x"]),
        ("POST", "ban", {"reason": " "}, ["reason"]),
        ("POST", "unban", {"reason": ""}, ["reason"]),
        ("POST", "unlock", {"user_id": "x"}, ["user_id"]),
        ("POST", "restore", {"reason": "x" * 501}, ["reason"]),
        ("DELETE", "sessions", {"revoke_sessions": True}, ["revoke_sessions"]),
        ("PUT", "password", {}, ["password"]),
        ("PUT", "password", {"password": "short"}, ["password"]),
        ("PUT", "password", {"password": None}, ["password"]),
        ("PUT", "password", {"password_hash": "$1$x"}, ["password_hash"]),
        ("PUT", "password", {"password_hash": f"$2b$15${'C' * 53}"}, ["password_hash"]),
        ("PUT", "password", {"password": "correct horse", "password_hash": "$1$x"}, ["password_hash"]),
        ("PUT", "password", {"revoke_sessions": "yes"}, ["password", "revoke_sessions"]),
    ],
)
async def test_what_is_wrong_is_said(
    app: RunningApp, key: str, method: str, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    user = await make(app, key)
    answer = await app.call(key, method, f"{user}/{path}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_failed"), answer.text
    assert sorted({detail["field"] for detail in answer.json()["error"]["details"]}) == fields
    assert (await app.call(key, "GET", user)).json()["version"] == 1


@pytest.mark.parametrize(
    "query", ["permanent=yes", "permanent=1", "permanent=", "permanent=true&permanent=true", "x=1"]
)
async def test_what_is_not_plainly_permanent_deletes_nothing(app: RunningApp, key: str, query: str) -> None:
    user = await make(app, key)
    assert (await app.call(key, "DELETE", f"{user}?{query}")).status_code == 422
    assert (await app.call(key, "GET", user)).json()["status"] == "active"


async def test_the_document_says_that_deleting_answers_with_the_user_or_with_nothing(app: RunningApp) -> None:
    document = (await app.call(None, "GET", "/openapi.json")).json()
    responses = document["paths"]["/v1/users/{user_id}"]["delete"]["responses"]
    assert "content" in responses["200"]
    assert set(responses["204"]) == {"description", "headers"}
    assert "ETag" not in responses["204"]["headers"]
