"""A tenant's support desk: a key that may do everything, users in every state, and impersonations of them."""

from typing import Any, Final

import httpx
import msgspec

from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from tests.conftest import ManualClock
from tests.features.users.parts import UserParts
from tests.support import RunningApp

PATH: Final = "/v1/admin/users/impersonate"
REASON: Final = "Support ticket #8842 — user cannot access dashboard"
DAY_MS: Final = 86_400_000

STATES: Final[dict[str, dict[str, Any]]] = {
    "active": {},
    "banned": {"banned_at": 1, "ban_reason": "spam"},
    "deleted": {"deleted_at": 1},
    "disabled": {"disabled": True, "disabled_at": 1},
    "locked": {"locked_at": 1, "locked_until": 9_000_000_000_000},
    "pending": {"invited_at": 1},
}
"""The facts in a user's row that make each status, to be put there directly."""


class Desk:
    """A tenant and its key; `call` is as that key unless another credential is given."""

    def __init__(self, app: RunningApp, parts: UserParts, tenant_id: str, key: str) -> None:
        self.app = app
        self.parts = parts
        self.tenant_id = tenant_id
        self.key = key

    @property
    def clock(self) -> ManualClock:
        """The clock of the store and the app."""
        return self.parts.clock

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a request."""
        return await self.app.call(key or self.key, method, path, body, headers)

    async def make_user(self, name: str = "alice", *, status: str = "active", **fields: Any) -> str:
        """Make a user in a status and return the id."""
        answer = await self.call("POST", "/v1/users", {"email": f"{name}@example.com", **fields})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        user_id = str(answer.json()["id"])
        if STATES[status]:
            await self.parts.put(self.tenant_id, user_id, **STATES[status])
        return user_id

    async def ask(self, user_id: str, *, key: str | None = None, **fields: Any) -> httpx.Response:
        """Ask for an impersonation."""
        headers = {"Idempotency-Key": fields.pop("retry")} if "retry" in fields else {}
        body = {"user_id": user_id, "reason": REASON, **fields}
        return await self.call("POST", PATH, body, key=key, **headers)

    async def impersonate(self, user_id: str, *, key: str | None = None, **fields: Any) -> dict[str, str]:
        """Begin an impersonation and return what is answered."""
        answer = await self.ask(user_id, key=key, **fields)
        assert answer.status_code == httpx.codes.OK, answer.text
        return msgspec.convert(answer.json(), dict[str, str])

    async def set_config(self, **impersonation: Any) -> None:
        """Change the tenant's settings of impersonation."""
        answer = await self.call("PATCH", "/v1/admin/config", {"impersonation": impersonation})
        assert answer.status_code == httpx.codes.OK, answer.text

    async def entries(self, **filters: Any) -> list[AuditEntryBody]:
        """Return the tenant's entries, the oldest first."""
        query = msgspec.convert({"limit": 200, **filters}, ListAuditQuery)
        return (await self.app.services.audit.list_entries(self.tenant_id, query)).rows[::-1]


async def make_desk(app: RunningApp, parts: UserParts) -> Desk:
    """Make a tenant with a key that may do everything."""
    tenant_id = await app.make_tenant()
    return Desk(app, parts, tenant_id, await app.make_key(tenant_id))


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code; "" when there is none."""
    return answer.status_code, "" if answer.is_success else str(answer.json()["error"]["code"])


def faults_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return the field and the code of each fault that a refusal names."""
    return sorted((one["field"], one["code"]) for one in answer.json()["error"].get("details", []))
