"""A tenant's settings over HTTP on both stores: read, merged, versioned, and by whom they may be changed."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.features.tenant_settings.schemas import TenantConfig
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.storage.database import Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import ManualClock
from tests.support import RunningApp

PATH: Final = "/v1/admin/config"
NO_MFA: Final = {"required": "off", "roles": [], "webauthn": {"rp_id": None, "origins": []}}
NO_URLS: Final = dict.fromkeys(
    ("reset_url", "verification_url", "invitation_url", "magic_link_url", "organization_invitation_url")
)
NO_MAIL: Final = {
    "sender_name": None,
    "reply_to": None,
    "templates": dict.fromkeys(template.value for template in EmailTemplate),
}
DEFAULTS: Final = {
    "impersonation": {"enabled": True, "max_duration": "24h", "always_read_only": False, "notify_user": False},
    "mail": NO_MAIL,
    "lockout": {"enabled": True, "failures": 10, "window": "10m", "lock_time": "15m"},
    "password": {"min_length": 8, "max_length": 1024, "refuse_common": True},
    "sessions": {"idle_time": "30d", "lifetime": None, "max_per_user": None},
    "tokens": {"access_token_lifetime": "15m"},
    "urls": NO_URLS,
    "cors": {"allowed_origins": []},
    "mfa": NO_MFA,
    "version": 1,
    "updated_at": None,
}
PUT_DOCUMENT: Final = Statement(
    """
    INSERT INTO tenant_settings (tenant_id, name, document, updated_at, version)
    VALUES (:tenant_id, 'config', :document, 0, 7)
    """,
    kind=Kind.BOOKKEEPING,
)


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


def error_of(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], [(one["field"], one["code"]) for one in error.get("details", [])]


async def entries(app: RunningApp, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await app.call(key, "GET", "/v1/audit-logs?type=config.*")).json()["data"]
    return found[::-1]


async def test_without_a_change_everything_has_its_default(app: RunningApp, key: str) -> None:
    answer = await app.call(key, "GET", PATH)
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, DEFAULTS, '"1"')


async def test_a_change_is_merged_and_told(app: RunningApp, tenant: str, key: str, clock: ManualClock) -> None:
    clock.advance(1)
    first = await app.call(key, "PATCH", PATH, {"impersonation": {"max_duration": "30m", "always_read_only": True}})
    expected = {
        **DEFAULTS,
        "impersonation": {"enabled": True, "max_duration": "30m", "always_read_only": True, "notify_user": False},
        "version": 2,
        "updated_at": "2026-09-21T14:13:21.000Z",
    }
    assert (first.status_code, first.json(), first.headers["etag"]) == (200, expected, '"2"')
    assert (await app.call(key, "GET", PATH)).json() == expected
    clock.advance(1)
    second = await app.call(key, "PATCH", PATH, {"impersonation": {"enabled": False, "max_duration": None}})
    assert second.json() == {
        **DEFAULTS,
        "impersonation": {"enabled": False, "max_duration": "24h", "always_read_only": True, "notify_user": False},
        "version": 3,
        "updated_at": "2026-09-21T14:13:22.000Z",
    }
    reset = await app.call(key, "PATCH", PATH, {"impersonation": None})
    assert reset.json() == {**DEFAULTS, "version": 4, "updated_at": "2026-09-21T14:13:22.000Z"}
    told = await entries(app, key)
    assert [entry["changes"] for entry in told] == [
        {"impersonation.max_duration": ["24h", "30m"], "impersonation.always_read_only": [False, True]},
        {"impersonation.enabled": [True, False], "impersonation.max_duration": ["30m", "24h"]},
        {"impersonation.enabled": [False, True], "impersonation.always_read_only": [True, False]},
    ]
    assert {(entry["type"], entry["resource"]["type"], entry["resource"]["id"]) for entry in told} == {
        ("config.updated", "tenant", tenant)
    }


@pytest.mark.parametrize(
    "body",
    [None, {}, {"impersonation": {}}, {"impersonation": {"enabled": True}}, {"impersonation": {"notify_user": False}}],
)
async def test_what_is_so_already_changes_nothing(app: RunningApp, key: str, body: Any) -> None:
    answer = await app.call(key, "PATCH", PATH, body)
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, DEFAULTS, '"1"')
    assert (await app.call(key, "GET", PATH)).json() == DEFAULTS
    assert await entries(app, key) == []


async def test_a_change_of_another_version_is_refused(app: RunningApp, key: str) -> None:
    body = {"impersonation": {"enabled": False}}
    stale = await app.call(key, "PATCH", PATH, body, {"If-Match": '"2"'})
    assert error_of(stale) == (412, "version_mismatch", [])
    assert (await app.call(key, "GET", PATH)).json() == DEFAULTS
    assert (await app.call(key, "PATCH", PATH, body, {"If-Match": '"1"'})).json()["version"] == 2
    assert error_of(await app.call(key, "PATCH", PATH, body, {"If-Match": '"1"'})) == (412, "version_mismatch", [])


async def test_settings_of_impersonation_need_admins_manage(app: RunningApp, tenant: str) -> None:
    lesser = await app.make_key(tenant, "*")
    refused = await app.call(lesser, "PATCH", PATH, {"impersonation": {"always_read_only": True}})
    assert error_of(refused) == (403, "insufficient_scope", [("scope", "missing_scope")])
    assert "admins:manage" in refused.text
    assert (await app.call(lesser, "PATCH", PATH, {})).status_code == 200
    assert (await app.call(lesser, "GET", PATH)).json() == DEFAULTS
    exact = await app.make_key(tenant, "config:write", "admins:manage")
    assert (await app.call(exact, "PATCH", PATH, {"impersonation": {"enabled": False}})).status_code == 200


@pytest.mark.parametrize(
    ("section", "code", "details"),
    [
        ({"notify_user": "yes"}, "validation_failed", [("impersonation.notify_user", "wrong_type")]),
        ({"max_duration": "59s"}, "validation_failed", [("impersonation.max_duration", "invalid")]),
        ({"max_duration": "25h"}, "validation_failed", [("impersonation.max_duration", "invalid")]),
        ({"max_duration": "2d"}, "validation_failed", [("impersonation.max_duration", "invalid")]),
        ({"max_duration": "soon"}, "validation_failed", [("impersonation.max_duration", "invalid")]),
        ({"enabled": "no"}, "validation_failed", [("impersonation.enabled", "wrong_type")]),
        ({"duration": "1h"}, "validation_failed", [("impersonation.duration", "unknown")]),
        (
            {"notify_user": 1, "max_duration": "0h", "enabled": 1},
            "validation_failed",
            [
                ("impersonation.enabled", "wrong_type"),
                ("impersonation.max_duration", "invalid"),
                ("impersonation.notify_user", "wrong_type"),
            ],
        ),
    ],
)
async def test_what_is_wrong_is_all_said(
    app: RunningApp, key: str, section: dict[str, Any], code: str, details: list[tuple[str, str]]
) -> None:
    status, found, said = error_of(await app.call(key, "PATCH", PATH, {"impersonation": section}))
    assert (status, found, sorted(said)) == (422, code, details)
    assert (await app.call(key, "GET", PATH)).json() == DEFAULTS


@pytest.mark.parametrize("duration", ["60s", "1m", "24h", "1440m", "1d"])
async def test_a_duration_of_a_minute_to_a_day_is_taken(app: RunningApp, key: str, duration: str) -> None:
    answer = await app.call(key, "PATCH", PATH, {"impersonation": {"max_duration": duration}})
    assert answer.json()["impersonation"]["max_duration"] == duration


async def test_of_16_changes_of_one_version_one_is_made(app: RunningApp, key: str) -> None:
    answers = await asyncio.gather(
        *(
            app.call(key, "PATCH", PATH, {"impersonation": {"max_duration": f"{n}m"}}, {"If-Match": '"1"'})
            for n in range(1, 17)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 15
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await app.call(key, "GET", PATH)).json() == won
    assert len(await entries(app, key)) == 1


async def test_16_changes_at_once_are_made_one_after_another(app: RunningApp, key: str) -> None:
    answers = await asyncio.gather(
        *(app.call(key, "PATCH", PATH, {"impersonation": {"max_duration": f"{n}m"}}) for n in range(1, 17))
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 18))
    told = [entry["changes"]["impersonation.max_duration"] for entry in await entries(app, key)]
    assert [new for _, new in told[:-1]] == [old for old, _ in told[1:]]


async def test_a_retry_is_answered_alike(app: RunningApp, key: str) -> None:
    body, headers = {"impersonation": {"enabled": False}}, {"Idempotency-Key": "one"}
    first = await app.call(key, "PATCH", PATH, body, headers)
    await app.call(key, "PATCH", PATH, {"impersonation": None})
    again = await app.call(key, "PATCH", PATH, body, headers)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert (await app.call(key, "GET", PATH)).json()["impersonation"]["enabled"] is True


async def test_another_tenant_sees_nothing(app: RunningApp, key: str) -> None:
    other = await app.make_key(await app.make_tenant("Other"))
    await app.call(key, "PATCH", PATH, {"impersonation": {"enabled": False}})
    assert (await app.call(other, "GET", PATH)).json() == DEFAULTS
    await app.call(other, "PATCH", PATH, {"impersonation": {"max_duration": "5m"}})
    assert (await app.call(key, "GET", PATH)).json()["impersonation"]["max_duration"] == "24h"


async def test_a_document_of_another_version_is_read(app: RunningApp, tenant: str, key: str) -> None:
    """What it lacks has its default, and what it has beside that is left alone."""
    document = '{"impersonation": {"enabled": false, "later": 1}, "mail": {"from": "a@example.com"}}'

    async def put(tx: Transaction) -> None:
        await tx.execute(PUT_DOCUMENT, document=document)

    await app.services.database.write(tenant, put, type(None))

    async def read(reader: Reader) -> TenantConfig:
        return await app.services.tenant_settings.get_settings(reader)

    config = await app.services.database.read(tenant, read)
    assert (config.impersonation.enabled, config.impersonation.max_duration) == (False, "24h")
    shown = (await app.call(key, "GET", PATH)).json()
    assert (shown["version"], shown["impersonation"]["enabled"]) == (7, False)
