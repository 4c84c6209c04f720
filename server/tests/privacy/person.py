"""Somebody whose every value can be told from all others, and where such values are found afterwards."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from hellojohn_server.kit.clock import SystemClock
from tests.features.mfa.parts import App

FIRST_EMAIL: Final = "Qorvaxil.First@Zumbrelli.example"
EMAIL: Final = "Qorvaxil.Now@Zumbrelli.example"
WANTED_EMAIL: Final = "Qorvaxil.Wanted@Zumbrelli.example"
PROFILE: Final[Mapping[str, Any]] = {
    "name": "Wexlomir Qorvaxil",
    "username": "jaxquorble",
    "phone": "+4930918273645",
    "avatar_url": "https://pictures.example.com/hubrizzel.png",
    "external_id": "crm-vyxolant-7",
    "public_metadata": {"nickname": "tribulaxo"},
    "private_metadata": {"note": {"deep": ["ombrezzil"]}},
}
DEADLINE_SECONDS: Final = 30
PASSWORD: Final = "gruntaxo velvet battery"
ADDRESS: Final = "203.0.113.77"
AGENT: Final = "Zoltrippel/7"
REASON: Final = "Phlorgax called in"
FACTOR: Final = "Qendrimo phone"
NEEDLES: Final = (
    *("qorvaxil", "zumbrelli", "wexlomir", "jaxquorble", "4930918273645", "hubrizzel", "vyxolant", "tribulaxo"),
    *("ombrezzil", "203.0.113.77", "zoltrippel", "phlorgax", "qendrimo"),
)
SECRETS: Final = ("gruntaxo",)
"""What is never written anywhere, erased or not."""


class Caller:
    """Calls a server, as the person's browser or as the application's back end."""

    def __init__(self, client: httpx.AsyncClient, publishable: str, secret: str) -> None:
        self._client = client
        self._publishable = publishable
        self._secret = secret

    async def call(self, credential: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request that is to succeed, and return its body."""
        sent = {
            "Authorization": f"Bearer {credential}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        answer = await self._client.request(method, path, json=body, headers=sent)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def public(self, path: str, body: Any) -> Any:
        """Call as the application's front end."""
        return await self.own(self._publishable, "POST", f"/v1/auth/{path}", body)

    async def own(self, credential: str, method: str, path: str, body: Any = None) -> Any:
        """Call from the person's address."""
        return await self.call(credential, method, path, body, User_Agent=AGENT, X_Forwarded_For=ADDRESS)

    async def admin(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call as the application's back end."""
        return await self.call(self._secret, method, path, body, **headers)

    async def refused(self, path: str, body: Any, code: str) -> Any:
        """Call as the application's front end, for the person, and return the error, which is to be `code`."""
        headers = {"Authorization": f"Bearer {self._publishable}", "User-Agent": AGENT, "X-Forwarded-For": ADDRESS}
        answer = await self._client.post(f"/v1/auth/{path}", json=body, headers=headers)
        error = answer.json()["error"]
        assert error["code"] == code
        return error


async def live_a_little(caller: Caller) -> str:
    """Make the person, leave something of theirs in every place that the API reaches, and return their id."""
    signed_up = await caller.public("sign-up", {"email": FIRST_EMAIL, "password": PASSWORD, "name": PROFILE["name"]})
    user_id = str(signed_up["user"]["id"])
    signed_in = await caller.public("sign-in", {"email": FIRST_EMAIL, "password": PASSWORD})
    access = signed_in["session"]["access_token"]
    await caller.public("password/forgot", {"email": FIRST_EMAIL})
    await caller.refused("sign-in", {"email": FIRST_EMAIL, "password": "not the password"}, "invalid_credentials")
    await caller.own(access, "PATCH", "/v1/auth/me", {"name": PROFILE["name"] + " II"})
    path = f"/v1/users/{user_id}"
    body = {**PROFILE, "email": EMAIL}
    await caller.admin("PATCH", path, body, Idempotency_Key="the change of everything", X_Acting_Admin="Support")
    await caller.refused("sign-in", {"email": EMAIL, "password": "not the password"}, "invalid_credentials")
    for act in ("ban", "unban", "disable", "enable"):
        await caller.admin("POST", f"{path}/{act}", {"reason": REASON})
    await caller.admin("POST", "/v1/admin/users/bulk-disable", {"user_ids": [user_id], "reason": REASON})
    await caller.admin("POST", "/v1/admin/users/bulk-enable", {"user_ids": [user_id], "reason": REASON})
    await _plan_and_run(caller, user_id)
    body = {"user_id": user_id, "reason": REASON, "expires_in": "1h"}
    await caller.admin("POST", "/v1/admin/users/impersonate", body)
    await caller.admin("POST", f"{path}/password-reset", {"reason": REASON, "require": False})
    organization = await caller.admin("POST", "/v1/organizations", {"name": "Acme"})
    body = {"user_id": user_id, "role": "owner", "reason": REASON}
    await caller.admin("POST", f"/v1/organizations/{organization['id']}/members", body)
    other = await caller.admin("POST", "/v1/organizations", {"name": "Apex"})
    page = {"urls": {"organization_invitation_url": "https://app.example.com/join"}}
    await caller.admin("PATCH", "/v1/admin/config", page)
    await caller.admin("POST", f"/v1/organizations/{other['id']}/invitations", {"email": EMAIL, "reason": "hired"})
    entry = {"action": "order.placed", "resource_id": user_id, "metadata": {"nickname": "tribulaxo"}}
    await caller.admin("POST", "/v1/audit-logs", entry)
    signed_in = await caller.public("sign-in", {"email": EMAIL, "password": PASSWORD})
    body = {"email": WANTED_EMAIL, "current_password": PASSWORD}
    await caller.own(signed_in["session"]["access_token"], "POST", "/v1/auth/me/email", body)
    await _enrol(caller, path)
    await caller.refused("sign-in", {"email": EMAIL, "password": "not the password"}, "invalid_credentials")
    return user_id


async def _plan_and_run(caller: Caller, user_id: str) -> None:
    """Have the person in a plan that is not run, and in the report of a job that has ended."""
    body = {"action": "set_metadata", "query": "Qorvaxil", "parameters": {"reason": REASON}}
    body["parameters"] |= {"public_metadata": {"nickname": "tribulaxo the second"}}
    plan = await caller.admin("POST", "/v1/admin/plans", body)
    job = await caller.admin("POST", "/v1/admin/jobs", {"plan_id": plan["id"]})
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await caller.admin("GET", f"/v1/admin/jobs/{job['id']}"))["status"] != "completed":  # noqa: ASYNC110 - it comes about in another process
            await asyncio.sleep(0.05)
    assert job["users"] == 1
    body = {"action": "disable", "query": "Qorvaxil", "parameters": {"reason": REASON}}
    assert (await caller.admin("POST", "/v1/admin/plans", body))["samples"][0]["id"] == user_id


async def _enrol(caller: Caller, path: str) -> None:
    """Get the person a second factor with backup codes, a sign-in that waits for it, and a wrong code."""
    begun = await caller.admin("POST", f"{path}/mfa/factors", {"type": "totp", "name": FACTOR})
    app = App(begun["id"], begun["secret"], SystemClock())
    await caller.admin("POST", f"{path}/mfa/factors/{begun['id']}/confirm", {"code": app.code()})
    waiting = await caller.refused("sign-in", {"email": EMAIL, "password": PASSWORD}, "mfa_required")
    await caller.refused(
        "mfa/verify", {"challenge_id": waiting["challenge_id"], "code": app.wrong()}, "invalid_mfa_code"
    )
