"""Each call of the specification page by itself, as it stands there: pasted into a shell, its ids replaced."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from pyotp.totp import TOTP

from hellojohn_server.cli.demo import Demo, insert_demo, make_demo
from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.keys.schemas import CreateKeyBody, TenantKeyType
from hellojohn_server.features.organizations.schemas import Membership
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Transaction
from tests.cli.conftest import Place, mail_settings
from tests.cli.page import call_of, paste
from tests.smtp_server import SmtpServer
from tests.support import server_process

LIST: Final = call_of("List All Users")
SEARCH: Final = call_of("List All Users", 1)
DISABLE: Final = call_of("Disable a User")
DISABLE_AND_REVOKE: Final = call_of("Disable a User", 1)
BULK_DISABLE: Final = call_of("Bulk Disable Users")
IMPERSONATE: Final = call_of("Impersonate a User")
FORCE_RESET: Final = call_of("Force Password Reset")
REVOKE_ALL: Final = call_of("Revoke All User Sessions")
REMOVE_FACTOR: Final = call_of("Remove MFA Factor (Admin)")
AUDIT: Final = call_of("View User Audit Events")

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
SESSIONS: Final = (4, 1, 2, 3)
"""How many sessions each of the four people has."""


class Stage(msgspec.Struct, frozen=True):
    """A served tenant with four people: the one whom the page's calls are about, and others."""

    url: str
    key: str
    tenant_id: str
    organization_id: str
    users: list[User]
    publishable: str

    async def post(self, path: str, body: dict[str, str]) -> httpx.Response:
        """Send what a browser sends."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            headers = {"Authorization": f"Bearer {self.publishable}"}
            return await client.post(path, json=body, headers=headers)

    def paste(self, call: str, *user_ids: str) -> tuple[int, Any]:
        """Run a call of the page in a shell, its ids replaced; return the status and the body."""
        first, second = (*user_ids, "", "")[:2]
        real = {
            "https://api.hellojohn.dev": self.url,
            "sk_live_abc123": self.key,
            "tnt_01HABCDEF654321": self.tenant_id,
            "org_01HABCDEF777666": self.organization_id,
            "usr_01HABCDEF123456": first,
            "usr_01HABCDEF789012": second,
            "fac_01HABCDEF555444": second,
        }
        return paste(call, real)


@pytest.fixture
async def stage(place: Place, smtp: SmtpServer) -> AsyncIterator[Stage]:
    """A server on each kind of store; what no endpoint makes yet (members, factors, sessions) is seeded as rows."""
    environ = place.environ | mail_settings(smtp)
    with server_process(place.directory, environ) as server:
        found: list[Stage] = []

        async def furnish(tools: Tools) -> None:
            tenant_id = (await tools.tenants.create_tenant(tools.context(), CreateTenantBody(name="Acme"))).id
            body = CreateKeyBody(name="page", scopes=["users:*", "sessions:write", "mfa:write", "audit:read"])
            key = (await tools.keys.create_key(tools.context(tenant_id), tenant_id, body)).key
            front = CreateKeyBody(name="front", type=TenantKeyType.PUBLISHABLE)
            publishable = (await tools.keys.create_key(tools.context(tenant_id), tenant_id, front)).key
            demo = four_people(tools)

            async def insert(tx: Transaction) -> None:
                await insert_demo(tx, demo, tools.audit, tools.mfa, tools.context(tenant_id))
                await tools.audit.record(tx, as_user(tools, tenant_id, demo.users[0]), own_change(demo.users[0]))

            await tools.database.write(tenant_id, insert, type(None))
            found.append(Stage(server.url, key, tenant_id, demo.organizations[0].id, demo.users, publishable))

        await place.use(furnish)
        yield found[0]


def four_people(tools: Tools) -> Demo:
    """Return Alice, whom the page's search finds, an Alice whom its filters leave out, and two more."""
    now = SystemClock().now_ms()
    demo = make_demo(now)
    rows = [user for user in demo.users if user.role == "member" and user.deleted_at is None][: len(SESSIONS)]
    plain = {"disabled": False, "mfa_enrolled": True, "banned_at": None, "locked_until": None, "invited_at": None}
    names = ("Alice Smith", "Alice Jones", "Bob Miller", "Carol King")
    users = [
        replace(row, name=name, name_key=name.casefold(), created_at=now - (9 - number) * DAY_MS, **plain)
        for number, (row, name) in enumerate(zip(rows, names, strict=True))
    ]
    users[1] = replace(users[1], mfa_enrolled=False)
    organization = demo.organizations[0]
    return Demo(
        roles=[],
        organizations=[organization],
        users=users,
        memberships=[Membership(organization.id, user.id, "member", user.created_at) for user in users],
        factors=[],
        backup_codes={},
        sessions=[
            Session(tools.ids.new(IdPrefix.SESSION), user.id, now, now + DAY_MS, now + HOUR_MS)
            for user, count in zip(users, SESSIONS, strict=True)
            for _ in range(count)
        ],
    )


def as_user(tools: Tools, tenant_id: str, user: User) -> Context:
    principal = Principal(CredentialKind.ACCESS_TOKEN, ActorType.USER, user.id, user.email, tenant_id)
    return Context(principal, tools.ids.new(IdPrefix.REQUEST), ip_address="192.0.2.10")


def own_change(user: User) -> Event:
    return Event(AuditType.USER_UPDATED, user.id, ResourceType.USER, changes={"name": ("Alice", user.name)})


async def test_list_all_users(stage: Stage) -> None:
    status, page = stage.paste(LIST)
    assert status == 200
    assert [user["id"] for user in page["data"]] == [user.id for user in reversed(stage.users)]
    assert page["pagination"] == {
        "total": 4,
        "total_is_exact": True,
        "limit": 50,
        "has_more": False,
        "next_cursor": None,
    }


async def test_search(stage: Stage) -> None:
    status, page = stage.paste(SEARCH)
    assert status == 200
    assert [user["name"] for user in page["data"]] == ["Alice Smith"]
    assert page["pagination"]["limit"] == 25


async def test_impersonate_a_user(stage: Stage) -> None:
    alice = stage.users[0].id
    status, body = stage.paste(IMPERSONATE, alice)
    assert status == 200
    assert body.keys() == {"access_token", "session_id", "impersonated_user_id", "expires_at"}
    assert body["access_token"].startswith("eyJhbGciOiJFZERTQSI")
    assert body["session_id"].startswith("ses_")
    assert body["session_id"].endswith("_impersonate")
    assert body["impersonated_user_id"] == alice
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["expires_at"])
    status, page = stage.paste(AUDIT, alice)
    entry = page["data"][0]
    assert (entry["type"], entry["impersonated"], entry["on_behalf_of"]["id"]) == ("user.impersonated", True, alice)
    assert entry["reason"] == "Support ticket #8842 — user cannot access dashboard"
    assert entry["metadata"]["session_id"] == body["session_id"]


async def test_revoke_all_user_sessions(stage: Stage) -> None:
    status, body = stage.paste(REVOKE_ALL, stage.users[0].id)
    assert (status, body["sessions_revoked"]) == (200, 4)
    assert 0 < body["residual_seconds"] <= 3600
    assert stage.paste(REVOKE_ALL, stage.users[0].id) == (200, {"sessions_revoked": 0, "residual_seconds": 0})


async def test_force_password_reset(stage: Stage, smtp: SmtpServer) -> None:
    alice = stage.users[1]
    assert stage.paste(FORCE_RESET, alice.id) == (202, {"email_queued": True, "sessions_revoked": 1})
    async with asyncio.timeout(30):
        while not smtp.taken:  # noqa: ASYNC110 - the mail comes from another process
            await asyncio.sleep(0.01)
    [message] = smtp.taken
    assert (smtp.recipients, message["Subject"]) == ([alice.email], "Choose a new password for Acme")
    text = message.get_body(("plain",))
    assert text is not None
    token = text.get_content().split("/account/reset-password?token=")[1].split()[0]
    new = {"email": alice.email, "password": "another long one"}
    assert (await stage.post("/v1/auth/sign-in", new)).status_code == 401
    reset = await stage.post("/v1/auth/password/reset", {"token": token, "password": new["password"]})
    assert (reset.status_code, reset.content) == (204, b"")
    assert (await stage.post("/v1/auth/sign-in", new)).status_code == 200
    again = await stage.post("/v1/auth/password/reset", {"token": token, "password": "a third long one"})
    assert again.json()["error"]["code"] == "link_used"


async def test_disable_a_user(stage: Stage) -> None:
    alice = stage.users[0].id
    status, user = stage.paste(DISABLE, alice)
    assert (status, user["id"], user["disabled"], user["status"]) == (200, alice, True, "disabled")
    assert user["access_stopped"]["sessions_revoked"] == 4
    assert 0 < user["access_stopped"]["residual_seconds"] <= 3600
    status, user = stage.paste(DISABLE.replace("true", "false"), alice)
    assert (status, user["disabled"], user["status"]) == (200, False, "active")
    status, page = stage.paste(SEARCH)
    assert [user["name"] for user in page["data"]] == ["Alice Smith"]


async def test_disable_and_revoke_all_sessions_in_one_call(stage: Stage) -> None:
    status, user = stage.paste(DISABLE_AND_REVOKE, stage.users[0].id)
    assert (status, user["disabled"]) == (200, True)
    assert user["access_stopped"]["sessions_revoked"] == 4
    status, page = stage.paste(SEARCH)
    assert (status, page["data"]) == (200, [])


async def test_bulk_disable_users(stage: Stage) -> None:
    status, body = stage.paste(BULK_DISABLE, stage.users[2].id, stage.users[3].id)
    assert status == 200
    assert body == {"disabled": 2, "sessions_revoked": 5}
    status, page = stage.paste(LIST)
    assert [user["disabled"] for user in page["data"]] == [True, True, False, False]


async def test_remove_mfa_factor(stage: Stage) -> None:
    dora = {"email": "dora@example.com", "password": "correct horse battery"}
    async with httpx.AsyncClient(base_url=f"{stage.url}/v1/auth", timeout=30) as client:

        async def post(path: str, body: Any, key: str = stage.publishable) -> Any:
            return (await client.post(path, json=body, headers={"Authorization": f"Bearer {key}"})).json()

        signed_up = await post("/sign-up", dora)
        user, token = signed_up["user"]["id"], signed_up["session"]["access_token"]
        begun = await post("/mfa/factors", {"type": "totp"}, token)
        code = TOTP(begun["secret"]).at(SystemClock().now_ms() // 1000)
        assert "backup_codes" in await post(f"/mfa/factors/{begun['id']}/confirm", {"code": code}, token)
        assert (await post("/sign-in", dora))["error"]["code"] == "mfa_required"

        assert stage.paste(REMOVE_FACTOR, user, begun["id"]) == (204, None)

        assert (await post("/sign-in", dora))["user"]["mfa_enrolled"] is False
    status, page = stage.paste(AUDIT.replace("actor_id", "user_id"), user)
    assert status == 200
    removed = next(entry for entry in page["data"] if entry["type"] == "user.mfa_factor_removed")
    assert removed["metadata"] == {"factor_id": begun["id"], "type": "totp"}
    assert removed["changes"] == {"mfa_enrolled": [True, False]}


async def test_view_user_audit_events(stage: Stage) -> None:
    alice = stage.users[0]
    stage.paste(DISABLE, alice.id)
    status, page = stage.paste(AUDIT, alice.id)
    assert status == 200
    assert [(entry["type"], entry["actor"]["id"], entry["changes"]) for entry in page["data"]] == [
        ("user.updated", alice.id, {"name": ["Alice", "Alice Smith"]})
    ]
    assert page["data"][0]["created_at"] <= format_time(SystemClock().now_ms())
    status, page = stage.paste(AUDIT.replace("actor_id", "user_id"), alice.id)
    assert [entry["type"] for entry in page["data"]] == ["user.disabled", "user.updated", "user.created"]
