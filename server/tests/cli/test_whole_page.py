"""The specification page from its top to its end, in one go, on a real server with a real mail server.

It is about Alice, who has an authenticator app, is a member of an organization, and reads her mail. Every call of the
page is sent as it is printed there and in its order; a call, a parameter or a filter of the page that nothing here
sends fails the test.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final

import httpx
import pytest
from pyotp.totp import TOTP

from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.times import format_time
from tests.cli.conftest import Place, mail_settings
from tests.cli.page import TEXT, call_of, calls, client_calls, names_in_table, paste
from tests.cli.test_stop_access import made
from tests.smtp_server import SmtpServer
from tests.support import server_process

ALICE: Final = "alice@example.com"
BOB: Final = "bob@example.com"
PASSWORD: Final = "correct horse battery"
NEW_PASSWORD: Final = "staple the battery on"
REASON: Final = "Support ticket #8842 — user cannot access dashboard"
DEADLINE_SECONDS: Final = 30
HOUR_MS: Final = 3_600_000
SCOPES: Final = ("users:*", "sessions:write", "mfa:write", "audit:read", "audit:write")
"""What the page's key needs, and no more."""
IMPERSONATION: Final = {
    "access_token": r"eyJhbGciOiJFZERTQS[\w-]+\.[\w-]+\.[\w-]+",
    "session_id": r"ses_[0-9A-HJKMNP-TV-Z]{26}_impersonate",
    "impersonated_user_id": r"usr_[0-9A-HJKMNP-TV-Z]{26}",
    "expires_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}
"""The fields of the page's answer, and their forms."""


class Stage:
    """A served tenant as the page has it, Alice's devices, and what of the page has been sent so far."""

    def __init__(self, client: httpx.AsyncClient, smtp: SmtpServer, keys: dict[str, str]) -> None:
        self.client = client
        self.smtp = smtp
        self.keys = keys
        self.shown: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.backup_codes: list[str] = []
        self.secret = ""
        self.sent: list[tuple[str, int]] = []

    def page(self, section: str, number: int = 0, change: Callable[[str], str] | None = None) -> tuple[int, Any]:
        """Send a call of the page; with `change`, one that differs from it by what the page's tables name."""
        call = call_of(section, number)
        if change is None:
            self.sent.append((section, number))
        return paste(call if change is None else change(call), self.shown)

    async def post(self, path: str, body: Any, credential: str = "publishable") -> httpx.Response:
        """Send what a browser or the application's own server sends."""
        headers = {"Authorization": f"Bearer {self.keys.get(credential, credential)}"}
        return await self.client.post(path, json=body, headers=headers)

    async def created(self, path: str, body: Any, credential: str = "publishable") -> Any:
        """Create something and return it."""
        answer = await self.post(path, body, credential)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.json()

    async def try_sign_in(self, email: str, password: str = PASSWORD) -> tuple[int, Any]:
        """Give address and password; return the status, and the error or what was answered."""
        answer = await self.post("/v1/auth/sign-in", {"email": email, "password": password})
        body = answer.json()
        return answer.status_code, body.get("error", body)

    async def verify(self, challenge: dict[str, Any], code: str) -> Any:
        """Give the second factor, which is to be taken; return the session."""
        assert challenge["code"] == "mfa_required"
        body = {"challenge_id": challenge["challenge_id"], "code": code}
        answer = await self.post("/v1/auth/mfa/verify", body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()["session"]

    async def sign_in(self, email: str = ALICE, password: str = PASSWORD) -> Any:
        """Sign in, Alice with a backup code beside her password; return the session."""
        status, answer = await self.try_sign_in(email, password)
        if email == ALICE:
            return await self.verify(answer, self.backup_codes.pop())
        assert status == httpx.codes.OK, answer
        return answer["session"]

    async def is_open(self, session: dict[str, Any]) -> bool:
        """Return whether both tokens of a session are good, or whether both are refused."""
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        me = await self.client.get("/v1/auth/me", headers=headers)
        body = {"refresh_token": session["refresh_token"]}
        refreshed = await self.post("/v1/auth/token/refresh", body)
        assert me.is_success == refreshed.is_success, (me.text, refreshed.text)
        return me.is_success

    async def mail(self, subject: str) -> EmailMessage:
        """Wait for a mail to Alice, and return it."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                for message in self.smtp.taken:
                    if message["Subject"] == subject:
                        self.smtp.taken.remove(message)
                        assert message["To"] == ALICE
                        return message
                await asyncio.sleep(0.01)

    async def link(self, subject: str) -> str:
        """Wait for a mail with a link, and return what stands in the link after the server's address."""
        part = (await self.mail(subject)).get_body(("plain",))
        assert part is not None
        found = re.search(r"http://localhost:3000(/\S+\?token=\S+)", part.get_content())
        assert found is not None
        return found.group(1)


@pytest.fixture
async def stage(place: Place, smtp: SmtpServer) -> AsyncIterator[Stage]:
    """A server on each kind of store, with Alice, Bob, and others whom the page's search leaves out."""
    tenant_id = made(place, "tenants", "create", "--name", "Acme")["id"]
    make_key = ("keys", "create", "--tenant", tenant_id, "--name", "page")
    keys = {
        "page": made(place, *make_key, *(part for scope in SCOPES for part in ("--scope", scope)))["key"],
        "application": made(place, *make_key, "--scope", "*", "--scope", "admins:manage")["key"],
        "publishable": made(place, *make_key, "--type", "publishable")["key"],
    }
    with server_process(place.directory, place.environ | mail_settings(smtp)) as server:
        async with server.client() as client:
            stage = Stage(client, smtp, keys)
            organization = await stage.created("/v1/organizations", {"name": "Acme Labs"}, "application")
            stage.shown = {
                "https://api.hellojohn.dev": server.url,
                "sk_live_abc123": keys["page"],
                "tnt_01HABCDEF654321": tenant_id,
                "org_01HABCDEF777666": organization["id"],
            }
            await people(stage, f"/v1/organizations/{organization['id']}/members")
            yield stage


async def people(stage: Stage, members: str) -> None:
    """Sign Alice up with an authenticator app, and the others; all but one are in the organization."""
    for email, name in {
        ALICE: "Alice Smith",
        BOB: "Bob Miller",
        "alice.jones@example.com": "Alice Jones, without a factor",
        "alice.king@example.com": "Alice King, of another organization",
    }.items():
        signed_up = await stage.created("/v1/auth/sign-up", {"email": email, "password": PASSWORD, "name": name})
        stage.users[email] = signed_up["user"]["id"]
        if email != "alice.king@example.com":
            await stage.created(members, {"user_id": signed_up["user"]["id"]}, "application")
        if email in {ALICE, "alice.king@example.com"}:
            token = signed_up["session"]["access_token"]
            begun = await stage.created("/v1/auth/mfa/factors", {"type": "totp"}, token)
            totp = TOTP(begun["secret"])
            confirmed = await stage.post(
                f"/v1/auth/mfa/factors/{begun['id']}/confirm", {"code": totp.at(now_seconds())}, token
            )
            assert confirmed.status_code == httpx.codes.OK, confirmed.text
            if email == ALICE:
                stage.secret, stage.backup_codes = begun["secret"], confirmed.json()["backup_codes"]
                stage.shown["fac_01HABCDEF555444"] = begun["id"]
    stage.shown |= {"usr_01HABCDEF123456": stage.users[ALICE], "usr_01HABCDEF789012": stage.users[BOB]}


def now_seconds(steps: int = 0) -> int:
    return SystemClock().now_ms() // 1000 + steps * 30


def emails(page: dict[str, Any]) -> list[str]:
    return [user["email"] for user in page["data"]]


async def list_all_users(stage: Stage) -> None:
    status, page = stage.page("List All Users")
    assert (status, page["pagination"]["total"], page["pagination"]["limit"]) == (200, 4, 50)
    assert emails(page) == list(stage.users)[::-1]
    tried = {
        "limit": ("limit=50", "limit=1"),
        "cursor": (
            "limit=50",
            f"limit=1&cursor={stage.page('List All Users', 0, only_one)[1]['pagination']['next_cursor']}",
        ),
        "order_by": ("limit=50", "order_by=email"),
        "direction": ("limit=50", "order_by=email&direction=desc"),
    }
    found = {
        name: emails(stage.page("List All Users", 0, lambda call, change=change: call.replace(*change))[1])
        for name, change in tried.items()
    }
    newest = list(stage.users)[::-1]
    assert found == {
        "limit": newest[:1],
        "cursor": newest[1:2],
        "order_by": sorted(newest),
        "direction": sorted(newest)[::-1],
    }
    assert list(tried) == names_in_table("List All Users", "ParameterDescription")


def only_one(call: str) -> str:
    return call.replace("limit=50", "limit=1")


async def search(stage: Stage) -> None:
    status, page = stage.page("List All Users", 1)
    assert (status, emails(page), page["pagination"]["limit"]) == (200, [ALICE], 25)
    jones, king = "alice.jones@example.com", "alice.king@example.com"
    organization = stage.shown["org_01HABCDEF777666"]
    cases: dict[str, tuple[Any, set[str]]] = {
        "query": ("smith", {ALICE}),
        "mfa_enrolled": (False, {BOB, jones}),
        "disabled": (False, set(stage.users)),
        "created_after": ("2024-01-01T00:00:00Z", set(stage.users)),
        "created_before": ("2024-01-01T00:00:00Z", set()),
        "organization_id": (organization, {ALICE, BOB, jones}),
        "role": ("member", {ALICE, BOB, jones, king}),
    }
    for name, (value, expected) in cases.items():
        body = {"query": value} if name == "query" else {"filters": {name: value}}
        status, page = stage.page("List All Users", 1, lambda call, body=body: with_body(call, body))
        assert (status, set(emails(page))) == (200, expected), name
    assert list(cases) == names_in_table("List All Users", "FilterTypeDescription")


def with_body(call: str, body: Any) -> str:
    """Return a call with another body."""
    return re.sub(r"-d '.*'", lambda _: f"-d '{json.dumps(body)}'", call, flags=re.DOTALL)


async def impersonate(stage: Stage) -> None:
    alice = stage.users[ALICE]
    before = SystemClock().now_ms()
    status, body = stage.page("Impersonate a User")
    assert status == 200
    assert body.keys() == answer_of("Impersonate a User").keys() == IMPERSONATION.keys()
    assert [name for name, form in IMPERSONATION.items() if not re.fullmatch(form, body[name])] == []
    assert body["impersonated_user_id"] == alice
    ends = datetime.fromisoformat(body["expires_at"]).timestamp() * 1000
    assert before + HOUR_MS - 1000 <= ends <= SystemClock().now_ms() + HOUR_MS
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await stage.client.get("/v1/auth/me", headers=headers)).json()["email"] == ALICE
    _, log = stage.page("View User Audit Events", 0, lambda call: call.replace("limit=50", "limit=100"))
    entry = next(entry for entry in log["data"] if entry["type"] == "user.impersonated")
    assert (entry["impersonated"], entry["reason"], entry["on_behalf_of"]["id"]) == (True, REASON, alice)
    for change in (('"1h"', '"25h"'), (REASON, " ")):
        assert stage.page("Impersonate a User", 0, lambda call, change=change: call.replace(*change))[0] == 422
    stage.keys["impersonation"] = body["access_token"]


async def disable(stage: Stage) -> None:
    first = await stage.sign_in()
    status, user = stage.page("Disable a User")
    assert (status, user["id"], user["disabled"], user["status"]) == (200, stage.users[ALICE], True, "disabled")
    assert user["access_stopped"]["sessions_revoked"] >= 2
    assert not await stage.is_open(first)
    headers = {"Authorization": f"Bearer {stage.keys['impersonation']}"}
    assert (await stage.client.get("/v1/auth/me", headers=headers)).status_code in {401, 403}
    assert (await stage.try_sign_in(ALICE))[1]["code"] == "account_disabled"
    status, user = stage.page("Disable a User", 0, enabled)
    assert (status, user["disabled"], user["status"]) == (200, False, "active")
    assert not await stage.is_open(first)


async def disable_and_revoke(stage: Stage) -> None:
    sessions = [await stage.sign_in(), await stage.sign_in()]
    status, user = stage.page("Disable a User", 1)
    assert (status, user["disabled"], user["access_stopped"]["sessions_revoked"]) == (200, True, 2)
    assert not any([await stage.is_open(session) for session in sessions])
    assert stage.page("Disable a User", 1, enabled)[1]["disabled"] is False


def enabled(call: str) -> str:
    return call.replace('"disabled": true', '"disabled": false').replace(', "revoke_sessions": true', "")


async def bulk_disable(stage: Stage) -> None:
    stage.page("Revoke All User Sessions", 0, lambda call: call.replace("usr_01HABCDEF123456", stage.users[BOB]))
    sessions = [await stage.sign_in(email) for email in (ALICE, ALICE, BOB, BOB, BOB)]
    assert stage.page("Bulk Disable Users") == (200, answer_of("Bulk Disable Users"))
    assert not any([await stage.is_open(session) for session in sessions])
    for email in (ALICE, BOB):
        assert (await stage.try_sign_in(email))[1]["code"] == "account_disabled"
        stage.page(
            "Disable a User",
            0,
            lambda call, email=email: enabled(call).replace("usr_01HABCDEF123456", stage.users[email]),
        )


async def force_reset(stage: Stage) -> None:
    session = await stage.sign_in()
    asked = await stage.post("/v1/auth/password/forgot", {"email": ALICE})
    assert asked.status_code == httpx.codes.ACCEPTED
    old_link = await stage.link("Reset your password for Acme")
    assert stage.page("Force Password Reset") == (202, {"email_queued": True, "sessions_revoked": 1})
    link = await stage.link("Choose a new password for Acme")
    assert link != old_link
    assert not await stage.is_open(session)
    assert (await stage.try_sign_in(ALICE))[1]["code"] == "password_reset_required"

    shown = await stage.client.get(link)
    assert '<form method="post" action="reset-password">' in shown.text
    fields = {"token": link.partition("token=")[2], "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    done = await stage.client.post(link.partition("?")[0], data=fields)
    assert "Your new password is set" in done.text

    for dead in (old_link, link):
        body = {"token": dead.partition("token=")[2], "password": "a third long one"}
        refused = await stage.post("/v1/auth/password/reset", body)
        assert (refused.status_code, refused.json()["error"]["code"][:5]) == (401, "link_"), refused.text
    assert (await stage.try_sign_in(ALICE))[1]["code"] == "invalid_credentials"
    assert not await stage.is_open(session)
    assert await stage.is_open(await stage.sign_in(ALICE, NEW_PASSWORD))


async def revoke_all(stage: Stage) -> None:
    session = await stage.sign_in(ALICE, NEW_PASSWORD)
    status, body = stage.page("Revoke All User Sessions")
    assert (status, body["sessions_revoked"]) == (200, 2)
    assert not await stage.is_open(session)


async def remove_factor(stage: Stage) -> None:
    status, challenge = await stage.try_sign_in(ALICE, NEW_PASSWORD)
    assert (status, challenge["code"]) == (403, "mfa_required")
    assert [factor["id"] for factor in challenge["factors"]] == [stage.shown["fac_01HABCDEF555444"]]
    await stage.verify(challenge, TOTP(stage.secret).at(now_seconds(1)))

    assert stage.page("Remove MFA Factor (Admin)") == (204, None)

    status, signed_in = await stage.try_sign_in(ALICE, NEW_PASSWORD)
    assert (status, signed_in["user"]["mfa_enrolled"]) == (200, False)
    assert emails(paste(call_of("List All Users", 1), stage.shown)[1]) == []
    await stage.mail("A second factor was removed from your account with Acme")


async def audit_events(stage: Stage) -> None:
    status, page = stage.page("View User Audit Events")
    assert (status, page["pagination"]["limit"], page["pagination"]["has_more"]) == (200, 50, False)
    times = [entry["created_at"] for entry in page["data"]]
    assert times == sorted(times, reverse=True)
    assert times[0] <= format_time(SystemClock().now_ms())
    alice = stage.users[ALICE]
    assert all(alice in {entry["actor"]["id"], (entry["on_behalf_of"] or {}).get("id")} for entry in page["data"])
    types = {entry["type"] for entry in page["data"]}
    assert types >= {
        "user.created",
        "user.signed_in",
        "user.mfa_factor_added",
        "user.impersonated",
        "user.password_reset",
    }
    about = stage.page("View User Audit Events", 0, lambda call: call.replace("actor_id", "user_id"))[1]
    assert {entry["type"] for entry in about["data"]} >= {
        "user.disabled",
        "user.enabled",
        "user.mfa_factor_removed",
        "user.password_reset_forced",
        "user.sessions_revoked",
    }


async def client_pattern(stage: Stage) -> None:
    """What the page's TypeScript client sends: the key alone, as it knows no tenant."""
    alice = f"/v1/users/{stage.users[ALICE]}"
    log = {"action": "user.suspended", "actor": "admin", "resource_id": stage.users[ALICE], "metadata": {"reason": "x"}}
    user = {"user_id": stage.users[ALICE], "reason": "Support ticket", "expires_in": "1h"}
    sent: dict[str, tuple[str, str, Any, int]] = {
        "users.list": ("GET", f"/v1/users?email={ALICE}", None, 200),
        "users.update": ("PATCH", alice, {"disabled": True}, 200),
        "sessions.revokeAll": ("DELETE", f"{alice}/sessions", None, 200),
        "auditLogs.create": ("POST", "/v1/audit-logs", log, 201),
        "admin.impersonate": ("POST", "/v1/admin/users/impersonate", user, 409),
    }
    assert list(sent) == client_calls()
    for name, (method, path, body, expected) in sent.items():
        headers = {"Authorization": f"Bearer {stage.keys['page']}"}
        answer = await stage.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == expected, (name, answer.text)
        if name == "users.list":
            assert emails(answer.json()) == [ALICE]
    await stage.client.patch(alice, json={"disabled": False}, headers=headers)
    again = await stage.client.post("/v1/admin/users/impersonate", json=user, headers=headers)
    assert again.status_code == httpx.codes.OK


def answer_of(section: str) -> dict[str, Any]:
    """Return the answer that the page shows in a section."""
    return next(call.answer for call in calls() if call.section == section and call.answer is not None)


STEPS: Final = (
    list_all_users,
    search,
    impersonate,
    disable,
    disable_and_revoke,
    bulk_disable,
    force_reset,
    revoke_all,
    remove_factor,
    audit_events,
    client_pattern,
)


async def test_the_whole_page_from_top_to_bottom(stage: Stage) -> None:
    for step in STEPS:
        await step(stage)

    assert stage.sent == [(call.section, call.number) for call in calls()]


def test_every_call_of_the_page_is_known() -> None:
    assert len(calls()) == TEXT.count("curl ") == 10
    assert len([call for call in calls() if call.answer is not None]) == TEXT.count("Response:\n") == 2
